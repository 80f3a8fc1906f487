/** A text file that is written whole: under a temporary name, then put in its place, where nothing
 *  may be but an earlier file of the same kind. */
#ifndef CLI_TEXT_FILE_H
#define CLI_TEXT_FILE_H

#include "engram/status.h"

#include <stdbool.h>
#include <stdio.h>

/** Start with {0}. */
typedef struct eg_text_file {
    const char *path; /**< borrowed */
    char *temporary;  /**< its name until it is complete; owned */
    FILE *file;       /**< NULL: none is written */
} eg_text_file;

/** Begins a file, which starts with `start`; `kind` for messages: "trace". Errors, EG_INVALID:
 *  something is at `path` that does not start so, or none can be written there. Call
 *  eg_text_file_close in any case. */
eg_status eg_text_file_open(eg_text_file *out, const char *path, const char *start,
                            const char *kind) EG_WARN_UNUSED;
/** EG_SYSTEM if what was written so far could not be. */
eg_status eg_text_file_status(const eg_text_file *file) EG_WARN_UNUSED;
/** Puts the file in its place, or, if `kept` is false, takes it away. */
eg_status eg_text_file_close(eg_text_file *file, bool kept) EG_WARN_UNUSED;

#endif
