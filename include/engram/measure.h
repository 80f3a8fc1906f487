/** Measures: what is recorded of a trial.
 *
 *  A measure declares its variables once and fills them in the hooks it has: at the start of the
 *  trial and of each phase, after each step, at each evaluation, at the end of each phase and of
 *  the trial. It looks and changes nothing: whatever is measured, the trial learns the same.
 *  Setting `measures` says which there are. A new measure is one file src/metric/measure_NAME.c and
 *  its line in measure_registry.c. */
#ifndef ENGRAM_MEASURE_H
#define ENGRAM_MEASURE_H

#include "engram/learner.h"
#include "engram/record.h"
#include "engram/settings.h"
#include "engram/stream.h"

/** Which data choose the best point; what is reported is always measured on the test set. */
typedef struct eg_selection {
    eg_subset subset; /**< the examples the objective is computed from */
    double holdout;   /**< share of the training examples held out for validation */
    size_t tasks; /**< only so many leading tasks count, measured when they were learned; 0: all */
} eg_selection;

/** What settings alone say of a trial, and so which variables it records. */
typedef struct eg_measure_scope {
    const eg_view *root; /**< all settings */
    size_t phases, tasks;
    size_t chunks;       /**< mega-batches that arrive; 0: there are none */
    size_t positions;    /**< labels of an example; 0: one */
    bool classifies;     /**< examples have labels, so there are accuracies */
    bool held_out;       /**< some training examples are held out for validation */
    bool untrained;      /**< evaluated before anything is learned, too */
    bool augments_tests; /**< there are EG_SUBSET_TEST_AUGMENTED */
    bool orders_tasks;   /**< a setting says in which order tasks come */
} eg_measure_scope;

/** What a measure may look at, as long as it lives. */
typedef struct eg_measure_setup {
    eg_measure_scope scope;
    const eg_stream *stream; /**< for cursors of its own */
    eg_learner *learner;     /**< may be asked to predict; must not be trained */
    eg_record *record;       /**< where variables are declared and filled */
    eg_selection selection;
    const char *objective;            /**< the summary variable that selects */
    const struct eg_measures *others; /**< all measures of the trial */
    size_t evals;                     /**< evaluations at most: the length of the axis `eval` */
    uint64_t order_seed, init_seed;   /**< as in eg_trial_seeds */
} eg_measure_setup;

/** Where the trial stands. */
typedef struct eg_moment {
    size_t step, examples_seen; /**< learned so far */
    size_t phase;
    size_t eval;               /**< evaluations made before: the index of this one on its axis */
    size_t examples_evaluated; /**< in evaluations finished so far */
    double recent_loss;        /**< mean of the newest EG_WINDOW losses */
    double train_seconds, evaluation_seconds;
    bool diverged; /**< the trial ended with a loss that is not finite */
} eg_moment;

/** One evaluation of one subset. */
typedef struct eg_evaluation {
    eg_subset subset;
    bool untrained;         /**< before anything was learned; it has no place on the axis `eval` */
    bool phase_end;         /**< the last one of its phase */
    const double *accuracy; /**< [tasks] share of rows correct; NaN where not evaluated */
    double overall; /**< of the rows of all examples together; NaN unless all were evaluated */
    /** Mean of -log p(label) over these rows; NaN also if no measure wants it (wants_nll), or the
     * scores of the learner make no probabilities. */
    double nll;
    const double *activity;    /**< [hidden layers] share of outputs that are not zero */
    const size_t *examples_of; /**< [outputs] rows with this label, all tasks together */
    const size_t *correct_of;  /**< [outputs] how many of them were classified correctly */
} eg_evaluation;

typedef struct eg_measure eg_measure;

/** All optional. The object is the measure's own struct that begins with eg_measure. */
typedef struct eg_measure_ops {
    void (*clear)(eg_measure *measure); /**< releases what the object owns, not the object */
    eg_status (*begin_trial)(eg_measure *measure);
    /** Before anything of the phase is learned; its data can be read with a cursor. */
    eg_status (*begin_phase)(eg_measure *measure, const eg_moment *now);
    /** After each step; the batch and the outputs are still there. Kept cheap: it is called
     *  always. */
    eg_status (*step)(eg_measure *measure, const eg_moment *now, const eg_batch *batch,
                      const eg_step_outcome *outcome);
    /** Once per subset: test, held-out and augmented test data, where there are any. */
    eg_status (*evaluation)(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation);
    eg_status (*end_phase)(eg_measure *measure, const eg_moment *now);
    /** Declares and sets the scalars. `now`: also of a trial that diverged or paused. */
    eg_status (*end_trial)(eg_measure *measure, const eg_moment *now);
    /** After end_trial of all measures. */
    eg_status (*conclude)(eg_measure *measure, const eg_moment *now);
    /** The value of its scalar `name` on the data that select; false: it has no such value of it,
     * and what is recorded counts. From end_trial on. */
    bool (*selecting)(const eg_measure *measure, const char *name, double *out);
    /** Both or none: what it remembers between two steps besides the record, for checkpoints. */
    void (*write)(const eg_measure *measure, eg_writer *writer);
    eg_status (*read)(eg_measure *measure, eg_reader *reader);
} eg_measure_ops;

struct eg_measure {
    const struct eg_measure_kind *kind;
    const eg_measure_setup *setup; /**< borrowed */
};

/** What a trial does, for estimates of what measuring adds. */
typedef struct eg_measure_work {
    double forward; /**< operations of a prediction of one example */
    double phases;
    double examples; /**< training examples of all phases, every presentation */
} eg_measure_work;

typedef struct eg_measure_kind {
    eg_component component;
    /** Place among the measures that `default` stands for, from 1; 0: only on request. Variables
     * are recorded in this order, those on request after them. */
    unsigned order;
    bool required;                       /**< recorded whatever `measures` says */
    bool wants_nll;                      /**< looks at eg_evaluation.nll */
    const eg_variable *const *variables; /**< NULL-terminated */
    size_t size;                         /**< of the object, which begins zero */
    const eg_measure_ops *ops;
    /** Optional: what the trial does not have and the measure needs, for "… needs WHAT"; NULL:
     *  nothing. */
    const char *(*lacks)(const eg_measure_scope *scope);
    /** Optional: whether `default` stands for it where it lacks nothing. */
    bool (*by_default)(const eg_measure_scope *scope);
    /** Optional: whether a variable is recorded; else all are. */
    bool (*records)(const eg_measure_scope *scope, const eg_variable *variable);
    /** Optional: fills the object and declares its curves. `view` is inside the measure's settings;
     * NULL if it is there without being named, and has its defaults. On failure it is cleared. */
    eg_status (*open)(eg_measure *measure, const eg_view *view);
    /** Optional, of those that are there only if named: the operations of its own, about. */
    double (*flops)(const eg_view *view, const eg_measure_work *work);
} eg_measure_kind;

extern const eg_family eg_measure_family;

/** Measures that are too large to be recorded without being asked for: matrices of so many
 *  tasks. */
enum { EG_MANY_TASKS = 1000 };

/** Declares a curve of the measure; dimensions eval, task, train_task, eval_task, layer, epoch and
 * mega_batch (from 0) have the lengths of the trial, others `length`. */
eg_status eg_measure_declare(const eg_measure *measure, const eg_variable *variable, size_t length,
                             eg_array **out) EG_WARN_UNUSED;
/** Copies accuracies into row `row` of an array over (…, task). */
void eg_measure_set_tasks(const eg_measure *measure, eg_array *array, size_t row,
                          const double *accuracy);

/** Whether setting `measures` chooses a kind. */
bool eg_measure_is_chosen(const eg_measure_kind *kind, const eg_measure_scope *scope);
/** The kinds that setting `measures` chooses, in the order of their variables: *count of them, in a
 * list of the caller's (eg_free). EG_INVALID if one lacks something. */
eg_status eg_measures_list(const eg_measure_kind ***out, size_t *count,
                           const eg_measure_scope *scope) EG_WARN_UNUSED;
/** The operations that those which setting `measures` chooses add to a trial. */
double eg_measures_flops(const eg_measure_scope *scope, const eg_measure_work *work);
/** Whether a kind records a variable of its own. */
bool eg_measure_records(const eg_measure_kind *kind, const eg_measure_scope *scope,
                        const eg_variable *variable);

/** The measures of one trial. */
typedef struct eg_measures {
    eg_measure_setup setup;
    size_t count;
    eg_measure **items;   /**< owned */
    bool wants_nll;       /**< one of them does */
    size_t step_count;    /**< those with a step hook, */
    eg_measure **stepped; /**< in the order of `items` */
} eg_measures;

/** Opens those that the settings choose; *out must stay where it is. On failure it is closed. */
eg_status eg_measures_init(eg_measures *out, const eg_measure_setup *setup) EG_WARN_UNUSED;
void eg_measures_clear(eg_measures *measures);
eg_status eg_measures_begin_trial(const eg_measures *measures) EG_WARN_UNUSED;
eg_status eg_measures_begin_phase(const eg_measures *measures, const eg_moment *now) EG_WARN_UNUSED;
eg_status eg_measures_step(const eg_measures *measures, const eg_moment *now, const eg_batch *batch,
                           const eg_step_outcome *outcome) EG_WARN_UNUSED;
eg_status eg_measures_evaluation(const eg_measures *measures, const eg_moment *now,
                                 const eg_evaluation *evaluation) EG_WARN_UNUSED;
eg_status eg_measures_end_phase(const eg_measures *measures, const eg_moment *now) EG_WARN_UNUSED;
/** All scalars, the objective last. */
eg_status eg_measures_end_trial(const eg_measures *measures, const eg_moment *now) EG_WARN_UNUSED;
/** False: no measure has another value of `name` on the data that select than what is recorded. */
bool eg_measures_selecting(const eg_measures *measures, const char *name, double *out);
void eg_measures_write(const eg_measures *measures, eg_writer *writer);
/** Into measures just opened from the same settings. EG_INVALID if it does not fit. */
eg_status eg_measures_read(const eg_measures *measures, eg_reader *reader) EG_WARN_UNUSED;

/** Evaluations that a record holds: one that diverged or paused leaves the rest of its axis
 *  empty. */
size_t eg_measure_evaluations(const eg_record *record);

#endif
