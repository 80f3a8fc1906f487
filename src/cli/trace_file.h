/** The file of `engram train --trace`: one line for every minibatch, with its loss and the examples in it. */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H

#include "engram/trial.h"

#include <stdio.h>

/** Start with {0}. */
typedef struct eg_trace_file {
    const char *path; /**< borrowed */
    char *temporary;  /**< its name until it is complete; owned */
    FILE *file;       /**< NULL: none is written */
} eg_trace_file;

/** Begins a file under a temporary name. Errors, EG_INVALID: something is at `path` that is no trace, or none can be
 *  written there. */
eg_status eg_trace_begin(eg_trace_file *out, const char *path) EG_WARN_UNUSED;
/** eg_trial_options.trace, with the file as its user. EG_SYSTEM if it cannot be written. */
eg_status eg_trace_step(void *file, const eg_traced_step *step);
/** Puts the file in its place, or, if `kept` is false, takes it away. */
eg_status eg_trace_end(eg_trace_file *file, bool kept) EG_WARN_UNUSED;

#endif
