/** For the rooms below: is a plug-in what it says. */
#ifndef PLUGIN_CHECK_H
#define PLUGIN_CHECK_H

#include "engram/status.h"

#include <stdbool.h>

/** What the file at `path` begins like: a shared object, whatever it holds. */
bool eg_plugin_is_object(const char *path);

/** Loads the plug-in and runs the conformance suite on it, in a child process that may take so many
 *  seconds. *report (eg_free): a line for every component that was tried. Errors: EG_INVALID,
 *  naming the component and what it breaks, or where it crashed, ended the process, or did not come
 *  to an end; EG_SYSTEM, EG_MEMORY. */
eg_status eg_plugin_check(char **report, const char *path, unsigned seconds) EG_WARN_UNUSED;

#endif
