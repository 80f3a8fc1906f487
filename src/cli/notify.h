/** A command of the user's that is told how a sweep ended: mail, a message, the next job. */
#ifndef CLI_NOTIFY_H
#define CLI_NOTIFY_H

#include "engram/run.h"

/** Runs `command` with the shell and these variables in its environment, beside all of ours:
 *  ENGRAM_NAME (of the sweep), ENGRAM_RESULTS (the file), ENGRAM_EXIT (the exit code that this
 *  program is going to have), ENGRAM_TRIALS, ENGRAM_FINISHED, ENGRAM_FAILED, ENGRAM_DIVERGED
 *  (counts) and ENGRAM_MESSAGE (a sentence). `why`: what went wrong; NULL: nothing did. Waits for
 *  it. A command that fails is a warning on standard error: the sweep's exit code stays. */
void eg_notify(const char *command, const eg_run *run, int code, const char *why);

#endif
