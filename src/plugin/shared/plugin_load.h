/** For the rooms below: plug-ins, loaded into this process. What is loaded stays until the process
 *  ends, and its components are members of the schema's families (eg_trial_add_component). Not
 *  thread safe. */
#ifndef PLUGIN_LOAD_H
#define PLUGIN_LOAD_H

#include "engram/plugin.h"

/** A plug-in of this process. */
typedef struct eg_plugin_loaded {
    char *path;    /**< absolute */
    uint64_t hash; /**< of the file's bytes; the origin of its components */
    const eg_plugin *plugin;
} eg_plugin_loaded;

/** Loads the plug-in in the file at `path` and adds its components; does nothing if a file of the
 *  same bytes is loaded. Errors: EG_INVALID naming the file and what is wrong with it (no shared
 *  object, a field that differs, a descriptor that is none, a name that exists), EG_SYSTEM,
 *  EG_MEMORY. */
eg_status eg_plugin_load(const char *path) EG_WARN_UNUSED;

size_t eg_plugin_count(void);
const eg_plugin_loaded *eg_plugin_at(size_t index);

/** "HASH PATH\n…" of all that are loaded, "" if none: what another process needs for
 *  eg_plugin_expect. A new text. */
eg_status eg_plugin_list(char **out) EG_WARN_UNUSED;

/** Loads what such a list names, unless it is loaded. Errors: as eg_plugin_load, and EG_INVALID if
 *  a file's hash is another one here. */
eg_status eg_plugin_expect(const char *list) EG_WARN_UNUSED;

#endif
