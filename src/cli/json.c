/** JSON for scripts; see cli/json.h. */
#include "cli/json.h"

#include "cli/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/** "[centered, none]": the text of a list of names, or of texts, which may have spaces inside. */
static json_t *list_of_words(const char *text)
{
    json_t *list = json_array();
    for (const char *at = text; *(at += strspn(at, "[], ")) != '\0';) {
        size_t length = strcspn(at, "[],");
        (void)json_array_append_new(list, json_stringn(at, length));
        at += length;
    }
    return list;
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
    } else if (type == EG_TYPE_NAMES || type == EG_TYPE_COMPONENTS || type == EG_TYPE_TEXTS) {
        value = list_of_words(text);
    }
    if (value == NULL) {
        value = json_string(text);
    }
    (void)json_object_set_new(object, key, value);
}

void eg_json_statuses(json_t *object, const size_t *by_status)
{
    for (int s = 0; s < EG_TRIAL_STATUS_COUNT; s++) {
        const char *name = eg_trial_status_name((eg_trial_status)s);
        if (name != NULL) {
            eg_json_count(object, name, by_status[s]);
        }
    }
}

json_t *eg_json_texts(char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(list, json_string(texts[i]));
    }
    return list;
}

/** The sub-array from axis `axis` on; the recursion ends at the array's rank. */
static json_t *nested(const eg_array *array, size_t axis, const double **at)
{
    if (axis == array->rank || axis == EG_RANK_MAX) {
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

/** --- Printing: jansson writes doubles with a fixed number of digits, people like the shortest  */

/** The library escapes C0; DEL and C1 (c2 80 … c2 9f in UTF-8) are control characters for a
 *  terminal, too. */
static void print_text(FILE *file, const char *text)
{
    json_t *string = json_string(text);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    const unsigned char *at = (const unsigned char *)(quoted == NULL ? "null" : quoted);
    for (; *at != '\0'; at++) {
        bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
        at += c1 ? 1 : 0;
        if (c1 || *at == 0x7f) {
            (void)fprintf(file, "\\u%04x", (unsigned)*at);
        } else {
            (void)fputc(*at, file);
        }
    }
    free(quoted);
    json_decref(string);
}

static bool is_nested(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

/** A new line indented to `depth`; in compact form nothing. */
static void print_break(FILE *file, int depth)
{
    if (depth >= 0) {
        (void)fprintf(file, "\n%*s", 2 * depth, "");
    }
}

static int deeper(int depth)
{
    return depth >= 0 ? depth + 1 : depth;
}

/** `depth` of the indentation, -1: compact. Arrays of plain values stay on one line. */
static void print_value(FILE *file, json_t *value, int depth)
{
    size_t done = 0;
    if (json_is_object(value)) {
        const char *key = NULL;
        json_t *member = NULL;
        (void)fputc('{', file);
        json_object_foreach(value, key, member)
        {
            (void)fputs(done++ == 0 ? "" : ",", file);
            print_break(file, deeper(depth));
            print_text(file, key);
            (void)fputs(depth >= 0 ? ": " : ":", file);
            print_value(file, member, deeper(depth));
        }
        print_break(file, done == 0 ? -1 : depth);
        (void)fputc('}', file);
    } else if (json_is_array(value)) {
        bool lines = is_nested(json_array_get(value, 0));
        (void)fputc('[', file);
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *comma = depth >= 0 && !lines ? ", " : ",";
            (void)fputs(i == 0 ? "" : comma, file);
            print_break(file, lines ? deeper(depth) : -1);
            print_value(file, json_array_get(value, i), deeper(depth));
        }
        print_break(file, lines ? depth : -1);
        (void)fputc(']', file);
    } else if (json_is_real(value)) {
        (void)fputs(eg_number(json_real_value(value), true).text, file);
    } else if (json_is_string(value)) {
        print_text(file, json_string_value(value));
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        (void)fputs(text == NULL ? "null" : text, file);
        free(text);
    }
}

eg_status eg_json_print(json_t *value)
{
    if (value == NULL) {
        return eg_fail(EG_MEMORY, "out of memory while writing JSON");
    }
    print_value(stdout, value, 0);
    (void)fputc('\n', stdout);
    json_decref(value);
    return eg_ok();
}

void eg_json_row(FILE *file, json_t *value)
{
    print_value(file, value, -1);
    (void)fputc('\n', file);
    json_decref(value);
}
