/** Settings written as a map, dotted or nested, and the lists of assignments they become. */
#include "base/shared/schema_search.h"
#include "base/shared/settings_help.h"
#include "base/shared/value.h"
#include "engram/memory.h"
#include "sweep/sweep_read.h"
#include "sweep/yaml_text.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

static eg_status add_words(eg_sweep *sweep, eg_texts *list, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static eg_status add_words(eg_sweep *sweep, eg_texts *list, const char *format, va_list arguments)
{
    char words[EG_MESSAGE_SIZE];
    eg_words(words, format, arguments);
    EG_TRY(eg_arena_grow(sweep->arena, &list->items, &list->capacity, list->count + 1,
                         sizeof *list->items));
    EG_TRY(eg_arena_copy(sweep->arena, &list->items[list->count], words, strlen(words)));
    list->count++;
    return eg_ok();
}

eg_status eg_sweep_warn(eg_sweep *sweep, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    eg_status status = add_words(sweep, &sweep->warnings, format, arguments);
    va_end(arguments);
    return status;
}

eg_status eg_sweep_note(eg_sweep *sweep, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    eg_status status = add_words(sweep, &sweep->notes, format, arguments);
    va_end(arguments);
    return status;
}

eg_status eg_assignments_add(eg_sweep *sweep, eg_assignments *list, const char *name,
                             const char *value, eg_origin at)
{
    EG_TRY(eg_arena_grow(sweep->arena, &list->items, &list->capacity, list->count + 1,
                         sizeof *list->items));
    list->items[list->count++] = (eg_assignment){.name = name, .value = value, .origin = at};
    return eg_ok();
}

eg_status eg_assignments_track(eg_sweep *sweep, eg_assignments *list)
{
    return eg_arena_alloc(sweep->arena, &list->used, list->count, sizeof *list->used);
}

bool eg_sweep_is_member(const eg_sweep *sweep, const eg_param *param, const char *key)
{
    const eg_family *family = eg_schema_family(sweep->schema, param->family);
    return family != NULL && eg_family_find(family, key) != NULL;
}

eg_status eg_sweep_param(eg_sweep *sweep, const char *name, const eg_origin *at,
                         const eg_param **out)
{
    *out = eg_schema_param(sweep->schema, name);
    if (*out != NULL) {
        return eg_ok();
    }
    eg_settings *defaults = NULL;
    eg_status missing;
    EG_TRY(eg_settings_resolve_known(&defaults, sweep->schema, NULL, 0, NULL, &missing));
    eg_status status = eg_settings_unknown(sweep->schema, defaults, name);
    eg_settings_free(defaults);
    return eg_origin_wrap(status, at);
}

eg_status eg_sweep_part_of(eg_sweep *sweep, const char *name, const eg_param *param,
                           const eg_entry *entry)
{
    const char *full = NULL;
    EG_TRY(eg_arena_join(sweep->arena, &full, name, ".", entry->key));
    if (eg_schema_param(sweep->schema, full) != NULL) {
        return eg_ok();
    }
    eg_value value;
    eg_status status = eg_value_parse_as(&value, name, param, sweep->schema, entry->key);
    eg_value_clear(&value);
    return eg_origin_wrap(status, &entry->at);
}

/** One setting that is a single value. */
static eg_status add_value(eg_sweep *sweep, const char *name, const eg_entry *entry,
                           eg_assignments *out)
{
    const eg_param *param = NULL;
    const char *text = NULL;
    EG_TRY(eg_sweep_param(sweep, name, &entry->at, &param));
    bool list = eg_type_is_list(param->type);
    if (entry->value->kind == EG_NODE_LIST && !list) {
        return eg_fail_at(&entry->at, "%s takes one value here; several values belong under grid",
                          name);
    }
    EG_TRY(eg_node_text(&text, sweep->arena, entry->value, name));
    for (size_t i = 0; i < out->count; i++) {
        const eg_origin *other = &out->items[i].origin;
        bool same_file = entry->at.file != NULL && other->file == entry->at.file;
        if (same_file && other->line != 0 && strcmp(out->items[i].name, name) == 0) {
            return eg_fail_at(&entry->at, "%s is here twice; the first is on line %u", name,
                              other->line);
        }
    }
    return eg_assignments_add(sweep, out, name, text, entry->at);
}

/** "optimizer: {adam: {lr: 1e-3}}": the key inside names the component. */
static eg_status add_component(eg_sweep *sweep, const char *name, const eg_entry *chosen,
                               size_t siblings, eg_assignments *out)
{
    if (siblings > 1) {
        return eg_fail_at(&chosen->at,
                          "%s takes one component here; alternatives belong under grid", name);
    }
    eg_node *member = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &member, 1, sizeof *member));
    *member = (eg_node){.kind = EG_NODE_SCALAR, .at = chosen->at, .text = chosen->key};
    const eg_entry entry = {.key = name, .at = chosen->at, .value = member};
    EG_TRY(add_value(sweep, name, &entry, out));
    if (chosen->value->kind == EG_NODE_SCALAR && chosen->value->text[0] == '\0') {
        return eg_ok();
    }
    EG_TRY(eg_node_expect(chosen->value, EG_NODE_MAP, chosen->key));
    const char *prefix = NULL;
    EG_TRY(eg_arena_join(sweep->arena, &prefix, name, ".", ""));
    return eg_sweep_flatten(sweep, prefix, chosen->value, out);
}

eg_status eg_sweep_flatten(eg_sweep *sweep, const char *prefix, const eg_node *map,
                           eg_assignments *out)
{
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, prefix[0] == '\0' ? "base" : prefix));
    assert(map->count == 0 || map->entries != NULL);
    for (size_t i = 0; i < map->count; i++) {
        const eg_entry *entry = &map->entries[i];
        const char *name = NULL;
        EG_TRY(eg_arena_join(sweep->arena, &name, prefix, entry->key, ""));
        if (entry->value->kind != EG_NODE_MAP) {
            EG_TRY(add_value(sweep, name, entry, out));
            continue;
        }
        const eg_param *param = eg_schema_param(sweep->schema, name);
        if (param != NULL && param->type != EG_TYPE_COMPONENT) {
            return eg_fail_at(&entry->at, "%s takes a value, not a map; ranges belong under grid",
                              name);
        }
        const eg_entry *first = entry->value->count > 0 ? &entry->value->entries[0] : NULL;
        if (param != NULL && first != NULL && eg_sweep_is_member(sweep, param, first->key)) {
            EG_TRY(add_component(sweep, name, first, entry->value->count, out));
            continue;
        }
        const char *inner = NULL;
        EG_TRY(eg_arena_join(sweep->arena, &inner, name, ".", ""));
        if (param != NULL && first != NULL) {
            EG_TRY(eg_sweep_part_of(sweep, name, param, first));
        }
        EG_TRY(eg_sweep_flatten(sweep, inner, entry->value, out));
    }
    return eg_ok();
}
