/** Looking at nodes of a YAML tree, and saying what is wrong with them. */
#include "base/shared/value.h"
#include "sweep/yaml_text.h"
#include "sweep/yaml_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

eg_status eg_fail_at(const eg_origin *at, const char *format, ...)
{
    eg_status status = {.code = EG_INVALID};
    va_list arguments;
    va_start(arguments, format);
    eg_words(status.message, format, arguments);
    va_end(arguments);
    return eg_origin_wrap(status, at);
}

const eg_node *eg_node_get(const eg_node *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->entries[i].key, key) == 0) {
            return map->entries[i].value;
        }
    }
    return NULL;
}

const char *eg_node_words(const eg_node *node, char buffer[EG_NODE_WORDS])
{
    if (node->kind == EG_NODE_MAP) {
        return "a map";
    }
    if (node->kind == EG_NODE_LIST) {
        return "a list";
    }
    if (node->text[0] == '\0') {
        return "nothing";
    }
    (void)snprintf(buffer, EG_NODE_WORDS, "'%.40s'", node->text);
    return buffer;
}

eg_status eg_node_expect(const eg_node *node, eg_node_kind kind, const char *name)
{
    static const char *const words[] = {
        [EG_NODE_SCALAR] = "a single value", [EG_NODE_LIST] = "a list", [EG_NODE_MAP] = "a map"};
    if (node->kind != kind) {
        char buffer[EG_NODE_WORDS];
        return eg_fail_at(&node->at, "%s must be %s, not %s", name, words[kind],
                          eg_node_words(node, buffer));
    }
    return eg_ok();
}

eg_status eg_node_keys(const eg_node *map, const char *const *keys, const char *where)
{
    for (size_t i = 0; i < map->count; i++) {
        const eg_entry *entry = &map->entries[i];
        eg_nearest nearest = {0};
        bool known = false;
        for (size_t k = 0; keys[k] != NULL; k++) {
            known = known || strcmp(entry->key, keys[k]) == 0;
            eg_nearest_offer(&nearest, entry->key, keys[k]);
        }
        if (!known && nearest.best != NULL) {
            return eg_fail_at(&entry->at, "unknown key '%.80s' in %s; did you mean %s?", entry->key,
                              where, nearest.best);
        }
        if (!known) {
            char list[200] = "";
            for (size_t k = 0; keys[k] != NULL; k++) {
                size_t used = strlen(list);
                (void)snprintf(list + used, sizeof list - used, "%s%s", k == 0 ? "" : ", ",
                               keys[k]);
            }
            return eg_fail_at(&entry->at, "unknown key '%.80s' in %s; known are %s", entry->key,
                              where, list);
        }
    }
    return eg_ok();
}

eg_status eg_node_real(double *out, const eg_node *node, const char *name)
{
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, name));
    const char *why = NULL;
    if (!eg_real_read(out, node->text, &why)) {
        char buffer[EG_NODE_WORDS];
        return eg_fail_at(&node->at, "%s must be %s, not %s", name, why,
                          eg_node_words(node, buffer));
    }
    return eg_ok();
}

eg_status eg_node_integer(int64_t *out, const eg_node *node, const char *name, int64_t least,
                          int64_t most)
{
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, name));
    eg_param param = {.name = name, .type = EG_TYPE_INT, .min = (double)least, .max = (double)most};
    eg_value value;
    eg_status status = eg_value_parse(&value, &param, NULL, node->text);
    *out = value.integer;
    eg_value_clear(&value);
    return eg_origin_wrap(status, &node->at);
}

/* Lists as text -------------------------------------------------------------------------------- */

static size_t text_size(const eg_node *node)
{
    if (node->kind == EG_NODE_SCALAR) {
        return strlen(node->text);
    }
    size_t size = 2;
    for (size_t i = 0; i < node->count; i++) {
        size += text_size(node->items[i]) + 2;
    }
    return size;
}

static char *print_text(const eg_node *node, char *at)
{
    if (node->kind == EG_NODE_SCALAR) {
        size_t length = strlen(node->text);
        memcpy(at, node->text, length);
        return at + length;
    }
    *at++ = '[';
    for (size_t i = 0; i < node->count; i++) {
        if (i > 0) {
            *at++ = ',';
            *at++ = ' ';
        }
        at = print_text(node->items[i], at);
    }
    *at++ = ']';
    return at;
}

static eg_status refuse_maps(const eg_node *node, const char *name)
{
    if (node->kind == EG_NODE_MAP) {
        return eg_fail_at(&node->at, "%s takes a value, not a map", name);
    }
    for (size_t i = 0; node->kind == EG_NODE_LIST && i < node->count; i++) {
        EG_TRY(refuse_maps(node->items[i], name));
    }
    return eg_ok();
}

eg_status eg_node_text(const char **out, eg_arena *arena, const eg_node *node, const char *name)
{
    EG_TRY(refuse_maps(node, name));
    char *text = NULL;
    EG_TRY(eg_arena_alloc(arena, &text, text_size(node) + 1, 1));
    *print_text(node, text) = '\0';
    *out = text;
    return eg_ok();
}
