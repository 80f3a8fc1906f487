/** Points by number, rank or settings; see cli/report/point_choice.h. */
#include "cli/report/point_choice.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** "learner.lambda=10", not terminated. */
typedef struct condition {
    const char *text;
    size_t length; /**< of all of it */
    size_t name;   /**< of what is before the `=` */
    const eg_column *column;
} condition;

enum { CONDITIONS_MAX = 32, VALUES_SIZE = 200, NAME_SIZE = 128 };

typedef struct choice {
    const eg_results *results;
    const char *text;
    condition conditions[CONDITIONS_MAX];
    size_t count;
} choice;

/** --- Conditions ------------------------------------------------------------------------------ */

/** Up to the next comma that is not inside brackets. */
static size_t condition_length(const char *text)
{
    size_t depth = 0;
    size_t i = 0;
    for (; text[i] != '\0' && (depth > 0 || text[i] != ','); i++) {
        depth += text[i] == '[';
        depth -= text[i] == ']' && depth > 0;
    }
    return i;
}

static eg_status unknown_setting(const choice *c, const char *name)
{
    eg_nearest nearest = {0};
    for (size_t i = 0; i < c->results->column_count; i++) {
        eg_nearest_offer(&nearest, name, c->results->columns[i].name);
    }
    return nearest.best != NULL
               ? eg_fail(EG_INVALID, "%s: no setting '%s'; did you mean %s?", c->text, name,
                         nearest.best)
               : eg_fail(EG_INVALID, "%s: no setting '%s' in the file", c->text, name);
}

static eg_status read_condition(choice *c, const char *text, size_t length)
{
    condition *out = &c->conditions[c->count];
    const char *equals = memchr(text, '=', length);
    if (equals == NULL || equals == text || equals - text >= NAME_SIZE) {
        return eg_fail(EG_INVALID,
                       "%s: a point is a number, as `engram top` shows it, `best`, or "
                       "NAME=VALUE[,NAME=VALUE...]",
                       c->text);
    }
    char name[NAME_SIZE];
    *out = (condition){.text = text, .length = length, .name = (size_t)(equals - text)};
    memcpy(name, text, out->name);
    name[out->name] = '\0';
    out->column = eg_results_column(c->results, name);
    c->count++;
    return out->column == NULL ? unknown_setting(c, name) : eg_ok();
}

static eg_status read_conditions(choice *c)
{
    for (const char *at = c->text;; at++) {
        size_t length = condition_length(at);
        if (c->count == CONDITIONS_MAX) {
            return eg_fail(EG_INVALID, "%s: more than %d conditions", c->text, CONDITIONS_MAX);
        }
        EG_TRY(read_condition(c, at, length));
        at += length;
        if (*at == '\0') {
            return eg_ok();
        }
    }
}

/** Whether a canonical text is the value that somebody wrote: numbers as numbers, lists without
 *  regard to blanks. */
static bool is_value(const eg_column *column, const char *canonical, const char *text,
                     size_t length)
{
    if (column->type == EG_TYPE_INT || column->type == EG_TYPE_REAL) {
        char *end = NULL;
        double value = strtod(text, &end);
        return end == text + length && length > 0 && value == strtod(canonical, NULL);
    }
    size_t i = 0;
    for (;; i++, canonical++) {
        while (i < length && text[i] == ' ') {
            i++;
        }
        while (*canonical == ' ') {
            canonical++;
        }
        if (i == length || *canonical == '\0' || text[i] != *canonical) {
            return i == length && *canonical == '\0';
        }
    }
}

static bool holds(const condition *one, size_t point)
{
    const char *canonical = one->column->text[point];
    return canonical != NULL &&
           is_value(one->column, canonical, one->text + one->name + 1, one->length - one->name - 1);
}

static bool all_hold(const choice *c, size_t point)
{
    for (size_t i = 0; i < c->count; i++) {
        if (!holds(&c->conditions[i], point)) {
            return false;
        }
    }
    return true;
}

/** --- What there is instead ------------------------------------------------------------------- */

/** Its different values, as many as there is room for. */
static void list_values(char *out, size_t size, const eg_column *column, size_t points)
{
    for (size_t p = 0; p < points; p++) {
        bool known = column->text[p] == NULL;
        for (size_t q = 0; q < p && !known; q++) {
            known = column->text[q] != NULL && strcmp(column->text[q], column->text[p]) == 0;
        }
        if (known) {
            continue;
        }
        if (strlen(out) + strlen(column->text[p]) + 8 > size) {
            eg_append(out, size, " ...");
            return;
        }
        eg_append(out, size, "%s%s", out[0] == '\0' ? "" : ", ", column->text[p]);
    }
}

static eg_status nothing_matches(const choice *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const condition *one = &c->conditions[i];
        bool found = false;
        for (size_t p = 0; p < c->results->point_count && !found; p++) {
            found = holds(one, p);
        }
        if (!found) {
            char values[VALUES_SIZE] = "";
            list_values(values, sizeof values, one->column, c->results->point_count);
            return eg_fail(EG_INVALID, "no point has %.*s; values of %s are: %s", (int)one->length,
                           one->text, one->column->name, values);
        }
    }
    return eg_fail(EG_INVALID, "no point has all of %s", c->text);
}

/** --- The choice ------------------------------------------------------------------------------ */

static eg_status by_number(eg_point_choice *out, const choice *c, const eg_ranked_point *points)
{
    char *end = NULL;
    unsigned long long number = strtoull(c->text, &end, 10);
    for (size_t i = 0; i < c->results->point_count && *end == '\0'; i++) {
        if (points[i].point == number) {
            *out = (eg_point_choice){.point = &points[i]};
            return eg_ok();
        }
    }
    return eg_fail(EG_INVALID,
                   "no point %s: they are numbered from 0 to %zu, see `engram top -n 0`", c->text,
                   c->results->point_count - 1);
}

static bool has_value(const eg_ranked_point *point)
{
    return !eg_point_is_stale(point) && eg_point_selecting(point)->selected.n > 0;
}

eg_status eg_point_choose(eg_point_choice *out, const char *text, const eg_results *results,
                          const eg_ranked_point *points)
{
    choice c = {.results = results, .text = text};
    size_t all = 0;
    *out = (eg_point_choice){.point = NULL};
    if (text[0] >= '0' && text[0] <= '9') {
        return by_number(out, &c, points);
    }
    if (strcmp(text, "best") != 0) {
        EG_TRY(read_conditions(&c));
    }
    for (size_t i = 0; i < results->point_count; i++) {
        if (!all_hold(&c, points[i].point)) {
            continue;
        }
        all++;
        if (has_value(&points[i])) {
            out->matched++;
            out->point = out->point == NULL ? &points[i] : out->point;
        }
    }
    if (all == 0) {
        return nothing_matches(&c);
    }
    return out->point != NULL
               ? eg_ok()
               : eg_fail(EG_INVALID, "%s: no trial of the %zu point%s has a value yet", text, all,
                         eg_plural(all));
}
