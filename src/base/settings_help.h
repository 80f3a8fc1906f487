/** Inside the base room, and for the sweep room: what to say about a setting that does not exist. */
#ifndef BASE_SETTINGS_HELP_H
#define BASE_SETTINGS_HELP_H

#include "engram/settings.h"

/** The failure for `name`, which is no setting of these resolved settings: it belongs to another
 *  component, sits at another level, is misspelt, or is unknown altogether. */
eg_status eg_settings_unknown(const eg_schema *schema, const eg_settings *settings,
                              const char *name) EG_WARN_UNUSED;

/** Resolves like eg_settings_resolve, but passes over unknown names: used[i] says whether the name
 * of assignment i exists among the components chosen. With `partial`, a required setting that
 * nobody gave is there with an empty text instead of being an error. */
eg_status eg_settings_resolve_known(eg_settings **out, const eg_schema *schema,
                                    const eg_assignment *assignments, size_t count, bool *used,
                                    bool partial) EG_WARN_UNUSED;

#endif
