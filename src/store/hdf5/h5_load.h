/** The parts of loading a result file. */
#ifndef ENGRAM_STORE_H5_LOAD_H
#define ENGRAM_STORE_H5_LOAD_H

#include "store/results_owner.h"

#include <hdf5.h>

/** Trials without records. */
eg_status eg_h5_load_trials(eg_results_owner *owner, hid_t file, size_t count) EG_WARN_UNUSED;
/** Settings, declarations of variables, and all records; `brief`: those of stopped trials. */
eg_status eg_h5_load_variables(eg_results_owner *owner, hid_t file, bool brief) EG_WARN_UNUSED;
/** The records' part of it: adds the values of one recorded dataset to every trial's record, or
 *  `brief` to those of stopped trials. The values of the objective's variable go into `reported` of
 *  all trials. */
eg_status eg_h5_load_recorded(eg_results_owner *owner, hid_t file, const char *name,
                              bool brief) EG_WARN_UNUSED;

#endif
