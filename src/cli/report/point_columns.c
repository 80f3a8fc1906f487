/** Settings as columns; see cli/report/point_columns.h. */
#include "cli/report/point_columns.h"

#include "cli/format.h"
#include "engram/memory.h"
#include "engram/settings.h"
#include "engram/trial.h"

#include <stdint.h>
#include <string.h>

enum { CELL_SIZE = 400 };

static size_t candidates(const eg_point_columns *c)
{
    return c->plan != NULL ? c->plan->swept_count : c->results->column_count;
}

static size_t points(const eg_point_columns *c)
{
    return c->plan != NULL ? c->plan->point_count : c->results->point_count;
}

static const char *name_of(const eg_point_columns *c, size_t candidate)
{
    return c->plan != NULL ? c->plan->swept[candidate] : c->results->columns[candidate].name;
}

static const char *text_of(const eg_point_columns *c, size_t candidate, size_t point)
{
    if (c->plan == NULL) {
        return c->results->columns[candidate].text[point];
    }
    const eg_setting *setting =
        eg_settings_find(c->plan->points[point].settings, c->plan->swept[candidate]);
    bool acts = setting != NULL && eg_trial_uses(c->plan->points[point].settings, setting->name);
    return acts ? setting->value.text : NULL;
}

const char *eg_point_columns_name(const eg_point_columns *columns, size_t i)
{
    return name_of(columns, columns->index[i]);
}

const char *eg_point_columns_text(const eg_point_columns *columns, size_t i, size_t point)
{
    return text_of(columns, columns->index[i], point);
}

static bool takes_several_values(const eg_point_columns *c, size_t candidate)
{
    const char *first = NULL;
    for (size_t p = 0; p < points(c); p++) {
        const char *text = text_of(c, candidate, p);
        if (first == NULL) {
            first = text;
        } else if (text != NULL && strcmp(first, text) != 0) {
            return true;
        }
    }
    return false;
}

static bool is_missing_somewhere(const eg_point_columns *c, size_t candidate)
{
    size_t p = 0;
    while (p < points(c) && text_of(c, candidate, p) != NULL) {
        p++;
    }
    return p < points(c);
}

/** The shown setting closest above setting i: "optimizer" for "optimizer.lr". */
static size_t find_parent(const eg_point_columns *c, size_t i)
{
    const char *name = eg_point_columns_name(c, i);
    size_t parent = SIZE_MAX;
    size_t longest = 0;
    for (size_t j = 0; j < c->count; j++) {
        const char *other = eg_point_columns_name(c, j);
        size_t length = strlen(other);
        if (length > longest && strncmp(name, other, length) == 0 && name[length] == '.') {
            parent = j;
            longest = length;
        }
    }
    return parent;
}

static void find_parents(eg_point_columns *c)
{
    for (size_t i = 0; i < c->count; i++) {
        c->parent[i] = find_parent(c, i);
    }
}

static eg_status choose(eg_point_columns *c, bool all)
{
    size_t most = candidates(c);
    EG_TRY(eg_alloc(&c->index, most, sizeof *c->index));
    EG_TRY(eg_alloc(&c->parent, most, sizeof *c->parent));
    for (size_t i = 0; i < most; i++) {
        bool swept = c->plan != NULL || c->results->columns[i].swept;
        if ((swept && takes_several_values(c, i)) || (all && is_missing_somewhere(c, i))) {
            c->index[c->count++] = i;
        }
    }
    find_parents(c);
    return eg_ok();
}

void eg_point_columns_drop(eg_point_columns *columns, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < columns->count; i++) {
        if (strcmp(eg_point_columns_name(columns, i), name) != 0) {
            columns->index[kept++] = columns->index[i];
        }
    }
    columns->count = kept;
    find_parents(columns);
}

eg_status eg_point_columns_of_plan(eg_point_columns *out, const eg_plan *plan)
{
    *out = (eg_point_columns){.plan = plan};
    return choose(out, false);
}

eg_status eg_point_columns_of_results(eg_point_columns *out, const eg_results *results, bool all)
{
    *out = (eg_point_columns){.results = results};
    return choose(out, all);
}

void eg_point_columns_clear(eg_point_columns *columns)
{
    eg_free(columns->index);
    eg_free(columns->parent);
    *columns = (eg_point_columns){0};
}

size_t eg_point_columns_width(const eg_point_columns *columns)
{
    size_t width = 0;
    for (size_t i = 0; i < columns->count; i++) {
        width += columns->parent[i] == SIZE_MAX;
    }
    return width;
}

eg_status eg_point_columns_head(const eg_point_columns *columns, eg_table *table)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->parent[i] == SIZE_MAX) {
            EG_TRY(eg_table_cell(table, "%s", eg_point_columns_name(columns, i)));
        }
    }
    return eg_ok();
}

/** Appends what belongs to setting i: " lr=0.0002", and so on downwards. */
static void append_children(const eg_point_columns *c, size_t i, size_t point, char *text)
{
    for (size_t child = 0; child < c->count; child++) {
        const char *value = eg_point_columns_text(c, child, point);
        if (c->parent[child] == i && value != NULL) {
            const char *own = eg_point_columns_name(c, child) + strlen(eg_point_columns_name(c, i));
            eg_append(text, CELL_SIZE, " %s=%s", own + 1, value);
            append_children(c, child, point, text);
        }
    }
}

eg_status eg_point_columns_row(const eg_point_columns *columns, eg_table *table, size_t point)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->parent[i] != SIZE_MAX) {
            continue;
        }
        char text[CELL_SIZE] = "";
        const char *value = eg_point_columns_text(columns, i, point);
        eg_append(text, sizeof text, "%s", value == NULL ? "" : value);
        append_children(columns, i, point, text);
        EG_TRY(eg_table_cell(table, "%s", text));
    }
    return eg_ok();
}
