/** Checks before a sweep starts. */
#ifndef CLI_PREFLIGHT_H
#define CLI_PREFLIGHT_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** Opens every dataset that unfinished trials ask for once, so that a missing or damaged file is one error now
 *  and not a thousand failed trials. `path`: of the results; `redo`: trials that --redo names count as
 *  unfinished, NULL: none. *data: their checksums as eg_session has them, a new text. */
eg_status eg_preflight_data(char **data, const eg_plan *plan, const char *path,
                            const char *redo) EG_WARN_UNUSED;

/** Refuses ids in `redo` (NULL: nothing is to be redone) that no trial has, neither of the plan nor of what the file at
 *  `path` holds: before anything is written. */
eg_status eg_preflight_redo(const eg_plan *plan, const char *path, const char *redo) EG_WARN_UNUSED;

/** What `engram run` would refuse when it opens the results file `path`, found without writing anything: another sweep's
 *  results, a place that cannot be written to. *writer: who is writing there now, which it would refuse too, as
 *  "host pid" (eg_free); NULL: nobody. `standard`: the path is the default, whose directory is made. */
eg_status eg_preflight_results(char **writer, const eg_plan *plan, const char *path,
                               bool standard) EG_WARN_UNUSED;

/** EG_INVALID: the directory results, which is where files go by default, cannot be made. */
eg_status eg_preflight_no_directory(int error) EG_WARN_UNUSED;

/** Refuses words that are not name=value. */
eg_status eg_preflight_overrides(char *const *words, size_t count) EG_WARN_UNUSED;

#endif
