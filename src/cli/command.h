/** A command line for another program: arguments that end with NULL, as exec wants them. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Zeros are an empty one. */
typedef struct eg_command {
    char **arguments; /**< [count + 1], the last one NULL; NULL while there are none. Owned */
    size_t count, capacity;
    bool reads_input; /**< supervised, it has our standard input; otherwise none */
    /** As long as it is of use, processes that it started itself run on this machine. */
    bool has_children;
} eg_command;

/** Adds one argument. */
eg_status eg_command_add(eg_command *command, const char *format, ...) EG_WARN_UNUSED
    EG_PRINTF(2, 3);
/** Adds arguments as they are. */
eg_status eg_command_add_all(eg_command *command, char *const *arguments,
                             size_t count) EG_WARN_UNUSED;
/** Adds the arguments of a text, which are separated by spaces. */
eg_status eg_command_split(eg_command *command, const char *text) EG_WARN_UNUSED;
void eg_command_clear(eg_command *command);

/** Runs it, without input, until it ends. *out: its exit code, 128 and more if a signal ended it.
 *  Errors: EG_INVALID if it cannot be started. */
eg_status eg_command_run(const eg_command *command, int *out) EG_WARN_UNUSED;

/** The same, and *text becomes what it wrote to standard output, a new text (NULL when this
 *  fails). */
eg_status eg_command_capture(const eg_command *command, char **text, int *out) EG_WARN_UNUSED;

/** Is there such a program on PATH? */
bool eg_command_exists(const char *program);

/** This very program, a new text. */
eg_status eg_command_self(char **out) EG_WARN_UNUSED;

#endif
