/** The real thing: trials, run by the scheduler's workers. */
#include "sched/worker.h"

#include "engram/blas.h"

static eg_status open_trials(void **state)
{
    eg_dataset_cache *cache = NULL;
    eg_blas_set_threads(1);
    EG_TRY(eg_dataset_cache_create(&cache));
    *state = cache;
    return eg_ok();
}

static eg_status run_trial(void *state, const eg_work *work, eg_record **out, eg_poll poll,
                           void *user)
{
    eg_settings *settings = NULL;
    EG_TRY(eg_settings_parse(&settings, eg_trial_schema(), work->settings));
    const eg_trial_options options = {.objective = work->objective, .poll = poll, .user = user};
    eg_status status = eg_trial_run(out, settings, work->seed, state, &options);
    eg_settings_free(settings);
    return status;
}

static void close_trials(void *state)
{
    eg_dataset_cache_free(state);
}

const eg_runner eg_trial_runner = {
    .open = open_trials,
    .run = run_trial,
    .close = close_trials,
};

eg_status eg_sched_run(eg_world *world, const eg_sched_client *client,
                       const eg_sched_options *options)
{
    return eg_sched_run_with(world, client, options, &eg_trial_runner);
}

eg_status eg_sched_work(eg_world *world, const eg_sched_options *options)
{
    return eg_sched_work_with(world, options, &eg_trial_runner);
}
