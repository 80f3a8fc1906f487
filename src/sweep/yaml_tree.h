/** Inside the sweep room: YAML text as a tree of maps, lists and scalars that know where they
 *  stand. */
#ifndef SWEEP_YAML_TREE_H
#define SWEEP_YAML_TREE_H

#include "engram/settings.h"
#include "sweep/arena.h"

typedef enum eg_node_kind { EG_NODE_SCALAR, EG_NODE_LIST, EG_NODE_MAP } eg_node_kind;

typedef struct eg_node eg_node;

typedef struct eg_entry {
    const char *key;
    eg_origin at;
    const eg_node *value;
} eg_entry;

/** Owned by the arena. An alias is the same node again, so this is a graph without cycles. */
struct eg_node {
    eg_node_kind kind;
    eg_origin at;
    const char *text;        /**< scalar */
    const eg_node **items;   /**< list */
    const eg_entry *entries; /**< map, in the order of the file; keys are distinct */
    size_t count;            /**< of items or entries */
    size_t weight;           /**< nodes below and including this one, aliases counted each time */
    unsigned height;         /**< levels below and including this one */
};

enum { EG_YAML_DEPTH_MAX = 32, EG_YAML_NODES_MAX = 2000000, EG_YAML_KEYS_MAX = 4096 };

/** Parses one document. `file` must outlive the tree. With `flow`, positions are left out: the text
 *  is a value from the command line and `file` says so. Errors, EG_INVALID: not UTF-8, a NUL byte,
 *  not YAML (a tab is named as such), no or several documents, a key twice, tags, merge keys, too
 *  deep, too large. */
eg_status eg_yaml_parse(const eg_node **out, eg_arena *arena, const char *file, const char *text,
                        size_t size, bool flow) EG_WARN_UNUSED;

/** The value of `key`, or NULL. */
const eg_node *eg_node_get(const eg_node *map, const char *key);

/** A scalar's text, or a list in flow form "[a, [b, c]]"; maps are refused with "NAME takes …". */
eg_status eg_node_text(const char **out, eg_arena *arena, const eg_node *node,
                       const char *name) EG_WARN_UNUSED;

/** "a map", "a list", "text 'abc'", "nothing": for messages. Static storage is not used: `buffer`
 *  is filled. */
enum { EG_NODE_WORDS = 64 };
const char *eg_node_words(const eg_node *node, char buffer[EG_NODE_WORDS]);

/** EG_INVALID with a position in front. */
eg_status eg_fail_at(const eg_origin *at, const char *format, ...) EG_PRINTF(2, 3);

/** Refuses a node of another kind: "grid must be a map, not a list". */
eg_status eg_node_expect(const eg_node *node, eg_node_kind kind, const char *name) EG_WARN_UNUSED;

/** Refuses keys of `map` other than `keys` (NULL-terminated), with the nearest: "unknown key 'sed'
 *  in WHERE". */
eg_status eg_node_keys(const eg_node *map, const char *const *keys,
                       const char *where) EG_WARN_UNUSED;

/** A whole number of a scalar in least … most. */
eg_status eg_node_integer(int64_t *out, const eg_node *node, const char *name, int64_t least,
                          int64_t most) EG_WARN_UNUSED;
/** A finite number of a scalar. */
eg_status eg_node_real(double *out, const eg_node *node, const char *name) EG_WARN_UNUSED;

#endif
