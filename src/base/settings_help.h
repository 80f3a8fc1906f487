/** Inside the base room: what to say about a setting that does not exist. */
#ifndef BASE_SETTINGS_HELP_H
#define BASE_SETTINGS_HELP_H

#include "engram/settings.h"

/** The failure for `name`, which is no setting of these resolved settings: it belongs to another
 *  component, sits at another level, is misspelt, or is unknown altogether. */
eg_status eg_settings_unknown(const eg_schema *schema, const eg_settings *settings,
                              const char *name) EG_WARN_UNUSED;

#endif
