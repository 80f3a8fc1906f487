/** Checks before a sweep starts. */
#ifndef CLI_PREFLIGHT_H
#define CLI_PREFLIGHT_H

#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>

/** A dataset that was opened: a hash of all its settings, and the checksum of its content. */
typedef struct eg_opened_data {
    uint64_t settings, checksum;
} eg_opened_data;

/** What the datasets of a sweep hold; zeros at first. */
typedef struct eg_data_content {
    char *lines; /**< as eg_session has them */
    eg_opened_data *opened;
    size_t count, capacity;
} eg_data_content;

void eg_data_content_clear(eg_data_content *content);

/** The checksum of the dataset of these settings; 0: it was not opened. */
eg_status eg_data_content_find(uint64_t *checksum, const eg_data_content *content,
                               const eg_settings *settings) EG_WARN_UNUSED;

/** Opens every dataset that unfinished trials ask for once, so that a missing or damaged file is one error now
 *  and not a thousand failed trials. `path`: of the results; `redo`: trials that --redo names count as
 *  unfinished, NULL: none. *content: eg_data_content_clear, also after a failure. */
eg_status eg_preflight_data(eg_data_content *content, const eg_plan *plan, const char *path,
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
