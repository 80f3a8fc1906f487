/** What the datasets of a sweep hold: they are opened once, before anything runs. */
#ifndef RUN_DATA_H
#define RUN_DATA_H

#include "engram/status.h"
#include "engram/sweep.h"

/** A dataset that was opened: a hash of all its settings, and the checksum of its content. */
typedef struct eg_run_dataset {
    uint64_t settings, checksum;
} eg_run_dataset;

/** Zeros at first. */
typedef struct eg_run_data {
    char *lines, *vocabularies; /**< as eg_session has them */
    eg_run_dataset *opened;
    size_t count, capacity;
} eg_run_data;

/** Opens every dataset that unfinished trials ask for once. `path`: of the results; `redo`: trials
 *  that it names count as unfinished, NULL: none. *out: eg_run_data_clear, also after a failure. */
eg_status eg_run_data_init(eg_run_data *out, const eg_plan *plan, const char *path,
                           const char *redo) EG_WARN_UNUSED;
void eg_run_data_clear(eg_run_data *data);
/** The same for the points from `first` on, which the plan did not have at that time; they are in
 *  no eg_session. */
eg_status eg_run_data_add(eg_run_data *data, const eg_plan *plan, size_t first) EG_WARN_UNUSED;

/** The checksum of the dataset of these settings; 0: it was not opened. */
eg_status eg_run_data_find(uint64_t *checksum, const eg_run_data *data,
                           const eg_settings *settings) EG_WARN_UNUSED;

#endif
