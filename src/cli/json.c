/** JSON for scripts; see cli/json.h. */
#include "cli/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17 };

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void eg_json_text(json_t *object, const char *key, const char *value)
{
    (void)json_object_set_new(object, key, value == NULL ? json_null() : json_string(value));
}

void eg_json_count(json_t *object, const char *key, size_t value)
{
    (void)json_object_set_new(object, key, json_integer((json_int_t)value));
}

void eg_json_real(json_t *object, const char *key, double value)
{
    (void)json_object_set_new(object, key, real_or_null(value));
}

void eg_json_seed(json_t *object, const char *key, uint64_t value)
{
    if (value <= INT64_MAX) {
        (void)json_object_set_new(object, key, json_integer((json_int_t)value));
    } else {
        (void)json_object_set_new(object, key, json_sprintf("%llu", (unsigned long long)value));
    }
}

void eg_json_setting(json_t *object, const char *key, int type, const char *text)
{
    json_t *value = NULL;
    if (text == NULL) {
        value = json_null();
    } else if (type == EG_TYPE_REAL) {
        value = json_real(strtod(text, NULL));
    } else if (type == EG_TYPE_BOOL || type == EG_TYPE_INT || type == EG_TYPE_INTS ||
               type == EG_TYPE_GROUPS) {
        value = json_loads(text, JSON_DECODE_ANY, NULL);
    }
    if (value == NULL) {
        value = json_string(text);
    }
    (void)json_object_set_new(object, key, value);
}

json_t *eg_json_texts(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

static json_t *nested(const eg_array *array, size_t axis, const double **at)
{
    if (axis == array->rank) {
        return real_or_null(*(*at)++);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < array->extent[axis]; i++) {
        (void)json_array_append_new(list, nested(array, axis + 1, at));
    }
    return list;
}

json_t *eg_json_array(const eg_array *array)
{
    const double *at = array->data;
    return nested(array, 0, &at);
}

static char *dump(json_t *value, size_t flags)
{
    char *text = json_dumps(value, flags | JSON_REAL_PRECISION(DIGITS) | JSON_ENCODE_ANY);
    json_decref(value);
    return text;
}

eg_status eg_json_print(json_t *value)
{
    char *text = dump(value, JSON_INDENT(2));
    if (text == NULL) {
        return eg_fail(EG_MEMORY, "out of memory while writing JSON");
    }
    (void)printf("%s\n", text);
    free(text);
    return eg_ok();
}

void eg_json_row(json_t *value)
{
    char *text = dump(value, JSON_COMPACT);
    if (text != NULL) {
        (void)printf("%s\n", text);
    }
    free(text);
}
