/** Axes from whole maps: the entries of a grid, and the named groups of a zip. */
#include "sweep/axis.h"

#include "base/shared/schema_search.h"

#include <string.h>

/** A map below a name that is no component choice: {eval: {every: […]}} or {optimizer: {lr:
 *  […]}}. */
static bool is_group(const eg_sweep *sweep, const eg_param *param, const eg_node *node)
{
    if (node->kind != EG_NODE_MAP) {
        return false;
    }
    if (param == NULL) {
        return true;
    }
    return param->type == EG_TYPE_COMPONENT && node->count > 0 &&
           !eg_sweep_is_member(sweep, param, node->entries[0].key);
}

static eg_status add_group(eg_sweep *sweep, eg_axes *axes, const char *name, const eg_param *param,
                           const eg_node *node)
{
    if (param != NULL) {
        EG_TRY(eg_sweep_part_of(sweep, name, param, &node->entries[0]));
    }
    const char *inner = NULL;
    EG_TRY(eg_arena_join(sweep->arena, &inner, name, ".", ""));
    return eg_axes_grid(sweep, axes, inner, node);
}

eg_status eg_axes_grid(eg_sweep *sweep, eg_axes *axes, const char *prefix, const eg_node *map)
{
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, prefix[0] == '\0' ? "grid" : prefix));
    for (size_t i = 0; i < map->count; i++) {
        const eg_entry *entry = &map->entries[i];
        const char *name = NULL;
        EG_TRY(eg_arena_join(sweep->arena, &name, prefix, entry->key, ""));
        const eg_param *param = eg_schema_param(sweep->schema, name);
        if (is_group(sweep, param, entry->value)) {
            EG_TRY(add_group(sweep, axes, name, param, entry->value));
            continue;
        }
        eg_axis axis;
        EG_TRY(eg_sweep_param(sweep, name, &entry->at, &param));
        EG_TRY(eg_axis_values(sweep, &axis, name, param, entry->value, &entry->at));
        if (!eg_sweep_overridden(sweep, name)) {
            EG_TRY(eg_axes_add(sweep, axes, &axis));
        }
    }
    return eg_ok();
}

static eg_status zip_members(eg_sweep *sweep, eg_axes *members, const eg_node *group)
{
    for (size_t i = 0; i < group->count; i++) {
        const eg_entry *entry = &group->entries[i];
        const eg_param *param = NULL;
        eg_axis axis;
        EG_TRY(eg_sweep_param(sweep, entry->key, &entry->at, &param));
        EG_TRY(eg_axis_values(sweep, &axis, entry->key, param, entry->value, &entry->at));
        if (!eg_sweep_overridden(sweep, entry->key)) {
            EG_TRY(eg_axes_add(sweep, members, &axis));
        }
    }
    return eg_ok();
}

static eg_status zip_group(eg_sweep *sweep, eg_axes *axes, const eg_entry *group)
{
    eg_axes members = {0};
    EG_TRY(zip_members(sweep, &members, group->value));
    if (group->value->count == 0) {
        return eg_fail_at(&group->at, "zip group '%s' is empty", group->key);
    }
    if (members.count == 0) {
        return eg_ok(); /* all given on the command line */
    }
    size_t count = members.items[0].count;
    for (size_t i = 1; i < members.count; i++) {
        if (members.items[i].count != count) {
            return eg_fail_at(&members.items[i].at,
                              "zip group '%s': %s has %zu values but %s has %zu; they must agree",
                              group->key, members.items[0].name, count, members.items[i].name,
                              members.items[i].count);
        }
    }
    eg_axis axis = {.at = group->at, .count = count};
    EG_TRY(eg_arena_join(sweep->arena, &axis.label, "zip group ", group->key, ""));
    axis.name = axis.label;
    EG_TRY(eg_arena_alloc(sweep->arena, &axis.choices, count, sizeof *axis.choices));
    size_t width = eg_axes_width(&members);
    for (size_t k = 0; k < count; k++) {
        eg_assignment *items = NULL;
        EG_TRY(eg_arena_alloc(sweep->arena, &items, width, sizeof *items));
        for (size_t i = 0; i < members.count; i++) {
            const eg_choice *choice = &members.items[i].choices[k];
            memcpy(items + axis.choices[k].count, choice->items, choice->count * sizeof *items);
            axis.choices[k].count += choice->count;
        }
        axis.choices[k].items = items;
    }
    return eg_axes_add(sweep, axes, &axis);
}

eg_status eg_axes_zip(eg_sweep *sweep, eg_axes *axes, const eg_node *map)
{
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, "zip"));
    for (size_t i = 0; i < map->count; i++) {
        if (map->entries[i].value->kind != EG_NODE_MAP) {
            return eg_fail_at(&map->entries[i].at,
                              "zip holds named groups, each a map of settings: "
                              "zip: {%s: {name: [values], other: [values]}}",
                              strchr(map->entries[i].key, '.') == NULL ? map->entries[i].key
                                                                       : "group");
        }
        EG_TRY(zip_group(sweep, axes, &map->entries[i]));
    }
    return eg_ok();
}
