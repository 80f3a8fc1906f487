/** Weights that stay: NAME.weights beside the results, a file ID.h5 for each finished trial that its worker writes before it
 *  reports the result; rank 0 names them and removes those of beaten points. */
#include "cli/sweep_run.h"

#include "cli/build.h"
#include "cli/keep_weights.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/weights_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Results that come together before beaten points are looked for, as a share of all trials: what that costs grows with them. */
enum { PRUNINGS = 100, ID_DIGITS = 16 };

eg_status eg_keep_weights(const char *path, uint32_t attempt, const eg_predictor *predictor)
{
    return eg_weights_file_keep(path, attempt, predictor, eg_build_version());
}

static eg_status file_of(char **out, const eg_sweep_run *run, size_t trial)
{
    return eg_format(out, "%s/%s.h5", run->weights, eg_id(run->plan->trials[trial].id).text);
}

static eg_status name_directory(eg_sweep_run *run)
{
    char *name = NULL;
    EG_TRY(eg_store_weights_directory(&name, run->path));
    eg_status status = eg_sweep_run_absolute(&run->weights, name);
    eg_free(name);
    return status;
}

eg_status eg_sweep_run_name_weights(eg_sweep_run *run, size_t trial)
{
    if (run->keeping == EG_KEEP_NONE) {
        return eg_ok();
    }
    eg_free(run->weights_file);
    run->weights_file = NULL;
    return file_of(&run->weights_file, run, trial);
}

/** Nothing about the point changes any more, unless somebody asks for it. */
static bool is_complete(const eg_ranked_point *point)
{
    return eg_point_has_ended(point) && eg_point_count(point, EG_TRIAL_PENDING) == 0 &&
           eg_point_count(point, EG_TRIAL_RUNNING) == 0 &&
           eg_point_count(point, EG_TRIAL_PAUSED) == 0 &&
           eg_point_count(point, EG_TRIAL_FAILED) == 0;
}

/** beaten [points]: complete, and another complete point is better. */
static eg_status find_beaten(eg_sweep_run *run, bool *beaten)
{
    size_t count = 0;
    eg_ranked_point *complete = NULL;
    eg_sweep_run_rank(run);
    EG_TRY(eg_alloc(&complete, run->plan->point_count, sizeof *complete));
    for (size_t p = 0; p < run->plan->point_count; p++) {
        if (is_complete(&run->points[p])) {
            complete[count++] = run->points[p];
            beaten[run->points[p].point] = true;
        }
    }
    const eg_ranked_point *best = eg_ranking_best(complete, count, &run->ranking.basis);
    for (size_t p = 0; best == NULL && p < run->plan->point_count; p++) {
        beaten[p] = false;
    }
    if (best != NULL) {
        beaten[best->point] = false;
    }
    eg_free(complete);
    return eg_ok();
}

static eg_status remove_beaten(const eg_sweep_run *run, const bool *beaten)
{
    for (size_t t = 0; t < run->plan->trial_count; t++) {
        char *path = NULL;
        if (!beaten[run->plan->trials[t].point]) {
            continue;
        }
        EG_TRY(file_of(&path, run, t));
        if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
            eg_say(stderr, "warning: %s: cannot remove the weights: %s\n", path, strerror(errno));
        }
        eg_free(path);
    }
    return eg_ok();
}

static eg_status prune(eg_sweep_run *run)
{
    bool *beaten = NULL;
    run->weights_unpruned = 0;
    EG_TRY(eg_alloc(&beaten, run->plan->point_count, sizeof *beaten));
    eg_status status = find_beaten(run, beaten);
    if (status.code == EG_OK) {
        status = remove_beaten(run, beaten);
    }
    eg_free(beaten);
    return status;
}

eg_status eg_sweep_run_prune_weights(eg_sweep_run *run)
{
    if (run->keeping != EG_KEEP_BEST ||
        run->weights_unpruned++ < run->plan->trial_count / PRUNINGS) {
        return eg_ok();
    }
    return prune(run);
}

/** ID.h5.ATTEMPT.tmp: what a killed worker was writing. */
static bool is_temporary(const char *name)
{
    size_t length = strlen(name);
    return strspn(name, "0123456789abcdef") == ID_DIGITS &&
           strncmp(name + ID_DIGITS, ".h5.", 4) == 0 && strcmp(name + length - 4, ".tmp") == 0;
}

static void remove_temporaries(const eg_sweep_run *run)
{
    DIR *directory = opendir(run->weights);
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

eg_status eg_sweep_run_tidy_weights(eg_sweep_run *run)
{
    if (run->keeping == EG_KEEP_NONE) {
        return eg_ok();
    }
    if (run->weights == NULL) {
        EG_TRY(name_directory(run));
    }
    remove_temporaries(run);
    return run->keeping == EG_KEEP_BEST ? prune(run) : eg_ok();
}

/** Finished trials whose weights should be there, and those whose are; *lacks: one whose are not. */
static eg_status count_files(eg_sweep_run *run, size_t *wanted, size_t *there, size_t *lacks)
{
    const eg_ranked_point *best = eg_sweep_run_best(run);
    for (size_t t = 0; t < run->plan->trial_count; t++) {
        char *path = NULL;
        bool of_best = best != NULL && run->plan->trials[t].point == best->point;
        if (run->outcomes[t].status != EG_TRIAL_DONE ||
            (run->keeping == EG_KEEP_BEST && !of_best)) {
            continue;
        }
        EG_TRY(file_of(&path, run, t));
        bool is = access(path, R_OK) == 0;
        *wanted += 1;
        *there += is ? 1 : 0;
        *lacks = is ? *lacks : t;
        eg_free(path);
    }
    return eg_ok();
}

eg_status eg_sweep_run_print_weights(eg_sweep_run *run)
{
    size_t wanted = 0, there = 0, lacks = 0;
    if (run->keeping == EG_KEEP_NONE) {
        return eg_ok();
    }
    EG_TRY(count_files(run, &wanted, &there, &lacks));
    eg_say(stdout, "weights: %s: of %zu of %zu finished trials%s\n", run->weights, there, wanted,
           run->keeping == EG_KEEP_BEST ? " of the best point" : "");
    if (there < wanted) {
        eg_say(stdout,
               "note: %zu, such as trial %s, finished without --keep-weights%s, or the files were "
               "removed; --redo all, or id=… of some, runs them again\n",
               wanted - there, eg_id(run->plan->trials[lacks].id).text,
               run->keeping == EG_KEEP_BEST ? ", or when another point was the best" : "");
    }
    return eg_ok();
}
