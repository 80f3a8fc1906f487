/** Inside the base room: what the readers of single values and of lists share. */
#ifndef BASE_READING_H
#define BASE_READING_H

#include "engram/settings.h"

enum { EG_TOKEN_SIZE = 64 };

/** What is being read, for messages. */
typedef struct eg_reading {
    const char *name;
    const eg_param *param;
    const eg_schema *schema;
    const char *text;
} eg_reading;

/** "NAME = TEXT: must be EXPECTED". */
eg_status eg_reading_refuse(const eg_reading *r, const char *expected) EG_WARN_UNUSED;

/** The i-th name that a NAME, NAMES or COMPONENTS can be; NULL after the last. */
const char *eg_reading_candidate(const eg_reading *r, size_t i);

/** One integer in range, one of the parameter's names (as its index). */
eg_status eg_reading_integer(const eg_reading *r, const char *token, int64_t *out) EG_WARN_UNUSED;
eg_status eg_reading_name(const eg_reading *r, const char *token, int64_t *out) EG_WARN_UNUSED;

/** After the white space at `at`. */
const char *eg_reading_skip(const char *at);

/** Copies the bare word at *at into `token` and moves past it; false if there is none or it is
 * too long. */
bool eg_reading_token(const char **at, char token[EG_TOKEN_SIZE]);

/** A value of type INTS, NAMES, GROUPS, COMPONENTS or TEXTS, with its canonical text. On failure
 *  the caller clears it. */
eg_status eg_reading_list(const eg_reading *r, eg_value *value) EG_WARN_UNUSED;

#endif
