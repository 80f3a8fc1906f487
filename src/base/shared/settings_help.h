/** For the rooms below: what to say about a setting that does not exist. */
#ifndef BASE_SETTINGS_HELP_H
#define BASE_SETTINGS_HELP_H

#include "engram/settings.h"

/** The failure for `name`, which is no setting of these resolved settings: it belongs to another
 *  component, sits at another level, is misspelt, or is unknown altogether. */
eg_status eg_settings_unknown(const eg_schema *schema, const eg_settings *settings,
                              const char *name) EG_WARN_UNUSED;

/** Resolves without judging: used[i] says whether the name of assignment i exists among the
 *  components chosen; *missing is the failure for the first required setting that nobody gave (it
 *  is there, with an empty text), or EG_OK. */
eg_status eg_settings_resolve_known(eg_settings **out, const eg_schema *schema,
                                    const eg_assignment *assignments, size_t count, bool *used,
                                    eg_status *missing) EG_WARN_UNUSED;

#endif
