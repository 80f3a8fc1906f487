/** For the rooms below: numbers as text, and values with a full name in messages. */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "engram/settings.h"

enum { EG_NUMBER_TEXT = 32 };

/** The shortest decimal that reads back to the same double. */
void eg_real_text(char out[EG_NUMBER_TEXT], double value);

/** Reads a finite decimal number that fills the whole text (spaces around it are allowed); on
 * failure *why is what was expected, as text that follows "must be ". */
bool eg_real_read(double *out, const char *text, const char **why);

/** eg_value_parse with the dotted name that messages should show. */
eg_status eg_value_parse_as(eg_value *out, const char *name, const eg_param *param,
                            const eg_schema *schema, const char *text) EG_WARN_UNUSED;

/** `status` with "file:line:column: " in front, as much of it as `origin` knows. */
eg_status eg_origin_wrap(eg_status status, const eg_origin *origin) EG_WARN_UNUSED;

#endif
