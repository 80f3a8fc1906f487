/** Weights that stay: NAME.weights beside the results, a file ID.h5 for each finished trial that
 *  its worker writes before it reports the result; rank 0 names them and removes those of beaten
 *  points. */
#include "run/run_parts.h"

#include "base/shared/file_name.h"
#include "engram/build.h"
#include "engram/memory.h"
#include "engram/weights_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Results that come together before beaten points are looked for, as a share of all trials: what
 * that costs grows with them. */
enum { PRUNINGS = 100 };

eg_status eg_run_keep_weights(const char *path, uint32_t attempt, const eg_predictor *predictor)
{
    return eg_weights_file_keep(path, attempt, predictor, eg_build_info()->version);
}

static eg_status file_of(char **out, const eg_run *run, size_t trial)
{
    return eg_format(out, "%s/%s.h5", run->weights.directory, eg_run_id_of(run, trial).text);
}

static eg_status name_directory(eg_run *run)
{
    char *name = NULL;
    EG_TRY(eg_store_weights_directory(&name, run->path));
    eg_status status = eg_file_absolute(&run->weights.directory, name);
    eg_free(name);
    return status;
}

eg_status eg_run_name_weights(eg_run *run, size_t trial)
{
    if (run->weights.keeping == EG_RUN_KEEP_NONE) {
        return eg_ok();
    }
    eg_free(run->weights.file);
    run->weights.file = NULL;
    return file_of(&run->weights.file, run, trial);
}

/** Nothing about the point changes any more, unless somebody asks for it. */
static bool is_complete(const eg_ranked_point *point)
{
    return eg_point_has_ended(point) && eg_point_count(point, EG_TRIAL_PENDING) == 0 &&
           eg_point_count(point, EG_TRIAL_RUNNING) == 0 &&
           eg_point_count(point, EG_TRIAL_PAUSED) == 0 &&
           eg_point_count(point, EG_TRIAL_FAILED) == 0 &&
           eg_point_count(point, EG_TRIAL_TIMEOUT) == 0;
}

/** beaten [points]: complete, and another complete point is better. */
static eg_status find_beaten(eg_run *run, bool *beaten)
{
    size_t count = 0;
    eg_ranked_point *complete = NULL;
    eg_run_state_rank(&run->state);
    EG_TRY(eg_alloc(&complete, run->state.plan->point_count, sizeof *complete));
    for (size_t p = 0; p < run->state.plan->point_count; p++) {
        if (is_complete(&run->state.points[p])) {
            complete[count++] = run->state.points[p];
            beaten[run->state.points[p].point] = true;
        }
    }
    const eg_ranked_point *best = eg_ranking_best(complete, count, &run->state.basis);
    for (size_t p = 0; best == NULL && p < run->state.plan->point_count; p++) {
        beaten[p] = false;
    }
    if (best != NULL) {
        beaten[best->point] = false;
    }
    eg_free(complete);
    return eg_ok();
}

static eg_status remove_beaten(const eg_run *run, const bool *beaten)
{
    for (size_t t = 0; t < run->state.plan->trial_count; t++) {
        char *path = NULL;
        if (!beaten[run->state.plan->trials[t].point]) {
            continue;
        }
        EG_TRY(file_of(&path, run, t));
        if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
            eg_run_reporter_warn(&run->reporter, "%s: cannot remove the weights: %s", path,
                                 strerror(errno));
        }
        eg_free(path);
    }
    return eg_ok();
}

static eg_status prune(eg_run *run)
{
    bool *beaten = NULL;
    run->weights.unpruned = 0;
    EG_TRY(eg_alloc(&beaten, run->state.plan->point_count, sizeof *beaten));
    eg_status status = find_beaten(run, beaten);
    if (status.code == EG_OK) {
        status = remove_beaten(run, beaten);
    }
    eg_free(beaten);
    return status;
}

eg_status eg_run_prune_weights(eg_run *run)
{
    if (run->weights.keeping != EG_RUN_KEEP_BEST ||
        run->weights.unpruned++ < run->state.plan->trial_count / PRUNINGS) {
        return eg_ok();
    }
    return prune(run);
}

/** ID.h5.ATTEMPT.tmp: what a killed worker was writing. */
static bool is_temporary(const char *name)
{
    size_t length = strlen(name);
    return strspn(name, "0123456789abcdef") == EG_RUN_ID_DIGITS &&
           strncmp(name + EG_RUN_ID_DIGITS, ".h5.", 4) == 0 &&
           strcmp(name + length - 4, ".tmp") == 0;
}

static void remove_temporaries(const eg_run *run)
{
    DIR *directory = opendir(run->weights.directory);
    const struct dirent *entry = NULL;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        if (is_temporary(entry->d_name)) {
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
        }
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
}

eg_status eg_run_tidy_weights(eg_run *run)
{
    if (run->weights.keeping == EG_RUN_KEEP_NONE) {
        return eg_ok();
    }
    if (run->weights.directory == NULL) {
        EG_TRY(name_directory(run));
    }
    remove_temporaries(run);
    return run->weights.keeping == EG_RUN_KEEP_BEST ? prune(run) : eg_ok();
}

eg_status eg_run_find_weights(eg_run_weights_found *out, eg_run *run)
{
    *out = (eg_run_weights_found){.directory = run->weights.directory};
    if (run->weights.keeping == EG_RUN_KEEP_NONE) {
        return eg_ok();
    }
    const eg_ranked_point *best = eg_run_state_best(&run->state);
    for (size_t t = 0; t < run->state.plan->trial_count; t++) {
        const eg_plan_trial *trial = &run->state.plan->trials[t];
        bool of_best = best != NULL && trial->point == best->point;
        if (run->state.outcomes[t].status != EG_TRIAL_DONE ||
            (run->weights.keeping == EG_RUN_KEEP_BEST && !of_best)) {
            continue;
        }
        char *path = NULL;
        EG_TRY(file_of(&path, run, t));
        bool is = access(path, R_OK) == 0;
        out->wanted++;
        out->there += is ? 1 : 0;
        out->lacking = is ? out->lacking : trial->id;
        eg_free(path);
    }
    return eg_ok();
}
