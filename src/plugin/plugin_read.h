/** Reading a plug-in's file: what eg_plugin_load does before anything is added. */
#ifndef PLUGIN_READ_H
#define PLUGIN_READ_H

#include "engram/plugin.h"

/** The absolute path (eg_free), and the hash of the bytes there. Errors: EG_INVALID, EG_SYSTEM,
 *  EG_MEMORY. */
eg_status eg_plugin_identify(char **path, uint64_t *hash, const char *name) EG_WARN_UNUSED;

/** Maps the file at `path` and runs its constructors. `any_real`: also one of the other real type,
 *  of which only the sizes and the components' own descriptors may be looked at. Errors: EG_INVALID
 *  naming the file. */
eg_status eg_plugin_open(const eg_plugin **out, const char *path, bool any_real) EG_WARN_UNUSED;

/** Refuses descriptors that are incomplete, out of bounds, or have names that no setting can have.
 *  EG_INVALID names the component. */
eg_status eg_plugin_validate(const eg_plugin *plugin) EG_WARN_UNUSED;

/** The numbers of a component's defaults, as eg_view_numbers has them. */
eg_status eg_plugin_defaults(double *out, const eg_component *component) EG_WARN_UNUSED;

#endif
