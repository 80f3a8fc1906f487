/** Checkpoints of running trials: NAME.checkpoints beside the results, a file for each trial that its
 *  worker writes and removes; rank 0 names them, says what became of them and clears up behind lost
 *  workers. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ID_DIGITS = 16, WARNINGS_SHOWN = 20 };

eg_status eg_sweep_run_absolute(char **out, const char *name)
{
    if (name[0] == '/') {
        return eg_strdup(out, name);
    }
    char *here = getcwd(NULL, 0); /* glibc, musl and the BSDs allocate */
    eg_status status = here == NULL ? eg_fail_errno(errno, "cannot find the current directory")
                                    : eg_format(out, "%s/%s", here, name);
    free(here);
    return status;
}

static eg_status name_directory(eg_sweep_run *run)
{
    char *name = NULL;
    EG_TRY(eg_store_checkpoint_directory(&name, run->path));
    eg_status status = eg_sweep_run_absolute(&run->checkpoints, name);
    eg_free(name);
    return status;
}

eg_status eg_sweep_run_checkpoint(eg_sweep_run *run, size_t trial)
{
    if (run->checkpoints == NULL) {
        EG_TRY(name_directory(run));
    }
    eg_free(run->checkpoint);
    run->checkpoint = NULL;
    return eg_format(&run->checkpoint, "%s/%s", run->checkpoints,
                     eg_id(run->plan->trials[trial].id).text);
}

/** The trial whose id a file name begins with; SIZE_MAX if there is none. */
static size_t trial_of(const eg_sweep_run *run, const char *name)
{
    if (strspn(name, "0123456789abcdef") != ID_DIGITS) {
        return SIZE_MAX;
    }
    uint64_t id = strtoull(name, NULL, 16);
    for (size_t t = 0; t < run->plan->trial_count; t++) {
        if (run->plan->trials[t].id == id) {
            return t;
        }
    }
    return SIZE_MAX;
}

static void remove_file(const eg_sweep_run *run, const char *name)
{
    char *path = NULL;
    eg_status status = eg_format(&path, "%s/%s", run->checkpoints, name);
    if (status.code == EG_OK && unlink(path) != 0 && errno != ENOENT) {
        status = eg_fail_errno(errno, "%s: cannot remove the checkpoint", path);
    }
    if (status.code != EG_OK) {
        eg_say(stderr, "warning: %s\n", status.message);
    }
    eg_free(path);
}

eg_status eg_sweep_run_drop_checkpoint(eg_sweep_run *run, size_t trial)
{
    if (run->checkpoints == NULL) {
        EG_TRY(name_directory(run));
    }
    remove_file(run, eg_id(run->plan->trials[trial].id).text);
    return eg_ok();
}

eg_status eg_sweep_run_tidy_checkpoints(eg_sweep_run *run)
{
    run->checkpoint_count = 0;
    if (run->checkpoints == NULL) {
        EG_TRY(name_directory(run));
    }
    assert(run->checkpoints != NULL);
    DIR *directory = opendir(run->checkpoints);
    if (directory == NULL) {
        return errno == ENOENT
                   ? eg_ok()
                   : eg_fail_errno(errno, "%s: cannot read the directory", run->checkpoints);
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        size_t trial = trial_of(run, entry->d_name);
        if (trial == SIZE_MAX) {
            continue; /* of a trial that is no longer in the plan, or not ours at all */
        }
        bool whole = entry->d_name[ID_DIGITS] == '\0';
        if (!whole || eg_trial_status_is_final(run->outcomes[trial].status)) {
            remove_file(run, entry->d_name);
        } else {
            run->checkpoint_count++;
        }
    }
    (void)closedir(directory);
    (void)rmdir(run->checkpoints); /* stays if anything is in it */
    return eg_ok();
}

static void note_json(const eg_sweep_run *run, const eg_work_note *note)
{
    json_t *object = json_object();
    eg_json_real(object, "time", eg_now());
    eg_json_text(object, "trial", eg_id(run->plan->trials[note->ticket].id).text);
    eg_json_count(object, "attempt", note->attempt);
    eg_json_count(object, "rank", note->rank);
    eg_json_text(object, "host", note->host);
    eg_json_text(object, note->warning ? "warning" : "note", note->text);
    eg_json_row(stderr, object);
}

void eg_sweep_run_note(eg_sweep_run *run, const eg_work_note *note)
{
    if (run->progress.mode == EG_PROGRESS_JSON) {
        note_json(run, note);
        return;
    }
    bool expected =
        !note->warning && run->outcomes[note->ticket].evaluations > 0; /* after a pause */
    bool wanted = note->warning ? run->session_warnings++ < WARNINGS_SHOWN
                                : run->progress.mode == EG_PROGRESS_LINE && !expected;
    if (!wanted) {
        return;
    }
    eg_progress_clear(&run->progress);
    eg_say(stderr, "%strial %s on rank %" PRIu32 " (%s): %s\n", note->warning ? "warning: " : "",
           eg_id(run->plan->trials[note->ticket].id).text, note->rank, note->host, note->text);
    if (note->warning && run->session_warnings == WARNINGS_SHOWN) {
        (void)fprintf(stderr, "warning: further ones like this are not shown\n");
    }
}
