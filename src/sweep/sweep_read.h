/** Inside the sweep room: one sweep while it is being read. */
#ifndef SWEEP_SWEEP_READ_H
#define SWEEP_SWEEP_READ_H

#include "engram/sweep.h"
#include "sweep/arena.h"
#include "sweep/yaml_tree.h"

/** One file: included ones first, the sweep file itself last. Later ones win. */
typedef struct eg_sweep_part {
    const char *path;
    const char *text;
    size_t size;
    const eg_node *root;
} eg_sweep_part;

/** "name=value" from the command line. */
typedef struct eg_override {
    const char *name;
    const char *text; /**< of the value */
    const eg_node *node;
    bool key; /**< a key of the sweep file (seeds, stop …); otherwise a setting */
} eg_override;

/** A growing list of assignments. Those of `base` and of overrides apply to the points that have
 *  such a setting; `used` says whether any had. */
typedef struct eg_assignments {
    eg_assignment *items;
    size_t count, capacity;
    bool *used; /**< made by eg_assignments_track */
} eg_assignments;

/** A growing list of sentences for the user. */
typedef struct eg_texts {
    const char **items;
    size_t count, capacity;
} eg_texts;

typedef struct eg_sweep {
    eg_arena *arena;
    const eg_schema *schema;
    const char *path;
    eg_sweep_part *parts;
    size_t part_count, part_capacity;
    eg_sweep_part *tables; /**< CSV files that were read; no root */
    size_t table_count, table_capacity;
    size_t include_count; /**< a file counted each time it is included */
    size_t read_bytes;    /**< of all files so far */
    eg_override *overrides;
    size_t override_count;
    eg_texts warnings, notes;
} eg_sweep;

/* sweep_file.c --------------------------------------------------------------- */

/** A whole file into the arena, with a NUL behind it. `from` is where it was asked for (NULL file:
 *  nowhere). */
eg_status eg_sweep_read_file(eg_sweep *sweep, const char *path, const eg_origin *from,
                             const char **text, size_t *size) EG_WARN_UNUSED;

/** The sweep file itself. "-" is standard input, whose name becomes `standard input`: includes are
 *  then relative to the working directory. */
eg_status eg_sweep_read_main(eg_sweep *sweep, const char **text, size_t *size) EG_WARN_UNUSED;

/** `name` relative to the folder of `beside`. */
eg_status eg_sweep_beside(eg_sweep *sweep, const char *beside, const char *name,
                          const char **path) EG_WARN_UNUSED;

/** Parses `text` and everything it includes into sweep->parts. */
eg_status eg_sweep_add_parts(eg_sweep *sweep, const char *path, const char *text,
                             size_t size) EG_WARN_UNUSED;

/** Loads the plug-ins that key `plugins` names, one or a list (NULL: none), relative to the folder
 *  of `beside`. Unlike other keys those of all files count. */
eg_status eg_sweep_load_plugins(eg_sweep *sweep, const char *beside,
                                const eg_node *names) EG_WARN_UNUSED;

/** The value of a top-level key: from the command line, else from the last part that has it; NULL
 *  if none. */
const eg_node *eg_sweep_key(const eg_sweep *sweep, const char *key);

/* plan_seeds.c --------------------------------------------------------------- */

/** Whether seeds are pairs: seeds: {order: …, init: …}. */
bool eg_sweep_pairs_seeds(const eg_sweep *sweep);

/* overrides.c ---------------------------------------------------------------- */

eg_status eg_sweep_add_overrides(eg_sweep *sweep, const char *const *overrides,
                                 size_t count) EG_WARN_UNUSED;

/** Is this setting given on the command line? Then its values in the file do not count. */
bool eg_sweep_overridden(const eg_sweep *sweep, const char *name);

/** Does it belong to a component that the command line chose? Then it may be without effect. */
bool eg_sweep_inside_override(const eg_sweep *sweep, const char *name);

/* base_map.c ----------------------------------------------------------------- */

/** Appends the settings of a (nested) map: {optimizer: {adam: {lr: 1e-3}}, eval.every: 10}. */
eg_status eg_sweep_flatten(eg_sweep *sweep, const char *prefix, const eg_node *map,
                           eg_assignments *out) EG_WARN_UNUSED;
eg_status eg_assignments_add(eg_sweep *sweep, eg_assignments *list, const char *name,
                             const char *value, eg_origin at) EG_WARN_UNUSED;
eg_status eg_assignments_track(eg_sweep *sweep, eg_assignments *list) EG_WARN_UNUSED;

/** The declaration of a setting by any component; otherwise the failure for an unknown name. */
eg_status eg_sweep_param(eg_sweep *sweep, const char *name, const eg_origin *at,
                         const eg_param **out) EG_WARN_UNUSED;

/** Is `key` a member of the family that `param` (a component) chooses from? */
bool eg_sweep_is_member(const eg_sweep *sweep, const eg_param *param, const char *key);

/** Refuses a key that is neither a member of the component setting `name` nor one of its
 *  parameters. */
eg_status eg_sweep_part_of(eg_sweep *sweep, const char *name, const eg_param *param,
                           const eg_entry *entry) EG_WARN_UNUSED;

/** A sentence for eg_plan.warnings, and one for eg_plan.notes. */
eg_status eg_sweep_warn(eg_sweep *sweep, const char *format, ...) EG_PRINTF(2, 3) EG_WARN_UNUSED;
eg_status eg_sweep_note(eg_sweep *sweep, const char *format, ...) EG_PRINTF(2, 3) EG_WARN_UNUSED;

#endif
