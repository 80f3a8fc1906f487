/** Sweep files and plans: from YAML to points × seeds = trials, validated before anything runs. */
#ifndef ENGRAM_SWEEP_H
#define ENGRAM_SWEEP_H

#include "engram/params.h"
#include "engram/record.h"
#include "engram/settings.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_PLAN_TRIALS_MAX = 10000000, EG_PLAN_POINTS_MAX = 1000000 };

/** One combination of settings. */
typedef struct eg_point {
    eg_settings *settings; /**< owned */
    double cost;           /**< eg_trial_cost */
} eg_point;

/** One point with one seed. */
typedef struct eg_plan_trial {
    uint64_t id;    /**< content id */
    uint32_t point; /**< index into points */
    uint32_t replicate;
    uint64_t seed;
} eg_plan_trial;

/** Which part of the sweep a trial belongs to. Values are stored in files: never renumber. */
typedef enum eg_stage {
    EG_STAGE_EARLIER = 0, /**< none any more: the sweep was edited since */
    EG_STAGE_FIRST = 1,   /**< the seeds that every point gets, and that choose */
    EG_STAGE_SECOND = 2, /**< further seeds of the points that `select` chose: they chose nothing */
} eg_stage;
#define EG_STAGE_COUNT 3

/** How a trial ended, as far as rules need to know; the caller keeps one per plan trial. */
enum { EG_RUNGS_MAX = 12 };
typedef struct eg_outcome {
    uint8_t status;           /**< eg_trial_status */
    bool lacks_measures;      /**< done or diverged, but without what `measures` asks for now */
    uint8_t rungs;            /**< that it has come to, with a rule that looks into trials … */
    uint32_t evaluations;     /**< … the evaluations it has … */
    float rung[EG_RUNGS_MAX]; /**< … and how it did at the rungs; see eg_plan_measure */
    float mean[EG_RUNGS_MAX]; /**< … and on the way there, with the rule `median` */
    uint32_t improved;        /**< evaluation of the last improvement, with the rule `patience` */
    double objective;         /**< NaN until finished */
    double reported; /**< the objective's variable as recorded, on test data; NaN likewise */
} eg_outcome;

typedef struct eg_plan eg_plan;
struct eg_peer;

/** What a rule says of a point: replicates below `cleared` may run, those from `keep` on are
 *  skipped, and those between wait for a decision. */
typedef struct eg_verdict {
    size_t cleared; /**< SIZE_MAX: all */
    size_t keep;    /**< SIZE_MAX: no cut */
} eg_verdict;

/** How far a trial may run, as far as is known. */
typedef struct eg_budget {
    bool out;     /**< it stops where it is */
    bool waits;   /**< for others, where it is */
    size_t until; /**< otherwise: evaluations that it may go on to, 0: to its end */
} eg_budget;

/** A rule that cuts weak points; decided by replicate index, so independent of order. It looks at a
 *  point by itself (`needs` and `look`), compares points (`judge` and `compares`) or trials at
 *  evaluations on their way (`measure`, `budget` and `compares`); what it has not is NULL. A cut,
 *  once decided, must stay decided whatever the other outcomes turn out to be. */
typedef struct eg_stop_kind {
    eg_component component;
    /** Replicates the rule needs to see of every point before it can decide: those are run
     *  first. */
    size_t (*needs)(const double *p);
    /** The verdict on ONE point, given its outcomes by replicate [count] (pending ones have status
     * pending). `sign` is +1 when large objectives are good, -1 otherwise. */
    eg_verdict (*look)(const double *p, double sign, const eg_outcome *replicates, size_t count);
    /** The verdict on `point`, given the outcomes of all trials. */
    eg_verdict (*judge)(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t point);
    /** outcome->rungs and `rung` from the curves of a trial, outcome->status and `evaluations`. */
    void (*measure)(const double *p, const eg_record *record, eg_outcome *outcome);
    /** How far a first-stage trial may run, given the outcomes of all trials. */
    eg_budget (*budget)(const double *p, const eg_plan *plan, const eg_outcome *outcomes,
                        size_t trial);
    /** The same for all trials that it is compared with, itself included, in the order of their
     *  points; how many. */
    size_t (*peers)(const double *p, const eg_plan *plan, const eg_outcome *outcomes, size_t trial,
                    struct eg_peer *out);
    /** What is left of the first stage's work, as a share, when the rule cuts as much as it may
     *  (*least) and as little (*most). `evaluations`: of a trial. Points count the same; none has
     *  failed. */
    void (*bounds)(const double *p, const eg_plan *plan, size_t evaluations, double *least,
                   double *most);
    /** Refuses plans that the rule has no meaning for. */
    eg_status (*check)(const eg_plan *plan);
    /** Whether the verdict on one of two points, or on their trials, depends on the other. */
    bool (*compares)(const double *p, const eg_plan *plan, size_t a, size_t b);
} eg_stop_kind;

extern const eg_family eg_stop_family;

enum { EG_STOP_MAX = 4, EG_STOP_PARAMS_MAX = 4 };
typedef struct eg_stop_rule {
    const eg_stop_kind *kind;
    double p[EG_STOP_PARAMS_MAX];
} eg_stop_rule;

struct eg_plan {
    char *name, *doc;
    char *path;      /**< of the sweep file */
    char *text;      /**< the sweep file's text, includes expanded in order */
    char *overrides; /**< "name=value\n…" from the command line, "" if none */
    eg_point *points;
    size_t point_count;
    /** order of the plan: replicate 0 of every point, then replicate 1 …; with a space all
     *  replicates of point 0, then of point 1 … */
    eg_plan_trial *trials;
    size_t trial_count, trial_capacity;
    size_t first_count; /**< of them, those of the first stage: (replicate, point) ascending; with a
                             space (point, replicate) */
    size_t slice, slice_count; /**< which part of how many this is, from 1; 0: the whole sweep */
    uint64_t *seeds;           /**< by replicate */
    size_t seed_count;
    char **swept; /**< dotted names that take more than one value, over the points that have them */
    size_t swept_count;
    char *objective; /**< summary variable */
    bool maximise;
    eg_stop_rule stop[EG_STOP_MAX];
    size_t stop_count;
    size_t select_best;     /**< second stage: this many best points … 0: none */
    uint64_t *select_seeds; /**< … run these further seeds */
    size_t select_seed_count;
    bool selected;     /**< the second stage's trials are in `trials` */
    size_t duplicates; /**< points that several blocks or alternatives gave, counted once */
    size_t excluded;   /**< points removed by `exclude` or left out by `only` */
    char **warnings;   /**< written to results, too */
    size_t warning_count;
    char **notes; /**< how the sweep file was read, where that may surprise */
    size_t note_count;
    /** Points before the baselines, which come last: rules and `select` look at these alone. */
    size_t compared_count;
    /** Trials that may fail or time out before the sweep ends; 0: any number. */
    double max_failures;
    bool max_failures_percent; /**< it is a share of all trials, in per cent */
    struct eg_space *space; /**< where points are suggested: see engram/space.h; NULL: it has all */
    size_t suggestions;     /**< … so many in all, … */
    size_t batch;           /**< … so many at a time */
};

/** Reads, validates and expands a sweep file; "-" is standard input (files it names are then
 *  relative to the working directory). `overrides`: "name=value" arguments, applied to every point
 *  (an override of a swept name replaces its values); also seeds=N, name=…, only={…}. Errors:
 *  EG_INVALID with file:line:column. Release with eg_plan_free. */
eg_status eg_plan_load(eg_plan **out, const char *path, const char *const *overrides,
                       size_t override_count) EG_WARN_UNUSED;
/** The same from text in memory; `path` is for messages. */
eg_status eg_plan_parse(eg_plan **out, const char *path, const char *text, size_t size,
                        const char *const *overrides, size_t override_count) EG_WARN_UNUSED;
void eg_plan_free(eg_plan *plan);

/** Replicates of `point` that the stopping rules leave, given the outcomes of all trials; SIZE_MAX:
 * all. */
size_t eg_plan_keep(const eg_plan *plan, const eg_outcome *outcomes, size_t point);

/** The verdict of all rules together; its `keep` is eg_plan_keep. */
eg_verdict eg_plan_judge(const eg_plan *plan, const eg_outcome *outcomes, size_t point);

/** Whether a rule looks into trials: then eg_plan_measure is to be told of every record. */
bool eg_plan_has_rungs(const eg_plan *plan);
/** Takes what that rule has to know of a trial's curves, and their length; outcome->status is how
 *  it stands. */
void eg_plan_measure(const eg_plan *plan, const eg_record *record, eg_outcome *outcome);
/** How far a trial that has not ended may run; in the second stage, and without such a rule, to its
 *  end. */
eg_budget eg_plan_budget(const eg_plan *plan, const eg_outcome *outcomes, size_t trial);

/** The same for all trials whose budget depends on this one's outcome, itself included, at the cost
 *  of few. */
enum { EG_PEERS_MAX = 1000 };
typedef struct eg_peer {
    size_t trial;
    eg_budget budget;
} eg_peer;
/** In the order of their points; how many. 0 unless a rule that looks into trials is the only one,
 *  and `trial` is of the first stage. */
size_t eg_plan_peers(const eg_plan *plan, const eg_outcome *outcomes, size_t trial,
                     eg_peer peers[EG_PEERS_MAX]);

/** What the rules leave of the first stage, as shares of all its work (1 without rules): when they
 *  cut as much as they may, and as little. `evaluations`: of a trial; 0 if unknown, then rules that
 *  look into trials are left out. */
void eg_plan_bounds(const eg_plan *plan, size_t evaluations, double *least, double *most);

/** Whether some rule's verdict on `other` may change with an outcome of `point`; always if they are
 * the same. */
bool eg_plan_compares(const eg_plan *plan, size_t point, size_t other);

/** Keeps slice `slice` (from 1) of `count`: trials are shared out so that all slices cost about the
 * same, always in the same way; every trial is in exactly one slice. With stopping rules all
 * replicates of a point stay together. A slice has no second stage. Call it once, on a fresh plan.
 * Errors: EG_INVALID if there is no such slice, nothing for some slice to do, or a rule that
 * compares points. */
eg_status eg_plan_slice(eg_plan *plan, size_t slice, size_t count) EG_WARN_UNUSED;

/** With so many trials failed or timed out nothing more is to run: what `max_failures` says of the
 *  trials that the plan has now; SIZE_MAX: no limit. */
size_t eg_plan_max_failures(const eg_plan *plan);

/** Trial index of (point, replicate), or SIZE_MAX. */
size_t eg_plan_find(const eg_plan *plan, size_t point, size_t replicate);

/** When every first-stage trial is finished: appends the second stage's trials for the best points
 *  (mean objective over finished replicates, ties by point index, points of which fewer trials were
 *  stopped on their way first; points that a rule has cut do not take part). Does nothing without a
 *  second stage, for a slice or when done before. *added: how many. Deterministic given the
 *  outcomes. */
eg_status eg_plan_select(eg_plan *plan, const eg_outcome *outcomes, size_t *added) EG_WARN_UNUSED;

#endif
