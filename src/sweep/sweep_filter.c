/** Conditions on points. Values are compared as canonical text, so 1e-4 equals 0.0001. */
#include "sweep/filter.h"

#include "base/shared/value.h"

#include <string.h>

static const struct {
    const char *word;
    eg_relation relation;
} relations[] = {{"above", EG_ABOVE},
                 {"below", EG_BELOW},
                 {"at_least", EG_AT_LEAST},
                 {"at_most", EG_AT_MOST},
                 {"not", EG_NONE_OF}};

typedef struct list {
    eg_condition *items;
    size_t count, capacity;
} list;

/** Checks a value against the declaration, so that a condition that can never hold is an error, and
 *  keeps its canonical text. */
static eg_status add_value(eg_sweep *sweep, eg_condition *condition, const eg_param *param,
                           const eg_node *node)
{
    const char *text = NULL;
    eg_value value;
    EG_TRY(eg_node_text(&text, sweep->arena, node, condition->name));
    eg_status status = eg_value_parse_as(&value, condition->name, param, sweep->schema, text);
    if (status.code == EG_OK) {
        status = eg_arena_copy(sweep->arena, &condition->values[condition->count++], value.text,
                               strlen(value.text));
    }
    eg_value_clear(&value);
    return eg_origin_wrap(status, &node->at);
}

/** One value, or a list of them: any of. For a setting that is itself a list, a flat list is one
 *  value. */
static eg_status read_values(eg_sweep *sweep, eg_condition *condition, const eg_param *param,
                             const eg_node *node)
{
    bool list_typed = eg_type_is_list(param->type);
    unsigned own_height = param->type == EG_TYPE_GROUPS ? 3 : 2;
    bool one = node->kind != EG_NODE_LIST || (list_typed && node->height <= own_height);
    size_t count = one ? 1 : node->count;
    if (count == 0) {
        return eg_fail_at(&node->at, "%s: an empty list of values", condition->name);
    }
    EG_TRY(eg_arena_alloc(sweep->arena, &condition->values, count, sizeof *condition->values));
    for (size_t i = 0; i < count; i++) {
        EG_TRY(add_value(sweep, condition, param, one ? node : node->items[i]));
    }
    return eg_ok();
}

static eg_status add(eg_sweep *sweep, list *conditions, const eg_condition *condition)
{
    EG_TRY(eg_arena_grow(sweep->arena, &conditions->items, &conditions->capacity,
                         conditions->count + 1, sizeof *conditions->items));
    conditions->items[conditions->count++] = *condition;
    return eg_ok();
}

static eg_status read_relation(eg_sweep *sweep, list *conditions, const char *name,
                               const eg_param *param, const eg_entry *entry)
{
    eg_condition condition = {.name = name};
    eg_nearest nearest = {0};
    size_t i = 0;
    while (i < EG_COUNT(relations) && strcmp(relations[i].word, entry->key) != 0) {
        eg_nearest_offer(&nearest, entry->key, relations[i].word);
        i++;
    }
    if (i == EG_COUNT(relations)) {
        return nearest.best != NULL
                   ? eg_fail_at(&entry->at, "%s: unknown condition '%.60s'; did you mean %s?", name,
                                entry->key, nearest.best)
                   : eg_fail_at(&entry->at,
                                "%s: unknown condition '%.60s'; known are above, below, at_least, "
                                "at_most, not",
                                name, entry->key);
    }
    condition.relation = relations[i].relation;
    if (condition.relation == EG_NONE_OF) {
        EG_TRY(read_values(sweep, &condition, param, entry->value));
    } else if (param->type != EG_TYPE_INT && param->type != EG_TYPE_REAL) {
        return eg_fail_at(&entry->at, "%s is not a number: %s does not apply", name, entry->key);
    } else {
        EG_TRY(eg_node_real(&condition.bound, entry->value, entry->key));
    }
    return add(sweep, conditions, &condition);
}

eg_status eg_filter_read(eg_sweep *sweep, eg_filter *out, const eg_node *map, const char *where)
{
    list conditions = {0};
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, where));
    if (map->count == 0) {
        return eg_fail_at(&map->at, "%s without a condition would match every point", where);
    }
    for (size_t i = 0; i < map->count; i++) {
        const eg_entry *entry = &map->entries[i];
        const eg_param *param = NULL;
        EG_TRY(eg_sweep_param(sweep, entry->key, &entry->at, &param));
        if (entry->value->kind == EG_NODE_MAP) {
            for (size_t k = 0; k < entry->value->count; k++) {
                EG_TRY(read_relation(sweep, &conditions, entry->key, param,
                                     &entry->value->entries[k]));
            }
            continue;
        }
        eg_condition condition = {.name = entry->key, .relation = EG_ANY_OF};
        EG_TRY(read_values(sweep, &condition, param, entry->value));
        EG_TRY(add(sweep, &conditions, &condition));
    }
    *out = (eg_filter){.at = map->at, .conditions = conditions.items, .count = conditions.count};
    return eg_ok();
}

static bool holds(const eg_condition *condition, const eg_setting *setting)
{
    const eg_value *value = &setting->value;
    bool found = false;
    switch (condition->relation) {
    case EG_ABOVE:
        return value->real > condition->bound;
    case EG_BELOW:
        return value->real < condition->bound;
    case EG_AT_LEAST:
        return value->real >= condition->bound;
    case EG_AT_MOST:
        return value->real <= condition->bound;
    default:
        for (size_t i = 0; i < condition->count; i++) {
            found = found || strcmp(condition->values[i], value->text) == 0;
        }
        return found == (condition->relation == EG_ANY_OF);
    }
}

bool eg_filter_matches(const eg_filter *filter, const eg_settings *settings)
{
    for (size_t i = 0; i < filter->count; i++) {
        const eg_setting *setting = eg_settings_find(settings, filter->conditions[i].name);
        /* An empty text is a required setting that a later `when` may still give. */
        bool there = setting != NULL &&
                     (setting->value.text[0] != '\0' || setting->param->type == EG_TYPE_TEXT);
        if (!there || !holds(&filter->conditions[i], setting)) {
            return false;
        }
    }
    return true;
}
