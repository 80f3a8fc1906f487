/** Checkpoints of running trials: NAME.checkpoints beside the results, a file for each trial that
 *  its worker writes and removes; rank 0 names them, and removes those that lost workers left. */
#include "run/run_parts.h"

#include "base/shared/file_name.h"
#include "engram/memory.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

eg_run_id eg_run_id_of(const eg_run *run, size_t trial)
{
    eg_run_id id;
    (void)snprintf(id.text, sizeof id.text, "%016" PRIx64, run->state.plan->trials[trial].id);
    return id;
}

static eg_status name_directory(eg_run *run)
{
    char *name = NULL;
    EG_TRY(eg_store_checkpoint_directory(&name, run->path));
    eg_status status = eg_file_absolute(&run->checkpoints.directory, name);
    eg_free(name);
    return status;
}

eg_status eg_run_name_checkpoint(eg_run *run, size_t trial)
{
    if (run->checkpoints.directory == NULL) {
        EG_TRY(name_directory(run));
    }
    eg_free(run->checkpoints.file);
    run->checkpoints.file = NULL;
    return eg_format(&run->checkpoints.file, "%s/%s", run->checkpoints.directory,
                     eg_run_id_of(run, trial).text);
}

/** The trial whose id a file name begins with; SIZE_MAX if there is none. */
static size_t trial_of(const eg_run *run, const char *name)
{
    if (strspn(name, "0123456789abcdef") != EG_RUN_ID_DIGITS) {
        return SIZE_MAX;
    }
    uint64_t id = strtoull(name, NULL, 16);
    for (size_t t = 0; t < run->state.plan->trial_count; t++) {
        if (run->state.plan->trials[t].id == id) {
            return t;
        }
    }
    return SIZE_MAX;
}

static void remove_file(const eg_run *run, const char *name)
{
    char *path = NULL;
    eg_status status = eg_format(&path, "%s/%s", run->checkpoints.directory, name);
    if (status.code == EG_OK && unlink(path) != 0 && errno != ENOENT) {
        status = eg_fail_errno(errno, "%s: cannot remove the checkpoint", path);
    }
    if (status.code != EG_OK) {
        eg_run_reporter_warn(&run->reporter, "%s", status.message);
    }
    eg_free(path);
}

eg_status eg_run_drop_checkpoint(eg_run *run, size_t trial)
{
    if (run->checkpoints.directory == NULL) {
        EG_TRY(name_directory(run));
    }
    remove_file(run, eg_run_id_of(run, trial).text);
    return eg_ok();
}

eg_status eg_run_tidy_checkpoints(eg_run *run)
{
    run->state.counts.checkpoints = 0;
    if (run->checkpoints.directory == NULL) {
        EG_TRY(name_directory(run));
    }
    assert(run->checkpoints.directory != NULL);
    DIR *directory = opendir(run->checkpoints.directory);
    if (directory == NULL) {
        return errno == ENOENT ? eg_ok()
                               : eg_fail_errno(errno, "%s: cannot read the directory",
                                               run->checkpoints.directory);
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        size_t trial = trial_of(run, entry->d_name);
        if (trial == SIZE_MAX) {
            continue; /* of a trial that is no longer in the plan, or not ours at all */
        }
        bool whole = entry->d_name[EG_RUN_ID_DIGITS] == '\0';
        if (!whole || eg_trial_status_is_final(run->state.outcomes[trial].status)) {
            remove_file(run, entry->d_name);
        } else {
            run->state.counts.checkpoints++;
        }
    }
    (void)closedir(directory);
    (void)rmdir(run->checkpoints.directory); /* stays if anything is in it */
    return eg_ok();
}
