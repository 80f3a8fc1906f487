/** The state of one running trial, shared by the files of this room. */
#ifndef ENGRAM_TRIAL_TRIAL_STATE_H
#define ENGRAM_TRIAL_TRIAL_STATE_H

#include "engram/measure.h"
#include "engram/metric.h"
#include "engram/trial.h"
#include "trial/evaluation.h"
#include "trial/outline.h"
#include "trial/protocol.h"

/** What is still to be done after the last minibatch. Values are stored in checkpoints. */
typedef enum eg_pending {
    EG_PENDING_NOTHING = 0,
    EG_PENDING_EVALUATION = 1,
    EG_PENDING_PHASE_END = 2, /**< the learner's end_phase, and then the evaluation */
    EG_PENDING_EPOCH_END = 3, /**< the learner's end_epoch, and then what follows from its answer */
    EG_PENDING_LAST_EPOCH = 4, /**< the evaluation of the phase's last epoch, and then its end */
} eg_pending;

typedef struct eg_trial_state {
    eg_outline outline;
    eg_selection selection;
    const char *objective;
    eg_eval_tasks eval_tasks;
    size_t eval_every;  /**< 0: phase ends only */
    size_t eval_epochs; /**< also after so many epochs of a phase; 0: not. One of both is 0 */
    bool untrained;     /**< evaluates before the first minibatch too */
    eg_stream *stream;
    eg_cursor *cursor; /**< of minibatches and evaluations */
    eg_learner *learner;
    eg_evaluator evaluator;
    eg_record *record;
    eg_measures measures;
    eg_window losses;
    uint32_t *epochs;  /**< [phases] made, or at most where the phase has not ended */
    size_t steps;      /**< minibatches in all, if no further phase ends early */
    size_t evals;      /**< evaluations at most: the length of their axis */
    size_t step, eval; /**< done */
    size_t phase;
    size_t phase_step; /**< minibatches done in it */
    eg_pending pending;
    size_t examples_seen;
    size_t examples_evaluated; /**< in finished evaluations */
    double train_seconds, evaluation_seconds;
    double max_seconds; /**< of training, after which no minibatch begins; 0: no limit */
    eg_poll poll;       /**< NULL: nobody stops it */
    void *user;
    eg_status (*trace)(void *user, const eg_traced_step *step); /**< NULL: nobody is told */
    void *trace_user;
    eg_weights *initial; /**< NULL: it initialises its own */
    uint64_t seed;
    eg_trial_seeds seeds;            /**< by purpose */
    const eg_dataset *dataset;       /**< borrowed from the cache; NULL: the stream makes its own */
    eg_checkpointing *checkpointing; /**< NULL: no checkpoints */
    size_t until;                    /**< pauses after this evaluation; 0: does not */
    uint64_t id;                     /**< of the trial, where there are checkpoints */
    uint64_t data;                   /**< the dataset's checksum */
    eg_writer checkpoint;
    double saved, save_cost; /**< when, and how long it took */
    eg_progress progress;
    eg_profile *profile; /**< NULL: not measured */
} eg_trial_state;

/** Opens stream and learner of a trial and declares its curves, in a state that is zero but for
 * options. It is closed after a failure, too. */
eg_status eg_trial_state_init(eg_trial_state *state, const eg_settings *settings, uint64_t seed,
                              eg_dataset_cache *cache) EG_WARN_UNUSED;
void eg_trial_state_clear(eg_trial_state *state);

/** EG_INVALID if the settings count evaluations in two ways. */
eg_status eg_trial_check_schedule(const eg_view *root) EG_WARN_UNUSED;
/** Counts all minibatches and evaluations of the stream, with all epochs of every phase. */
eg_status eg_trial_count(eg_trial_state *state) EG_WARN_UNUSED;
/** Minibatches of a phase, in the epochs that were or will be made. */
size_t eg_trial_phase_steps(const eg_trial_state *state, size_t phase);
/** All evaluations, if no further phase ends early. */
size_t eg_trial_count_evaluations(const eg_trial_state *state);
/** The phase under way ends with the epoch that was just made. */
void eg_trial_end_early(eg_trial_state *state);
/** An evaluation belongs after the last minibatch: so many were made, or the phase ended. */
bool eg_trial_evaluation_due(const eg_trial_state *state);
/** One belongs after the last epoch, besides the one at the end of the phase. */
bool eg_trial_last_epoch_due(const eg_trial_state *state);
/** Puts the trial after minibatch `phase_step` (1, 2, …) of `phase`, or with 0 before a phase that
 * was stopped as it began, with `epochs` filled up to there. EG_INVALID if there is no such place,
 * or nothing there that could be pending. */
eg_status eg_trial_seek(eg_trial_state *state, uint64_t phase, uint64_t phase_step,
                        unsigned pending) EG_WARN_UNUSED;
/** Asks the poll of the trial (its state as a void *) whether to go on. */
bool eg_trial_wanted(void *state);

/** Gives what the learner is now to `take`, `begun` or `learned` of the options; NULL: nobody. */
eg_status eg_trial_give(eg_trial_state *state,
                        eg_status (*take)(void *user, const eg_predictor *predictor),
                        void *user) EG_WARN_UNUSED;

/** Where the trial stands now, for measures. */
eg_moment eg_trial_moment(const eg_trial_state *state);
/** Evaluates and tells the measures, which fill the next place of the axis `eval`. `phase_end`: of
 *  what the learner leaves behind; the last of a trial covers all tasks. */
eg_status eg_trial_evaluate(eg_trial_state *state, bool phase_end) EG_WARN_UNUSED;
/** Evaluates all tasks before anything is learned. */
eg_status eg_trial_evaluate_untrained(eg_trial_state *state) EG_WARN_UNUSED;

#endif
