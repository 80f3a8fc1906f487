/** Checks before a sweep starts. */
#ifndef CLI_PREFLIGHT_H
#define CLI_PREFLIGHT_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** What `engram run` would refuse when it opens the results file `path`, found without writing
 *  anything: another sweep's results, a place that cannot be written to. *writer: who is writing
 *  there now, which it would refuse too, as "host pid" (eg_free); NULL: nobody. `standard`: the
 *  path is the default, whose directory is made. */
eg_status eg_preflight_results(char **writer, const eg_plan *plan, const char *path,
                               bool standard) EG_WARN_UNUSED;

/** EG_INVALID: the directory results, which is where files go by default, cannot be made. */
eg_status eg_preflight_no_directory(int error) EG_WARN_UNUSED;

/** Refuses arguments that are not name=value. */
eg_status eg_preflight_overrides(char *const *overrides, size_t count) EG_WARN_UNUSED;

#endif
