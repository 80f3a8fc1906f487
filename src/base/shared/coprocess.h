/** For the rooms below: a program beside this one that is spoken to in lines, over its standard
 *  input and output. Nothing here waits, except where a name says so.
 *
 *  The program runs in a process group of its own, so that Ctrl-C reaches this process alone; it is
 *  ended with this process, and its standard error is that of this process. */
#ifndef BASE_COPROCESS_H
#define BASE_COPROCESS_H

#include "engram/status.h"

#include <stdbool.h>

/** The longest line it may say, in bytes. */
enum { EG_COPROCESS_LINE_MAX = 16 << 20 };

typedef struct eg_coprocess eg_coprocess;

/** Starts `command` with /bin/sh -c. Errors: EG_SYSTEM, EG_MEMORY; that there is no such command
 *  shows as its end. Release with eg_coprocess_free. */
eg_status eg_coprocess_start(eg_coprocess **out, const char *command) EG_WARN_UNUSED;

/** A line for it, `text` and a newline; what it does not take at once is sent by the calls of
 *  eg_coprocess_poll. */
eg_status eg_coprocess_say(eg_coprocess *process, const char *text) EG_WARN_UNUSED;

/** Goes on sending and receiving. *line: what it said next, without the newline, valid until the
 *  next call; NULL: nothing yet. Errors, EG_SYSTEM: "ended with exit code 3" and the like, once all
 *  it had said was read; a line that is too long or holds a NUL. */
eg_status eg_coprocess_poll(eg_coprocess *process, const char **line) EG_WARN_UNUSED;

/** Waits until there is something for eg_coprocess_poll to do, a signal comes, or `seconds` are
 *  over. */
void eg_coprocess_wait(eg_coprocess *process, double seconds);

/** Closes its standard input once all is sent: there is no more to come. */
void eg_coprocess_hang_up(eg_coprocess *process);

/** Whether it has ended; *code: its exit code, 128 + the signal that killed it. */
bool eg_coprocess_has_ended(eg_coprocess *process, int *code);

/** Ends it and what it started: SIGTERM, and SIGKILL two seconds later. NULL is accepted. */
void eg_coprocess_free(eg_coprocess *process);

#endif
