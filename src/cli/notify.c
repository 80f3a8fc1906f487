/** Telling others how a sweep ended; see cli/notify.h. */
#include "cli/notify.h"

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static eg_status set(const char *name, const char *value)
{
    return setenv(name, value, 1) == 0 ? eg_ok() : eg_fail_errno(errno, "cannot set %s", name);
}

static eg_status set_count(const char *name, size_t count)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%zu", count);
    return set(name, text);
}

static const char *ending(const eg_run *run, int code)
{
    if (eg_run_gave_up(run)) {
        return "ended by max_failures";
    }
    switch (code) {
    case EG_EXIT_DONE:
        return "finished";
    case EG_EXIT_FAILED_TRIALS:
        return "finished, but some trials failed or timed out";
    case EG_EXIT_STOPPED:
        return "stopped early; the same command goes on";
    default:
        return "ended by an error";
    }
}

static eg_status set_environment(const eg_run *run, int code, const char *why)
{
    const eg_run_counts *counts = eg_run_counted(run);
    const char *name = eg_run_plan(run)->name;
    size_t finished = counts->total - counts->unfinished;
    char *message = NULL;
    EG_TRY(eg_format(&message, "%s: %zu of %zu trials, %s%s%s", name, finished, counts->total,
                     ending(run, code), why == NULL ? "" : ": ", why == NULL ? "" : why));
    eg_status status = set("ENGRAM_MESSAGE", message);
    eg_free(message);
    EG_TRY(status);
    EG_TRY(set("ENGRAM_NAME", name));
    EG_TRY(set("ENGRAM_RESULTS", eg_run_path(run)));
    EG_TRY(set_count("ENGRAM_EXIT", (size_t)code));
    EG_TRY(set_count("ENGRAM_TRIALS", counts->total));
    EG_TRY(set_count("ENGRAM_FINISHED", finished));
    EG_TRY(set_count("ENGRAM_FAILED", counts->by_status[EG_TRIAL_FAILED]));
    return set_count("ENGRAM_DIVERGED", counts->by_status[EG_TRIAL_DIVERGED]);
}

void eg_notify(const char *command, const eg_run *run, int code, const char *why)
{
    eg_command shell = {0};
    int result = 0;
    eg_status status;
    EG_TRY_DONE(status, set_environment(run, code, why));
    EG_TRY_DONE(status, eg_command_add(&shell, "/bin/sh"));
    EG_TRY_DONE(status, eg_command_add(&shell, "-c"));
    EG_TRY_DONE(status, eg_command_add(&shell, "%s", command));
    status = eg_command_run(&shell, &result);
done:
    eg_command_clear(&shell);
    if (status.code != EG_OK) {
        eg_say(stderr, "warning: --notify: %s\n", status.message);
    } else if (result != 0) {
        eg_say(stderr, "warning: --notify: the command ended with exit code %d\n", result);
    }
}
