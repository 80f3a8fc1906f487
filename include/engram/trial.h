/** One trial: from settings and a seed to a record. Knows neither MPI nor files of results. */
#ifndef ENGRAM_TRIAL_H
#define ENGRAM_TRIAL_H

#include "engram/dataset.h"
#include "engram/profile.h"
#include "engram/record.h"
#include "engram/settings.h"

/** Changes whenever the same settings and seed may give other results; part of every trial's id. */
#define EG_RESULT_VERSION 1

/** Everything that can be set: the root of all settings. */
const eg_schema *eg_trial_schema(void);

/** Every variable a trial of these settings records (core, learner): a list of *count borrowed
 * declarations, NULL-terminated; the list itself is the caller's (eg_free). */
eg_status eg_trial_variables(const eg_variable ***out, size_t *count,
                             const eg_settings *settings) EG_WARN_UNUSED;

/** The variable called `name` among all that any trial can record, or NULL. */
const eg_variable *eg_trial_variable(const char *name);

/** Content id: hash of the canonical settings, the seed and EG_RESULT_VERSION. */
eg_status eg_trial_id(uint64_t *out, const eg_settings *settings, uint64_t seed) EG_WARN_UNUSED;

/** Estimated floating-point operations of the whole trial, evaluation included; a guide for order
 * and time. */
eg_status eg_trial_cost(double *out, const eg_settings *settings) EG_WARN_UNUSED;

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

/** Runs a trial. *out is a record with status done or diverged. Errors: what the data or the system
 * did (EG_INVALID, EG_SYSTEM, EG_MEMORY), EG_STOPPED when poll said so; then *out is NULL.
 *  `objective`: name of the summary variable that selects, e.g. "final_accuracy". */
eg_status eg_trial_run(eg_record **out, const eg_settings *settings, uint64_t seed,
                       const char *objective, eg_dataset_cache *cache, eg_poll poll,
                       void *user) EG_WARN_UNUSED;

/** The same, and fills *profile with where the time went after everything was set up; NULL: no. */
eg_status eg_trial_run_profiled(eg_record **out, const eg_settings *settings, uint64_t seed,
                                const char *objective, eg_dataset_cache *cache, eg_poll poll,
                                void *user, eg_profile *profile) EG_WARN_UNUSED;

#endif
