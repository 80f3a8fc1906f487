/** The keys of a sweep file that make points: base, grid, zip, around, when, exclude, only, sample,
 *  points, blocks. */
#include "base/shared/schema_search.h"
#include "sweep/block.h"

#include <string.h>

enum { WHENS_MAX = 32 };

/** One map of conditions, or a list of them. */
static eg_status read_filters(eg_sweep *sweep, eg_filter **out, size_t *count, const eg_node *node,
                              const char *where)
{
    bool list = node->kind == EG_NODE_LIST;
    size_t given = list ? node->count : 1;
    EG_TRY(eg_arena_alloc(sweep->arena, out, given, sizeof **out));
    for (size_t i = 0; i < given; i++) {
        EG_TRY(eg_filter_read(sweep, &(*out)[i], list ? node->items[i] : node, where));
    }
    *count = given;
    return eg_ok();
}

static eg_status read_excludes(eg_sweep *sweep, eg_filter **out, size_t *count, const eg_node *node)
{
    return node == NULL ? eg_ok() : read_filters(sweep, out, count, node, "exclude");
}

static eg_status read_only(eg_sweep *sweep, eg_blocks *out)
{
    const eg_node *node = eg_sweep_key(sweep, "only");
    if (node == NULL) {
        return eg_ok();
    }
    if (node->kind == EG_NODE_LIST && node->count == 0) {
        return eg_fail_at(&node->at, "only is empty: it keeps no point");
    }
    return read_filters(sweep, &out->onlys, &out->only_count, node, "only");
}

static eg_status read_when(eg_sweep *sweep, eg_when *out, const eg_node *node)
{
    static const char *const keys[] = {"if", "grid", NULL};
    EG_TRY(eg_node_expect(node, EG_NODE_MAP, "an entry of when"));
    EG_TRY(eg_node_keys(node, keys, "when"));
    const eg_node *condition = eg_node_get(node, "if");
    const eg_node *grid = eg_node_get(node, "grid");
    if (condition == NULL || grid == NULL) {
        return eg_fail_at(&node->at, "an entry of when needs %s: - if: {…}  grid: {…}",
                          condition == NULL ? "'if'" : "a grid");
    }
    EG_TRY(eg_filter_read(sweep, &out->filter, condition, "'if'"));
    EG_TRY(eg_axes_grid(sweep, &out->grid, "", grid));
    out->filter.at = node->at;
    return eg_axes_check(&out->grid);
}

static eg_status read_whens(eg_sweep *sweep, eg_block *block, const eg_node *node)
{
    if (node == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_node_expect(node, EG_NODE_LIST, "when"));
    if (node->count > WHENS_MAX) {
        return eg_fail_at(&node->at, "more than %d entries of when", (int)WHENS_MAX);
    }
    EG_TRY(eg_arena_alloc(sweep->arena, &block->whens, node->count, sizeof *block->whens));
    for (size_t i = 0; i < node->count; i++) {
        EG_TRY(read_when(sweep, &block->whens[i], node->items[i]));
        block->when_count++;
    }
    return eg_ok();
}

/** The keys a block shares with the top level; each is looked up by `get`. */
typedef const eg_node *(*getter)(const void *from, const char *key);

static const eg_node *get_key(const void *sweep, const char *key)
{
    return eg_sweep_key(sweep, key);
}

static const eg_node *get_entry(const void *map, const char *key)
{
    return eg_node_get(map, key);
}

static eg_status read_axes(eg_sweep *sweep, eg_block *block, getter get, const void *from)
{
    const eg_node *grid = get(from, "grid");
    const eg_node *zip = get(from, "zip");
    const eg_node *around = get(from, "around");
    const eg_node *sample = get(from, "sample");
    const eg_node *points = get(from, "points");
    if (grid != NULL) {
        EG_TRY(eg_node_expect(grid, EG_NODE_MAP, "grid"));
        if (grid->count == 0) {
            return eg_fail_at(&grid->at, "the grid is empty; leave it out for a single point");
        }
        EG_TRY(eg_axes_grid(sweep, &block->axes, "", grid));
    }
    if (zip != NULL) {
        EG_TRY(eg_axes_zip(sweep, &block->axes, zip));
    }
    if (around != NULL) {
        EG_TRY(eg_axes_around(sweep, &block->axes, around));
    }
    if (sample != NULL) {
        EG_TRY(eg_axes_sample(sweep, &block->axes, sample));
    }
    if (points != NULL) {
        EG_TRY(eg_axes_points(sweep, &block->axes, points));
    }
    const eg_node *first = grid != NULL     ? grid
                           : zip != NULL    ? zip
                           : around != NULL ? around
                           : sample != NULL ? sample
                                            : points;
    if (first != NULL) {
        block->at = first->at;
    }
    EG_TRY(eg_axes_check(&block->axes));
    return read_whens(sweep, block, get(from, "when"));
}

static eg_status read_block(eg_sweep *sweep, eg_block *block, const eg_entry *entry)
{
    static const char *const keys[] = {"base",    "grid",   "zip",    "around", "when",
                                       "exclude", "sample", "points", NULL};
    EG_TRY(eg_node_expect(entry->value, EG_NODE_MAP, "a block"));
    EG_TRY(eg_node_keys(entry->value, keys, "a block"));
    block->label = entry->key;
    block->at = entry->at;
    const eg_node *base = eg_node_get(entry->value, "base");
    if (base != NULL) {
        EG_TRY(eg_sweep_flatten(sweep, "", base, &block->base));
    }
    EG_TRY(read_excludes(sweep, &block->excludes, &block->exclude_count,
                         eg_node_get(entry->value, "exclude")));
    return read_axes(sweep, block, get_entry, entry->value);
}

/** `protocol` and `max_seconds` are settings with keys of their own: a value, or a map like those
 *  of base. */
static eg_status read_setting_key(eg_sweep *sweep, const char *key, eg_assignments *base)
{
    const eg_node *node = eg_sweep_key(sweep, key);
    if (node == NULL) {
        return eg_ok();
    }
    const eg_entry entry = {.key = key, .at = node->at, .value = node};
    const eg_node map = {.kind = EG_NODE_MAP, .at = node->at, .entries = &entry, .count = 1};
    return eg_sweep_flatten(sweep, "", &map, base);
}

static eg_status read_bases(eg_sweep *sweep, eg_assignments *base)
{
    for (size_t i = 0; i < sweep->part_count; i++) {
        const eg_node *node = eg_node_get(sweep->parts[i].root, "base");
        if (node != NULL) {
            EG_TRY(eg_sweep_flatten(sweep, "", node, base));
        }
    }
    EG_TRY(read_setting_key(sweep, "protocol", base));
    if (eg_sweep_pairs_seeds(sweep)) {
        const eg_origin at = eg_sweep_key(sweep, "seeds")->at;
        EG_TRY(eg_assignments_add(sweep, base, "seeding", "order_init", at));
    }
    return read_setting_key(sweep, "max_seconds", base);
}

/** An override with several values is an axis of every block; with one it is a setting of every
 *  point. */
static eg_status read_overrides(eg_sweep *sweep, eg_blocks *out)
{
    for (size_t i = 0; i < sweep->override_count; i++) {
        const eg_override *override = &sweep->overrides[i];
        const eg_param *param = eg_schema_param(sweep->schema, override->name);
        if (override->key || param == NULL) {
            continue;
        }
        bool list_typed = eg_type_is_list(param->type);
        const eg_node *node = override->node;
        bool single = node->kind == EG_NODE_SCALAR || (node->kind == EG_NODE_LIST && list_typed);
        if (single) {
            const eg_origin at = {.file = "command line"};
            const char *text = NULL;
            EG_TRY(eg_node_text(&text, sweep->arena, node, override->name));
            EG_TRY(eg_assignments_add(sweep, &out->overrides, override->name, text, at));
        } else {
            eg_axis axis;
            EG_TRY(eg_axis_values(sweep, &axis, override->name, param, node, &node->at));
            axis.label = "command line";
            EG_TRY(eg_axes_add(sweep, &out->override_axes, &axis));
        }
    }
    return eg_axes_check(&out->override_axes);
}

/** Of included files only base is merged. What else makes points is taken whole from the last file
 *  that has it, which is worth a word: somebody may have meant the union. */
static eg_status note_replaced(eg_sweep *sweep)
{
    static const char *const keys[] = {"grid", "zip",    "around", "when",  "exclude",
                                       "only", "sample", "points", "blocks"};
    for (size_t k = 0; k < EG_COUNT(keys); k++) {
        const eg_origin *earlier = NULL;
        for (size_t i = 0; i < sweep->part_count; i++) {
            const eg_node *node = eg_node_get(sweep->parts[i].root, keys[k]);
            /* A file may be included twice. */
            if (node != NULL && earlier != NULL && strcmp(node->at.file, earlier->file) != 0) {
                EG_TRY(eg_sweep_note(sweep,
                                     "%s:%u: %s replaces that of %s:%u (of included files only "
                                     "base is merged)",
                                     node->at.file, node->at.line, keys[k], earlier->file,
                                     earlier->line));
            }
            earlier = node != NULL ? &node->at : earlier;
        }
    }
    return eg_ok();
}

eg_status eg_blocks_read(eg_sweep *sweep, eg_blocks *out)
{
    EG_TRY(note_replaced(sweep));
    const eg_node *blocks = eg_sweep_key(sweep, "blocks");
    size_t named = 0;
    if (blocks != NULL) {
        EG_TRY(eg_node_expect(blocks, EG_NODE_MAP, "blocks"));
        named = blocks->count;
        if (named == 0) {
            return eg_fail_at(&blocks->at, "blocks is empty");
        }
    }
    EG_TRY(read_bases(sweep, &out->base));
    EG_TRY(read_overrides(sweep, out));
    EG_TRY(
        read_excludes(sweep, &out->excludes, &out->exclude_count, eg_sweep_key(sweep, "exclude")));
    EG_TRY(read_only(sweep, out));
    EG_TRY(eg_arena_alloc(sweep->arena, &out->items, named + 1, sizeof *out->items));
    bool top = blocks == NULL || eg_sweep_key(sweep, "grid") != NULL ||
               eg_sweep_key(sweep, "zip") != NULL || eg_sweep_key(sweep, "around") != NULL ||
               eg_sweep_key(sweep, "sample") != NULL || eg_sweep_key(sweep, "points") != NULL;
    const eg_node *when = eg_sweep_key(sweep, "when");
    if (!top && when != NULL) {
        return eg_fail_at(&when->at, "when extends a top-level grid, and there is none; it belongs "
                                     "inside the blocks");
    }
    if (top) {
        eg_block *block = &out->items[out->count++];
        block->label = "";
        block->at = (eg_origin){.file = sweep->path};
        EG_TRY(read_axes(sweep, block, get_key, sweep));
    }
    for (size_t i = 0; i < named; i++) {
        EG_TRY(read_block(sweep, &out->items[out->count], &blocks->entries[i]));
        out->count++;
    }
    EG_TRY(eg_assignments_track(sweep, &out->base));
    EG_TRY(eg_assignments_track(sweep, &out->overrides));
    for (size_t i = 0; i < out->count; i++) {
        EG_TRY(eg_assignments_track(sweep, &out->items[i].base));
    }
    return eg_ok();
}
