/** Evaluating a learner on the tasks of a stream. */
#ifndef ENGRAM_TRIAL_EVALUATION_H
#define ENGRAM_TRIAL_EVALUATION_H

#include "engram/learner.h"
#include "engram/stream.h"
#include "engram/trial.h"

/** Which tasks an evaluation covers. */
typedef enum eg_eval_tasks {
    EG_EVAL_ALL,
    EG_EVAL_SEEN,              /**< tasks of the phases up to the current one */
    EG_EVAL_FIRST_AND_CURRENT, /**< the first task and the current phase's */
    EG_EVAL_CURRENT,           /**< the current phase's task alone */
    EG_EVAL_CURRENT_ONLY,      /**< the same, and of the whole trial nothing else */
} eg_eval_tasks;

/** "all", "seen", "first_and_current", "current", "current_only", NULL. */
extern const char *const eg_eval_tasks_names[];

typedef struct eg_evaluator {
    eg_learner *learner;    /**< borrowed */
    eg_cursor *cursor;      /**< borrowed */
    eg_real *scores;        /**< [block * positions, outputs] */
    double *activity;       /**< [hidden layers] share of active units, mean over examples */
    double *activity_block; /**< [hidden layers] of one block */
    double *accuracy;       /**< [tasks] of the last evaluation, NaN where not evaluated */
    size_t *examples_of;    /**< [outputs] its rows by label, all tasks together */
    size_t *correct_of;     /**< [outputs] those of them classified correctly */
    bool wants_nll;         /**< computes `nll` */
    double nll;             /**< of the last evaluation, see eg_evaluation; NaN if not wanted */
    /** Told of every block; NULL: nobody. */
    eg_status (*seen)(void *user, const eg_predicted *block);
    void *seen_user;
    size_t examples; /**< examples evaluated so far, in all evaluations */
} eg_evaluator;

/** Called between blocks; false: stop. */
typedef bool (*eg_evaluation_poll)(void *user);

eg_status eg_evaluator_init(eg_evaluator *evaluator, eg_learner *learner,
                            eg_cursor *cursor) EG_WARN_UNUSED;
void eg_evaluator_clear(eg_evaluator *evaluator);

/** Fills `accuracy`, `activity`, `nll`, `examples_of` and `correct_of` from the chosen tasks of
 * `subset`; *overall is the share correct of the rows (eg_batch_rows) of all examples together
 * if every task was covered, NaN otherwise. Errors: EG_STOPPED by poll. */
eg_status eg_evaluator_run(eg_evaluator *evaluator, eg_subset subset, eg_eval_tasks tasks,
                           size_t phase, eg_evaluation_poll poll, void *user,
                           double *overall) EG_WARN_UNUSED;

#endif
