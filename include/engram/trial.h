/** One trial: from settings and a seed to a record. Knows neither MPI nor files of results. */
#ifndef ENGRAM_TRIAL_H
#define ENGRAM_TRIAL_H

#include "engram/batch.h"
#include "engram/dataset.h"
#include "engram/predictor.h"
#include "engram/profile.h"
#include "engram/record.h"
#include "engram/settings.h"
#include "engram/stream.h"

/** Changes whenever the same settings and seed may give other results; part of every trial's id. */
#define EG_RESULT_VERSION 3

/** Everything that can be set: the root of all settings. */
const eg_schema *eg_trial_schema(void);

/** Adds a component from outside to family "activation", "optimizer" or "schedule" of the schema,
 *  until the process ends: descriptors are borrowed for as long. `origin`, not 0, is the hash of
 *  where it comes from, and becomes part of the ids of trials that use it. Not thread safe;
 *  settings resolved before stay valid. Errors: EG_INVALID if the name exists, or there are too
 *  many. */
eg_status eg_trial_add_component(const char *family, const eg_component *component,
                                 uint64_t origin) EG_WARN_UNUSED;
/** The origin that a component was added with; 0: it is built in. */
uint64_t eg_trial_origin(const eg_component *component);

/** Every variable a trial of these settings records (measures, learner): a list of *count borrowed
 * declarations, NULL-terminated; the list itself is the caller's (eg_free). */
eg_status eg_trial_variables(const eg_variable ***out, size_t *count,
                             const eg_settings *settings) EG_WARN_UNUSED;

/** Is this one of them? */
bool eg_trial_records(const eg_settings *settings, const eg_variable *variable);

/** Whether setting `measures` asks for something that `record`, of an earlier run of the same
 * trial, does not have: what measures that it names record. `record` NULL: whether it names any but
 * `default` at all. */
bool eg_trial_lacks(const eg_settings *settings, const eg_record *record);

/** The variable called `name` among all that any trial can record, or NULL. */
const eg_variable *eg_trial_variable(const char *name);

/** Content id: hash of the canonical settings, the order of examples in a file that they name, the
 * seed and EG_RESULT_VERSION. */
eg_status eg_trial_id(uint64_t *out, const eg_settings *settings, uint64_t seed) EG_WARN_UNUSED;
/** The ids [count] of the same settings with each of these seeds. `orders`: of the trials before;
 * it learns files that are not in it. */
eg_status eg_trial_ids(uint64_t *out, const eg_settings *settings, const uint64_t *seeds,
                       size_t count, eg_stream_orders *orders) EG_WARN_UNUSED;

/** The seeds that a trial draws from. With setting `seeding` = one both are the trial's. With
 *  order_init the trial's seed is the number of a pair, by Cantor's pairing
 *  (o + i)(o + i + 1)/2 + i, so that the order of the data and the initial weights can be varied
 *  apart. */
typedef struct eg_trial_seeds {
    uint64_t order; /**< of what the stream draws: orders of tasks, classes and examples, … */
    uint64_t init;  /**< of what the learner draws: initial weights, dropout, noise, … */
} eg_trial_seeds;
/** The largest of either: the number of every pair is below 2^53, exact in every language. */
enum { EG_PAIRED_SEED_MAX = (1 << 26) - 1 };
/** The number of a pair. */
uint64_t eg_trial_seed_of(const eg_trial_seeds *seeds);
eg_trial_seeds eg_trial_seeds_of(const eg_settings *settings, uint64_t seed);

/** Whether a setting can matter to the trial: its learner and its stream look at it. Others are
 * part of the id all the same. */
bool eg_trial_uses(const eg_settings *settings, const char *name);
/** Whether all of them can. */
bool eg_trial_uses_all(const eg_settings *settings);
/** Whether the trial reads the dataset: some streams make their examples themselves. */
bool eg_trial_reads_data(const eg_settings *settings);

/** Estimated floating-point operations of the whole trial, with its evaluations and the looks of
 * measures at hidden units; a guide for order and time. */
eg_status eg_trial_cost(double *out, const eg_settings *settings) EG_WARN_UNUSED;

/** What a trial takes, from a few of its minibatches, some blocks of an evaluation and (parts of)
 * the beginning and the end of a phase. Seconds are processor time of this thread, so other
 * programs disturb little. */
typedef struct eg_trial_timing {
    double seconds;    /**< the whole trial, the sum of: */
    double setup;      /**< network, stream, record */
    double training;   /**< all minibatches */
    double evaluation; /**< all evaluations */
    /** What the learner does when phases begin, such as growth, if it takes long. */
    double phase_begins;
    double epoch_ends;  /**< what the learner does at the ends of epochs, such as scoring them */
    double phase_ends;  /**< what the learner does at the ends of phases, such as importances */
    size_t steps;       /**< minibatches of the trial */
    size_t evaluations; /**< of the trial */
} eg_trial_timing;

/** Measures for about `budget` seconds (a single minibatch may take longer). The dataset comes from
 * the cache, and its opening is not counted. Errors as in eg_trial_run. */
eg_status eg_trial_time(eg_trial_timing *out, const eg_settings *settings, eg_dataset_cache *cache,
                        double budget) EG_WARN_UNUSED;

/** Refuses settings that resolve but cannot work together (lwta groups that do not divide the
 * layer, a partition with classes the dataset does not have), without opening data. */
eg_status eg_trial_check(const eg_settings *settings) EG_WARN_UNUSED;

/** Where a running trial stands. */
typedef struct eg_progress {
    size_t step, steps; /**< minibatches done, in all */
    size_t phase, phases;
    double loss;             /**< running mean of the training loss */
    double accuracy;         /**< last evaluation, NaN before the first */
    bool evaluated;          /**< an evaluation just finished */
    const eg_record *record; /**< so far */
} eg_progress;

/** Called after every minibatch, and every few evaluation blocks; return false to stop the trial at
 * once. */
typedef bool (*eg_poll)(void *user, const eg_progress *progress);

/** Checkpoints: what a trial is between two minibatches, as bytes, from which a later attempt goes
 *  on. A trial that was continued, however often, leaves the same record as one that was not, bit
 *  for bit except for times and memory; train_seconds and evaluation_seconds are of all attempts
 *  together, without what was lost.
 *
 *  A checkpoint belongs to one trial (eg_trial_id), one EG_RESULT_VERSION, one compiler, one BLAS
 *  build and kernel and the dataset's content: bits are promised for one kind of processor only, so
 *  a trial begun on another one is refused, as is a damaged checkpoint (CRC-32C over everything). A
 *  refused one costs the work in it and nothing else: the caller runs the trial from its
 *  beginning. */
typedef struct eg_checkpointing {
    const void *from; /**< a checkpoint to go on from; NULL: from the beginning */
    size_t from_size;
    /** Seconds between checkpoints; at the end of a phase a sixth of them suffices. Saving takes a
     *  hundredth of the time at most: where it is slow there are fewer. 0: only when the trial is
     *  stopped. Results do not depend on it. */
    double every;
    /** Required. Keeps a checkpoint, which replaces earlier ones. Its status is EG_MEMORY if there
     *  was too little for it. Called every so often and, whatever `every` is, when the trial pauses
     *  or poll has stopped it after its first minibatch. */
    void (*save)(void *user, const eg_writer *checkpoint);
    /** Save takes the checkpoint as eg_writer_parts: large arrays are not copied for it. */
    bool takes_parts;
    /** NULL, or told that `from` was accepted and `step` minibatches of `steps` need not be made
     *  again. */
    void (*continued)(void *user, size_t step, size_t steps);
    void *user;   /**< of save and continued */
    bool refused; /**< out: eg_trial_run failed because `from` cannot be used */
} eg_checkpointing;

/** The checkpoint in the file at `path`, in *out (eg_free), *size bytes; NULL if there is no such
 *  file. Its checksum is verified before memory is asked for, so that a file of any size that is
 *  none costs none. Errors: EG_INVALID if it is damaged, no checkpoint or no regular file;
 *  EG_SYSTEM; EG_MEMORY. */
eg_status eg_checkpoint_load(unsigned char **out, size_t *size, const char *path) EG_WARN_UNUSED;

/** A minibatch that was just learned. */
typedef struct eg_traced_step {
    size_t step;         /**< minibatches of the trial, this one included */
    size_t phase, epoch; /**< from 0 */
    double loss;         /**< its mean loss, before the update; may be not finite */
    const eg_batch *batch;
} eg_traced_step;

/** What running a trial needs besides the trial itself. */
typedef struct eg_trial_options {
    const char *objective; /**< required: summary variable that selects, e.g. "final_accuracy" */
    eg_poll poll;          /**< NULL: the trial runs to its end */
    void *user;            /**< of poll */
    eg_profile *profile;   /**< filled with where the time went after set-up; NULL: not measured */
    eg_checkpointing *checkpointing; /**< NULL: no checkpoints */
    /** NULL, or told of every minibatch; a failure is the trial's. */
    eg_status (*trace)(void *user, const eg_traced_step *step);
    void *trace_user;
    /** What it begins with instead of initial weights (engram/weights.h); NULL: with those. A
     * checkpoint to go on from takes their place. */
    eg_weights *initial;
    /** NULL, or gets what the trial predicts with: `begun` before the first minibatch (not in a
     * trial that goes on from a checkpoint), `learned` when it is done. A failure is the
     * trial's. */
    eg_status (*begun)(void *user, const eg_predictor *predictor);
    eg_status (*learned)(void *user, const eg_predictor *predictor);
    void *learned_user; /**< of both */
    /** Pauses after this evaluation (from 1), with a last checkpoint, unless it is the last one; 0:
     *  runs to the end. A later checkpoint is refused. */
    size_t until;
} eg_trial_options;

/** Evaluations that a record holds: one that diverged or paused leaves the rest of its axis
 *  empty. */
size_t eg_trial_evaluations(const eg_record *record);

/** Examples that a predictor was asked about. */
typedef struct eg_predicted {
    eg_subset subset;
    size_t task;
    const eg_batch *batch;
    const eg_real *scores; /**< [rows, outputs] (eg_batch_rows) */
    size_t outputs;
} eg_predicted;

/** How a predictor does on one subset. */
typedef struct eg_prediction {
    size_t tasks;
    size_t *examples; /**< [tasks] */
    double *accuracy; /**< [tasks] share of rows correct; NaN without examples */
    uint64_t data;    /**< the dataset's checksum; 0: the stream makes its own */
    double overall;   /**< of all examples together; NaN without examples */
} eg_prediction;

/** Predicts the tasks of a subset with the predictor's weights, as a trial of these settings and
 * its seed does at its end; tasks that permute pixels have the predictor's order. *out:
 * eg_prediction_clear. `seen` (NULL: nobody) is told of every block, task by task; a failure ends
 * it. Errors as of eg_trial_run, and of eg_learner_set_weights. */
eg_status eg_trial_predict(eg_prediction *out, const eg_settings *settings, eg_dataset_cache *cache,
                           eg_predictor *predictor, eg_subset subset,
                           eg_status (*seen)(void *user, const eg_predicted *block),
                           void *user) EG_WARN_UNUSED;
void eg_prediction_clear(eg_prediction *prediction);

/** What is to be drawn from a predictor of sequences, output by output: what was drawn is the input
 *  of the next position. */
typedef struct eg_sampling {
    const uint32_t *prompt; /**< [prompt_count] what is read before; at least one */
    size_t prompt_count;
    size_t count;
    size_t symbols;     /**< the first so many outputs are chosen from */
    double temperature; /**< scores are divided by it before the softmax; 0: the largest score */
} eg_sampling;

/** EG_INVALID, naming both, unless stream and dataset have examples of several positions and a
 *  vocabulary. */
eg_status eg_trial_check_sampling(const eg_settings *settings) EG_WARN_UNUSED;

/** Draws out [how->count]. Randomness is keyed by the predictor's seed and the number of the
 *  output. Prompt and what was drawn are read in a window of the positions of an example, of which
 *  the oldest leave when it is full. Errors as of eg_trial_predict. */
eg_status eg_trial_sample(uint32_t *out, const eg_settings *settings, eg_dataset_cache *cache,
                          eg_predictor *predictor, const eg_sampling *how) EG_WARN_UNUSED;

/** Runs a trial. No pointer may be NULL, except for those of the options that say what NULL means;
 * a required one that is gives EG_INVALID. *out is a record with status done, diverged, timeout or
 * paused: after the last two curves end there, and what is only known at the end is NaN. Errors:
 * what the data or the system did (EG_INVALID, EG_SYSTEM, EG_MEMORY), a checkpoint that was
 * refused, EG_STOPPED when poll said so; then *out is NULL. */
eg_status eg_trial_run(eg_record **out, const eg_settings *settings, uint64_t seed,
                       eg_dataset_cache *cache, const eg_trial_options *options) EG_WARN_UNUSED;

#endif
