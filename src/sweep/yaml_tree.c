/** YAML events (libyaml) to a tree. The limits here are what keeps a hostile file from costing more
 *  than its size: depth is checked before going down, and a node's weight counts what its aliases
 *  stand for. */
#include "sweep/yaml_tree.h"

#include "sweep/yaml_text.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

typedef struct anchor {
    const char *name;
    const eg_node *node; /* NULL while the node is still open */
} anchor;

typedef struct reader {
    yaml_parser_t parser;
    eg_arena *arena;
    const char *file, *text;
    size_t size;
    bool flow;
    anchor *anchors;
    size_t anchor_count, anchor_capacity;
} reader;

static eg_origin origin_at(const reader *r, yaml_mark_t mark)
{
    eg_origin at = {.file = r->file};
    if (!r->flow) {
        at.line = (unsigned)mark.line + 1;
        at.column = (unsigned)mark.column + 1;
    }
    return at;
}

static eg_status parse_failure(const reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) {
        return eg_fail_memory(r->size);
    }
    eg_origin at = origin_at(r, p->problem_mark);
    /* libyaml has many words for a tab where spaces belong; the user needs to hear one. */
    eg_origin tab = at;
    if (!r->flow && eg_text_find_tab(r->text, r->size, &tab)) {
        return eg_fail_at(&tab, "a tab used for indentation; YAML wants spaces");
    }
    return eg_fail_at(&at, "not valid YAML: %s%s%s%s", p->problem != NULL ? p->problem : "error",
                      p->context != NULL ? " (" : "", p->context != NULL ? p->context : "",
                      p->context != NULL ? ")" : "");
}

static eg_status next_event(reader *r, yaml_event_t *event)
{
    if (!yaml_parser_parse(&r->parser, event)) {
        return parse_failure(r);
    }
    return eg_ok();
}

static eg_status remember_anchor(reader *r, const yaml_char_t *name, size_t *index)
{
    *index = SIZE_MAX;
    if (name == NULL) {
        return eg_ok();
    }
    if (r->anchor_count == EG_YAML_KEYS_MAX) {
        eg_origin at = {.file = r->file};
        return eg_fail_at(&at, "more than %d anchors", (int)EG_YAML_KEYS_MAX);
    }
    EG_TRY(eg_arena_grow(r->arena, &r->anchors, &r->anchor_capacity, r->anchor_count + 1,
                         sizeof *r->anchors));
    *index = r->anchor_count++;
    const char *text = (const char *)name;
    return eg_arena_copy(r->arena, &r->anchors[*index].name, text, strlen(text));
}

static eg_status find_alias(const reader *r, const yaml_event_t *event, const eg_node **out)
{
    const char *name = (const char *)event->data.alias.anchor;
    eg_origin at = origin_at(r, event->start_mark);
    for (size_t i = r->anchor_count; i > 0; i--) {
        if (strcmp(r->anchors[i - 1].name, name) == 0) {
            *out = r->anchors[i - 1].node;
            return *out != NULL ? eg_ok() : eg_fail_at(&at, "alias *%s stands inside itself", name);
        }
    }
    return eg_fail_at(&at, "alias *%s has no anchor &%s before it", name, name);
}

/** Counts `child` into `node`. */
static eg_status add_weight(eg_node *node, const eg_node *child)
{
    assert(child != NULL);
    node->weight += child->weight;
    if (node->weight > EG_YAML_NODES_MAX) {
        return eg_fail_at(&node->at, "more than %d values, aliases counted each time",
                          (int)EG_YAML_NODES_MAX);
    }
    if (child->height + 1 > node->height) {
        node->height = child->height + 1;
    }
    if (node->height > EG_YAML_DEPTH_MAX) {
        return eg_fail_at(&node->at, "nested more than %d levels deep", (int)EG_YAML_DEPTH_MAX);
    }
    return eg_ok();
}

static eg_status read_node(reader *r, const yaml_event_t *event, unsigned depth,
                           const eg_node **out);

static eg_status read_list(reader *r, eg_node *node, unsigned depth)
{
    size_t capacity = 0;
    for (;;) {
        yaml_event_t event;
        EG_TRY(next_event(r, &event));
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        const eg_node *item = NULL;
        eg_status status = end ? eg_ok() : read_node(r, &event, depth + 1, &item);
        yaml_event_delete(&event);
        if (end || status.code != EG_OK) {
            return status;
        }
        EG_TRY(add_weight(node, item));
        EG_TRY(
            eg_arena_grow(r->arena, &node->items, &capacity, node->count + 1, sizeof *node->items));
        node->items[node->count++] = item;
    }
}

static eg_status check_key(const eg_node *map, const eg_node *key)
{
    if (map->count == EG_YAML_KEYS_MAX) {
        return eg_fail_at(&key->at, "a map with more than %d keys", (int)EG_YAML_KEYS_MAX);
    }
    if (key->kind != EG_NODE_SCALAR) {
        return eg_fail_at(&key->at, "a key must be plain text");
    }
    if (strcmp(key->text, "<<") == 0) {
        return eg_fail_at(&key->at, "merge keys (<<) are not supported; use include, or base");
    }
    for (size_t i = 0; i < map->count; i++) {
        if (strcmp(map->entries[i].key, key->text) == 0) {
            return eg_fail_at(&key->at, "key '%.80s' is here twice; the first is on line %u",
                              key->text, map->entries[i].at.line);
        }
    }
    return eg_ok();
}

static eg_status read_map(reader *r, eg_node *node, unsigned depth)
{
    size_t capacity = 0;
    eg_entry *entries = NULL;
    for (;;) {
        yaml_event_t event;
        EG_TRY(next_event(r, &event));
        bool end = event.type == YAML_MAPPING_END_EVENT;
        const eg_node *key = NULL;
        eg_status status = end ? eg_ok() : read_node(r, &event, depth + 1, &key);
        yaml_event_delete(&event);
        if (end || status.code != EG_OK) {
            return status;
        }
        EG_TRY(check_key(node, key));
        EG_TRY(next_event(r, &event));
        const eg_node *value = NULL;
        status = read_node(r, &event, depth + 1, &value);
        yaml_event_delete(&event);
        EG_TRY(status);
        EG_TRY(add_weight(node, value));
        EG_TRY(eg_arena_grow(r->arena, &entries, &capacity, node->count + 1, sizeof *entries));
        entries[node->count++] = (eg_entry){.key = key->text, .at = key->at, .value = value};
        node->entries = entries;
    }
}

static eg_status refuse_tag(const eg_origin *at, const yaml_char_t *tag)
{
    if (tag != NULL) {
        return eg_fail_at(at, "tags (%.60s) are not supported", (const char *)tag);
    }
    return eg_ok();
}

/** The node that `event` begins. Recursion is bounded by EG_YAML_DEPTH_MAX. */
static eg_status read_node(reader *r, const yaml_event_t *event, unsigned depth,
                           const eg_node **out)
{
    if (event->type == YAML_ALIAS_EVENT) {
        return find_alias(r, event, out);
    }
    eg_origin at = origin_at(r, event->start_mark);
    if (depth > EG_YAML_DEPTH_MAX) {
        return eg_fail_at(&at, "nested more than %d levels deep", (int)EG_YAML_DEPTH_MAX);
    }
    eg_node *node = NULL;
    EG_TRY(eg_arena_alloc(r->arena, &node, 1, sizeof *node));
    *node = (eg_node){.at = at, .weight = 1, .height = 1};
    size_t index = SIZE_MAX;
    if (event->type == YAML_SCALAR_EVENT) {
        node->kind = EG_NODE_SCALAR;
        EG_TRY(refuse_tag(&at, event->data.scalar.tag));
        EG_TRY(remember_anchor(r, event->data.scalar.anchor, &index));
        const char *value = (const char *)event->data.scalar.value;
        if (memchr(value, '\0', event->data.scalar.length) != NULL) {
            return eg_fail_at(&at, "text with a NUL character");
        }
        EG_TRY(eg_arena_copy(r->arena, &node->text, value, event->data.scalar.length));
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        node->kind = EG_NODE_LIST;
        EG_TRY(refuse_tag(&at, event->data.sequence_start.tag));
        EG_TRY(remember_anchor(r, event->data.sequence_start.anchor, &index));
        EG_TRY(read_list(r, node, depth));
    } else {
        node->kind = EG_NODE_MAP;
        EG_TRY(refuse_tag(&at, event->data.mapping_start.tag));
        EG_TRY(remember_anchor(r, event->data.mapping_start.anchor, &index));
        EG_TRY(read_map(r, node, depth));
    }
    if (index != SIZE_MAX) {
        r->anchors[index].node = node;
    }
    *out = node;
    return eg_ok();
}

/** The events around the one document's root. */
static eg_status read_document(reader *r, const eg_node **out)
{
    *out = NULL;
    for (;;) {
        yaml_event_t event;
        EG_TRY(next_event(r, &event));
        yaml_event_type_t type = event.type;
        eg_origin at = origin_at(r, event.start_mark);
        eg_status status = eg_ok();
        if (type == YAML_DOCUMENT_START_EVENT && *out != NULL) {
            status = eg_fail_at(&at, "more than one YAML document in the file; a sweep is one");
        } else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                   type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT) {
            status = read_node(r, &event, 1, out);
        }
        yaml_event_delete(&event);
        if (status.code != EG_OK || type == YAML_STREAM_END_EVENT) {
            return status;
        }
    }
}

eg_status eg_yaml_parse(const eg_node **out, eg_arena *arena, const char *file, const char *text,
                        size_t size, bool flow)
{
    *out = NULL;
    EG_TRY(eg_text_check(file, text, size));
    reader r = {.arena = arena, .file = file, .text = text, .size = size, .flow = flow};
    if (!yaml_parser_initialize(&r.parser)) {
        return eg_fail_memory(sizeof r.parser);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
    eg_status status = read_document(&r, out);
    yaml_parser_delete(&r.parser);
    return status;
}
