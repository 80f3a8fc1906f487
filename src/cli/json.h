/** JSON for scripts: a thin layer over jansson, with unknown numbers as null. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "engram/params.h"
#include "engram/record.h"
#include "engram/status.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void eg_json_text(json_t *object, const char *key, const char *value); /**< NULL: null */
void eg_json_count(json_t *object, const char *key, size_t value);
void eg_json_real(json_t *object, const char *key, double value); /**< NaN: null */
/** A 64-bit seed: a number where JSON's integers reach, text beyond. */
void eg_json_seed(json_t *object, const char *key, uint64_t value);
/** A setting from its canonical text: numbers, booleans and lists of numbers as such, the rest as
 *  text. */
void eg_json_setting(json_t *object, const char *key, int type, const char *text);
/** "pending": count … of every status; `by_status` [EG_TRIAL_STATUS_COUNT]. */
void eg_json_statuses(json_t *object, const size_t *by_status);
json_t *eg_json_texts(char *const *texts, size_t count);
/** An array of a record, nested as its extents say. */
json_t *eg_json_array(const eg_array *array);

/** Prints the value on standard output, indented, and releases it; reals as the shortest decimal
 *  that reads back to the same double. Errors: EG_MEMORY if it could not be made. */
eg_status eg_json_print(json_t *value) EG_WARN_UNUSED;
/** Prints one object on one line, and releases it. */
void eg_json_row(FILE *file, json_t *value);

#endif
