/** When measures look at the outputs of hidden units, and how they get them.
 *
 *  A look is made before each phase, or before every so many examples, by cursor and workspaces of
 *  its own and in modes that move nothing, so that nothing of what is learned depends on it. All
 *  networks of the learner are looked at, through one or several views:
 *
 *      examples   the next ones of the stream in its own order; or some drawn among all training
 *                 examples of the phase's task whose class was not active in the phase before
 *                 (`new`), or of the task before, as the dataset has them (`previous`)
 *      norm       by running statistics, or by those of the examples shown together
 *
 *  What the first view sees has a variable's plain name, the others add theirs to it. */
#ifndef METRIC_HIDDEN_LOOKS_H
#define METRIC_HIDDEN_LOOKS_H

#include "engram/measure.h"
#include "engram/units.h"

enum {
    EG_LOOK_RUNNING = 1, /**< the second choice of normalisation: running statistics */
    EG_LOOK_PREVIOUS = 2,
    EG_LOOK_VIEWS = 4 /**< the first view is 0, others are sums of these */
};

/** Expands ENTRY(view, "_suffix", "words about it") for every view. */
#define EG_LOOK_EACH_VIEW(ENTRY)                                                                   \
    ENTRY(0, "", "")                                                                               \
    ENTRY(1, "_running", "; by running statistics")                                                \
    ENTRY(2, "_previous", "; examples of the task before")                                         \
    ENTRY(3, "_previous_running", "; examples of the task before, by running statistics")

/** Names of settings `data` and `norm`. */
extern const char *const eg_look_data_names[];
extern const char *const eg_look_norm_names[];

/** Rows of a parameter table. */
#define EG_HIDDEN_LOOKS_PARAMS                                                                     \
    {.name = "examples",                                                                           \
     .type = EG_TYPE_INT,                                                                          \
     .default_text = "2000",                                                                       \
     .min = 1,                                                                                     \
     .max = 1e6,                                                                                   \
     .doc = "training examples of a look",                                                         \
     .added_later = true},                                                                         \
        {.name = "every",                                                                          \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "0",                                                                      \
         .min = 0,                                                                                 \
         .max = 1e12,                                                                              \
         .unit = "examples",                                                                       \
         .doc = "a look before every so many examples; 0: before each phase",                      \
         .added_later = true},                                                                     \
        {.name = "data",                                                                           \
         .type = EG_TYPE_NAME,                                                                     \
         .default_text = "coming",                                                                 \
         .names = eg_look_data_names,                                                              \
         .doc =                                                                                    \
             "coming: the examples that come next, in their order, as training sees them; new: "   \
             "drawn from all training examples of the phase's new classes, not augmented; "        \
             "new_and_previous: these, and such of the task before",                               \
         .added_later = true},                                                                     \
        {.name = "norm",                                                                           \
         .type = EG_TYPE_NAME,                                                                     \
         .default_text = "running",                                                                \
         .names = eg_look_norm_names,                                                              \
         .doc = "batch normalisation by running statistics, by those of the examples shown "       \
                "together, or once with each",                                                     \
         .added_later = true},                                                                     \
    {                                                                                              \
        .name = "together", .type = EG_TYPE_INT, .default_text = "0", .min = 0, .max = 1e6,        \
        .unit = "examples",                                                                        \
        .doc = "norm = batch: at most so many examples are shown together, in parts of about the " \
               "same size; 0: as many as a training minibatch has",                                \
        .added_later = true                                                                        \
    }

typedef struct eg_hidden_looks {
    const eg_measure_setup *setup; /**< borrowed */
    size_t examples;               /**< of a look, at most: there may be fewer */
    size_t every;                  /**< 0: before each phase */
    bool draws;                    /**< not those that come next */
    bool by_batch;                 /**< the first view is normalised by the examples themselves */
    unsigned views;                /**< mask: bit v is view v */
    size_t together;               /**< see the settings; not 0 */
    size_t count;                  /**< looks of a trial: the length of the axis `look` */
    size_t next;        /**< looks up to here were made, or there was no step before them */
    size_t phase_start; /**< steps before the phase */
    eg_cursor *cursor;
    size_t networks;          /**< at the last look; at first: when it was opened */
    size_t workspaces;        /**< when it was opened */
    eg_workspace **workspace; /**< [workspaces] */
    size_t capacity;          /**< rows of a forward */
    eg_real *x;               /**< [capacity, features] rows gathered for one forward */
    uint32_t *order;          /**< [most training examples of a task] */
    bool *known;              /**< [outputs] active in the phase before */
} eg_hidden_looks;

/** eg_measure_kind.records of a measure of this name that has `variables` [EG_LOOK_VIEWS, count]:
 *  those of views that there are not are not recorded, any others are. */
bool eg_hidden_looks_records(const eg_measure_scope *scope, const char *measure,
                             const eg_variable *variables, size_t count,
                             const eg_variable *variable);

/** eg_measure_kind.lacks: layers and their units have the same sizes for the whole trial. */
const char *eg_hidden_looks_lack(const eg_measure_scope *scope);
/** `view`: the measure's settings, with EG_HIDDEN_LOOKS_PARAMS. On failure it is cleared.
 * EG_INVALID if `data` asks for examples of tasks and the stream has none for each phase. */
eg_status eg_hidden_looks_init(eg_hidden_looks *out, const eg_measure *measure,
                               const eg_view *view) EG_WARN_UNUSED;
void eg_hidden_looks_clear(eg_hidden_looks *looks);

/** Whether there is view number `view`. */
bool eg_hidden_looks_has(const eg_hidden_looks *looks, unsigned view);

/** Operations of all looks at one network: their forwards through every view. */
double eg_hidden_looks_flops(const eg_view *view, const eg_measure_work *work);

/** Called from the hooks begin_phase and step: whether a look is due, which, and with which
 * minibatch of the phase the examples that come next begin. */
bool eg_hidden_looks_due(eg_hidden_looks *looks, const eg_moment *now, bool begins_phase,
                         size_t *look, size_t *first);
/** Network `index` of the learner. */
const eg_net *eg_hidden_looks_net(const eg_hidden_looks *looks, size_t index);
/** Shows the observer the hidden outputs of network `index` for the examples of a look through a
 * view, block after block in their order; how many there were: none of the task before the first
 * one. */
size_t eg_hidden_looks_show(eg_hidden_looks *looks, size_t index, unsigned view, size_t phase,
                            size_t first, const eg_unit_observer *observer);

/** For checkpoints. */
void eg_hidden_looks_write(const eg_hidden_looks *looks, eg_writer *writer);
eg_status eg_hidden_looks_read(eg_hidden_looks *looks, eg_reader *reader) EG_WARN_UNUSED;

#endif
