/** The real thing: trials, run by the scheduler's workers, and the files of their checkpoints. A
 *  checkpoint that cannot be used costs its work, one that cannot be saved nothing: both are
 *  said. */
#include "sched/worker.h"

#include "engram/blas.h"
#include "engram/file.h"
#include "engram/memory.h"
#include "plugin/shared/plugin_load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static eg_status open_trials(void **state)
{
    eg_dataset_cache *cache = NULL;
    EG_TRY(eg_blas_prepare());
    EG_TRY(eg_dataset_cache_create(&cache));
    *state = cache;
    return eg_ok();
}

/* A trial and the file of its checkpoint. */
typedef struct effort {
    const eg_work *work;
    eg_run_hooks *hooks;
    bool trouble; /* the last checkpoint could not be saved */
} effort;

static eg_status write_checkpoint(const eg_work *work, const eg_writer *checkpoint)
{
    char *directory = NULL;
    char *suffix = NULL;
    eg_file_part *parts = NULL;
    size_t count = 0;
    const char *slash = strrchr(work->checkpoint, '/');
    eg_status status = eg_writer_status(checkpoint);
    EG_TRY_DONE(status, status);
    if (slash != NULL && slash != work->checkpoint) {
        EG_TRY_DONE(status, eg_format(&directory, "%.*s", (int)(slash - work->checkpoint),
                                      work->checkpoint));
        if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
            status = eg_fail_errno(errno, "%s: cannot make the directory", directory);
            goto done;
        }
    }
    /* Two attempts may meet here, one of them given up for lost. */
    EG_TRY_DONE(status, eg_format(&suffix, "%" PRIu32 ".tmp", work->attempt.number));
    EG_TRY_DONE(status, eg_writer_parts(checkpoint, &parts, &count));
    status = eg_replace_file_parts(work->checkpoint, suffix, parts, count, "the checkpoint");
done:
    eg_free(parts);
    eg_free(directory);
    eg_free(suffix);
    return status;
}

static void save(void *user, const eg_writer *checkpoint)
{
    effort *me = user;
    eg_status status = write_checkpoint(me->work, checkpoint);
    bool trouble = status.code != EG_OK;
    me->hooks->saved = me->hooks->saved || !trouble;
    if (trouble && !me->trouble) { /* not every time anew */
        status = eg_status_wrap(status, "its checkpoint could not be saved");
        me->hooks->note(me->hooks->user, true, status.message);
    }
    me->trouble = trouble;
}

static void note_continued(void *user, size_t step, size_t steps)
{
    effort *me = user;
    char text[96];
    (void)snprintf(text, sizeof text, "continued at minibatch %zu of %zu", step, steps);
    me->hooks->note(me->hooks->user, false, text);
}

/* Says why the trial begins anew. */
static void note_refused(effort *me, eg_status why)
{
    why = eg_status_wrap(why, "starts from the beginning, its checkpoint cannot be used");
    me->hooks->note(me->hooks->user, true, why.message);
}

/* Weights that cannot be kept cost nothing but themselves. */
static eg_status keep_weights(void *user, const eg_predictor *predictor)
{
    const effort *me = user;
    eg_status status =
        me->hooks->keep_weights(me->work->weights, me->work->attempt.number, predictor);
    if (status.code != EG_OK) {
        status = eg_status_wrap(status, "its weights could not be kept");
        me->hooks->note(me->hooks->user, true, status.message);
    }
    return eg_ok();
}

static eg_status run_saved(effort *me, const eg_settings *settings, eg_dataset_cache *cache,
                           eg_trial_options *options, eg_record **out)
{
    const eg_work *work = me->work;
    eg_checkpointing checkpointing = {.every = work->checkpoint_every,
                                      .save = save,
                                      .takes_parts = true,
                                      .continued = note_continued,
                                      .user = me};
    unsigned char *from = NULL;
    eg_status loaded = eg_checkpoint_load(&from, &checkpointing.from_size, work->checkpoint);
    if (loaded.code != EG_OK) {
        note_refused(me, loaded);
    }
    if (loaded.code == EG_OK && from == NULL && work->from > 0) {
        note_refused(me, eg_fail(EG_INVALID, "%s does not exist", work->checkpoint));
    }
    checkpointing.from = from;
    me->hooks->saved =
        from != NULL || loaded.code == EG_INVALID; /* what cannot be used has to go, too */
    options->checkpointing = &checkpointing;
    eg_status status = eg_trial_run(out, settings, work->seed, cache, options);
    if (checkpointing.refused) {
        note_refused(me, status);
        checkpointing.from = NULL;
        status = eg_trial_run(out, settings, work->seed, cache, options);
    }
    eg_free(from);
    return status;
}

/* On another host the same path may lead to other files. */
static eg_status check_data(const eg_work *work, const eg_settings *settings,
                            eg_dataset_cache *cache, bool *refused)
{
    eg_view root = eg_settings_root(settings);
    const eg_dataset *dataset = NULL;
    if (work->data == 0 || !eg_trial_reads_data(settings)) {
        return eg_ok();
    }
    EG_TRY(eg_dataset_cache_get(cache, &root, &dataset));
    *refused = dataset->checksum != work->data;
    if (!*refused) {
        return eg_ok();
    }
    return eg_fail(EG_INVALID,
                   "other data than at rank 0: %s has checksum %016" PRIx64 " here and %016" PRIx64
                   " there; every host needs the same files",
                   eg_view_component(&root, "dataset")->name, dataset->checksum, work->data);
}

/* The same holds for plug-ins, without which the settings cannot even be read. */
static eg_status load_plugins(const eg_work *work, bool *refused)
{
    eg_status status = eg_plugin_expect(work->plugins == NULL ? "" : work->plugins);
    *refused = status.code == EG_INVALID;
    return status;
}

static eg_status run_trial(void *state, const eg_work *work, eg_run_hooks *hooks, eg_record **out)
{
    eg_settings *settings = NULL;
    EG_TRY(load_plugins(work, &hooks->refused));
    EG_TRY(eg_settings_parse(&settings, eg_trial_schema(), work->settings));
    eg_trial_options options = {.objective = work->objective,
                                .poll = hooks->poll,
                                .user = hooks->user,
                                .until = work->until};
    effort me = {.work = work, .hooks = hooks};
    if (hooks->keep_weights != NULL && work->weights != NULL && work->weights[0] != '\0') {
        options.learned = keep_weights;
        options.learned_user = &me;
    }
    bool saved = work->checkpoint != NULL && work->checkpoint[0] != '\0';
    eg_status status = check_data(work, settings, state, &hooks->refused);
    EG_TRY_DONE(status, status);
    status = saved ? run_saved(&me, settings, state, &options, out)
                   : eg_trial_run(out, settings, work->seed, state, &options);
done:
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
