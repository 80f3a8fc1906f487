/** What a tuner answers; see run/ask_messages.h. Nothing of it is believed. */
#include "run/ask_messages.h"

#include "base/shared/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** "123" or "\"text\"", cut, for messages. */
typedef struct shown {
    char text[80];
} shown;

static shown show(const json_t *value)
{
    shown out = {""};
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text != NULL) {
        (void)strncpy(out.text, text, sizeof out.text - 1);
    }
    free(text);
    return out;
}

static eg_status read_number(eg_space_value *out, const eg_space_variable *variable,
                             const json_t *value)
{
    bool whole = variable->kind == EG_VARIABLE_INTEGER;
    double number = json_number_value(value);
    /* An optimizer of real numbers writes 3.0. */
    if (!json_is_number(value) || (whole && number != floor(number))) {
        return eg_fail(EG_INVALID, "%s must be %s, not %s", variable->name,
                       whole ? "a whole number" : "a number", show(value).text);
    }
    if (!(number >= variable->low && number <= variable->high)) {
        char low[EG_NUMBER_TEXT];
        char high[EG_NUMBER_TEXT];
        eg_real_text(low, variable->low);
        eg_real_text(high, variable->high);
        return eg_fail(EG_INVALID, "%s = %s is not in %s … %s", variable->name, show(value).text,
                       low, high);
    }
    out->number = number;
    return eg_ok();
}

static bool is_label(const eg_space_variable *variable, size_t i, const json_t *value)
{
    const char *label = variable->labels[i];
    switch (variable->type) {
    case EG_TYPE_INT:
    case EG_TYPE_REAL:
        return json_is_number(value) && json_number_value(value) == strtod(label, NULL);
    case EG_TYPE_BOOL:
        return json_is_boolean(value) && json_is_true(value) == (strcmp(label, "true") == 0);
    default:
        return json_is_string(value) && strcmp(json_string_value(value), label) == 0;
    }
}

static eg_status read_choice(eg_space_value *out, const eg_space_variable *variable,
                             const json_t *value)
{
    eg_nearest nearest = {0};
    for (size_t i = 0; i < variable->label_count; i++) {
        if (is_label(variable, i, value)) {
            out->choice = i;
            return eg_ok();
        }
        if (json_is_string(value)) {
            eg_nearest_offer(&nearest, json_string_value(value), variable->labels[i]);
        }
    }
    return eg_fail(EG_INVALID, "%s = %s is none of its %zu values (%s %.60s)", variable->name,
                   show(value).text, variable->label_count,
                   nearest.best != NULL ? "the nearest:" : "the first:",
                   nearest.best != NULL ? nearest.best : variable->labels[0]);
}

static eg_status refuse_unknown(const eg_space_variable *variables, size_t count, json_t *point)
{
    const char *key = NULL;
    json_t *member = NULL;
    json_object_foreach(point, key, member)
    {
        eg_nearest nearest = {0};
        bool known = strcmp(key, "_id") == 0;
        for (size_t i = 0; i < count && !known; i++) {
            known = strcmp(key, variables[i].name) == 0;
            eg_nearest_offer(&nearest, key, variables[i].name);
        }
        if (!known) {
            return eg_fail(EG_INVALID, "there is no setting '%.60s' in the space%s%s", key,
                           nearest.best != NULL ? "; the nearest is " : "",
                           nearest.best != NULL ? nearest.best : "");
        }
    }
    return eg_ok();
}

static eg_status read_point(eg_space_value *values, const eg_plan *plan, json_t *point)
{
    size_t count = 0;
    const eg_space_variable *variables = eg_plan_variables(plan, &count);
    if (!json_is_object(point)) {
        return eg_fail(EG_INVALID, "it must be an object of settings, not %s", show(point).text);
    }
    EG_TRY(refuse_unknown(variables, count, point));
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_object_get(point, variables[i].name);
        if (value == NULL) {
            return eg_fail(EG_INVALID, "it lacks %s", variables[i].name);
        }
        EG_TRY(variables[i].kind == EG_VARIABLE_CHOICE
                   ? read_choice(&values[i], &variables[i], value)
                   : read_number(&values[i], &variables[i], value));
    }
    return eg_ok();
}

static eg_status read_list(json_t *list, eg_space_value *values, const eg_plan *plan, size_t count)
{
    size_t width = 0;
    const json_t *error = json_is_object(list) ? json_object_get(list, "error") : NULL;
    (void)eg_plan_variables(plan, &width);
    if (error != NULL) {
        return eg_fail(EG_INVALID, "gives up: %.300s",
                       json_is_string(error) ? json_string_value(error) : show(error).text);
    }
    if (!json_is_array(list)) {
        return eg_fail(EG_INVALID, "must answer suggest with a list of points, not %s",
                       show(list).text);
    }
    if (json_array_size(list) != count) {
        return eg_fail(EG_INVALID, "was asked for %zu points and answered with %zu", count,
                       json_array_size(list));
    }
    for (size_t i = 0; i < count; i++) {
        EG_TRY(eg_status_wrap(read_point(values + i * width, plan, json_array_get(list, i)),
                              "suggested something wrong, point %zu of %zu", i + 1, count));
    }
    return eg_ok();
}

eg_status eg_ask_read_answer(json_t **points, eg_space_value *values, const eg_plan *plan,
                             const char *line, size_t count)
{
    json_error_t error;
    json_t *list = json_loads(line, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    *points = NULL;
    if (list == NULL) {
        return eg_fail(EG_INVALID,
                       "answered what is not JSON (%.100s): '%.60s'; its standard output is for "
                       "answers alone",
                       error.text, line);
    }
    eg_status status = read_list(list, values, plan, count);
    if (status.code != EG_OK) {
        json_decref(list);
        return status;
    }
    *points = list;
    return eg_ok();
}
