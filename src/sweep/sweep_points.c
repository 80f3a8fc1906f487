/** A table of points: CSV (RFC 4180) with a header of setting names and a row per point. An empty
 *  cell leaves its setting at the base value or default. */
#include "sweep/axis.h"
#include "sweep/yaml_text.h"

#include <string.h>

enum { COLUMNS_MAX = 256 };

typedef struct table {
    eg_sweep *sweep;
    const char *text;
    size_t size, at;
    eg_origin origin; /* of the next character */
    char *cells;      /* where the next cell's text goes: no cell is longer than its source */
} table;

/* Lines and columns are counted here, because no CSV library says where a cell began; in
 * characters, as editors do and libyaml's positions: of each, the first byte counts. */
static void step(table *t)
{
    unsigned char c = (unsigned char)t->text[t->at++];
    if (c == '\n') {
        t->origin.line++;
        t->origin.column = 1;
    } else if ((c & 0xc0) != 0x80) {
        t->origin.column++;
    }
}

static char here(const table *t)
{
    return t->at < t->size ? t->text[t->at] : '\0';
}

/** A cell in quotation marks; a doubled one stands for itself. */
static eg_status read_quoted(table *t, char *cell, size_t *length)
{
    eg_origin start = t->origin;
    step(t);
    for (;;) {
        if (t->at >= t->size) {
            return eg_fail_at(&start, "a quotation mark that is never closed");
        }
        char c = here(t);
        step(t);
        if (c == '"' && here(t) != '"') {
            return eg_ok();
        }
        if (c == '"') {
            step(t);
        }
        cell[(*length)++] = c;
    }
}

static void trim(char *cell, size_t length)
{
    while (length > 0 && (cell[length - 1] == ' ' || cell[length - 1] == '\t')) {
        length--;
    }
    size_t start = strspn(cell, " \t");
    start = start < length ? start : length;
    memmove(cell, cell + start, length - start);
    cell[length - start] = '\0';
}

/** One cell and the comma or line end behind it; *last: the row ends here. */
static eg_status read_cell(table *t, const char **out, eg_origin *at, bool *last)
{
    char *cell = t->cells;
    size_t length = 0;
    *at = t->origin;
    if (here(t) == '"') {
        EG_TRY(read_quoted(t, cell, &length));
    } else {
        while (t->at < t->size && here(t) != ',' && here(t) != '\n' && here(t) != '\r') {
            cell[length++] = here(t);
            step(t);
        }
    }
    t->cells += length + 1;
    trim(cell, length);
    *out = cell;
    if (here(t) == '\r') {
        step(t);
    }
    *last = t->at >= t->size || here(t) == '\n';
    if (!*last && here(t) != ',') {
        return eg_fail_at(&t->origin,
                          "a comma or the end of the line belongs behind a quoted cell");
    }
    if (t->at < t->size) {
        step(t);
    }
    return eg_ok();
}

static bool blank_line(const table *t)
{
    size_t i = t->at;
    while (i < t->size && (t->text[i] == ' ' || t->text[i] == '\t' || t->text[i] == '\r')) {
        i++;
    }
    return i >= t->size || t->text[i] == '\n';
}

static void skip_blank_lines(table *t)
{
    while (t->at < t->size && blank_line(t)) {
        while (t->at < t->size && here(t) != '\n') {
            step(t);
        }
        if (t->at < t->size) {
            step(t);
        }
    }
}

/** One column; `name` NULL: given on the command line. */
typedef struct columns {
    const char *names[COLUMNS_MAX];
    size_t count;
} columns;

static eg_status read_header(table *t, columns *c)
{
    bool last = false;
    while (!last) {
        const char *name = NULL;
        eg_origin at;
        const eg_param *param = NULL;
        EG_TRY(read_cell(t, &name, &at, &last));
        if (name[0] == '\0' || c->count == COLUMNS_MAX) {
            return eg_fail_at(&at,
                              name[0] == '\0' ? "a column without a name" : "too many columns");
        }
        EG_TRY(eg_sweep_param(t->sweep, name, &at, &param));
        for (size_t i = 0; i < c->count; i++) {
            if (c->names[i] != NULL && strcmp(c->names[i], name) == 0) {
                return eg_fail_at(&at, "column %s is here twice", name);
            }
        }
        c->names[c->count++] = eg_sweep_overridden(t->sweep, name) ? NULL : name;
    }
    return eg_ok();
}

static eg_status read_row(table *t, const columns *c, eg_choice *choice)
{
    eg_assignment *items = NULL;
    eg_origin row = t->origin;
    size_t cells = 0;
    bool last = false;
    EG_TRY(eg_arena_alloc(t->sweep->arena, &items, c->count, sizeof *items));
    while (!last) {
        const char *text = NULL;
        eg_origin at;
        EG_TRY(read_cell(t, &text, &at, &last));
        bool given = cells < c->count && c->names[cells] != NULL && text[0] != '\0';
        if (given) {
            items[choice->count++] =
                (eg_assignment){.name = c->names[cells], .value = text, .origin = at};
        }
        cells++;
    }
    if (cells != c->count) {
        return eg_fail_at(&row, "a row of %zu cells under a header of %zu", cells, c->count);
    }
    choice->items = items;
    return eg_ok();
}

eg_status eg_axes_points(eg_sweep *sweep, eg_axes *axes, const eg_node *file)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    EG_TRY(eg_node_expect(file, EG_NODE_SCALAR, "points (the name of a CSV file)"));
    if (file->text[0] == '\0') {
        return eg_fail_at(&file->at, "points names no file");
    }
    const char *path = NULL;
    table t = {.sweep = sweep};
    EG_TRY(
        eg_sweep_beside(sweep, file->at.line > 0 ? file->at.file : sweep->path, file->text, &path));
    EG_TRY(eg_sweep_read_file(sweep, path, &file->at, &t.text, &t.size));
    EG_TRY(eg_text_check(path, t.text, t.size));
    EG_TRY(eg_arena_alloc(sweep->arena, &t.cells, t.size + 2, 2));
    t.origin = (eg_origin){.file = path, .line = 1, .column = 1};
    if (strncmp(t.text, byte_order_mark, 3) == 0) {
        t.at = 3;
    }
    columns c = {.count = 0};
    skip_blank_lines(&t);
    if (t.at >= t.size) {
        return eg_fail_at(&t.origin, "an empty table; the first line names the settings");
    }
    EG_TRY(read_header(&t, &c));
    eg_axis axis = {.label = "points table", .name = "points", .at = file->at};
    size_t capacity = 0;
    for (skip_blank_lines(&t); t.at < t.size; skip_blank_lines(&t)) {
        if (axis.count == EG_PLAN_POINTS_MAX) {
            return eg_fail_at(&t.origin, "more than %d points", (int)EG_PLAN_POINTS_MAX);
        }
        EG_TRY(eg_arena_grow(sweep->arena, &axis.choices, &capacity, axis.count + 1,
                             sizeof *axis.choices));
        axis.choices[axis.count] = (eg_choice){.count = 0};
        EG_TRY(read_row(&t, &c, &axis.choices[axis.count]));
        axis.count++;
    }
    EG_TRY(eg_arena_grow(sweep->arena, &sweep->tables, &sweep->table_capacity,
                         sweep->table_count + 1, sizeof *sweep->tables));
    sweep->tables[sweep->table_count++] =
        (eg_sweep_part){.path = path, .text = t.text, .size = t.size};
    if (axis.count == 0) {
        return eg_fail_at(&t.origin, "a table without a point; rows belong below the header");
    }
    return eg_axes_add(sweep, axes, &axis);
}
