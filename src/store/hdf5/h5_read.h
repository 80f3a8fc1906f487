/** Reading result files that have no journal beside them, and comparing the two. */
#ifndef ENGRAM_STORE_H5_READ_H
#define ENGRAM_STORE_H5_READ_H

#include "store/results_owner.h"

/** Whether the file at `path` is one of ours to replace: an engram result file, or an HDF5 file too
 * damaged to tell. Errors: EG_SYSTEM if it cannot be read. */
eg_status eg_h5_is_results(const char *path, bool *out) EG_WARN_UNUSED;

/** Loads a result file with all its records; `brief`: only with those of stopped trials, and no
 *  curve of another one is read. Errors, EG_INVALID: not HDF5, HDF5 of somebody else, a newer
 *  format, damaged, not plain (store/hdf5/h5_plain.h). */
eg_status eg_h5_load(eg_results_owner **out, const char *path, bool brief) EG_WARN_UNUSED;

/** Both run in a child process, because HDF5 may crash on damaged bytes. This one does not; for
 *  tests that look for such crashes. */
eg_status eg_h5_load_here(eg_results_owner **out, const char *path, bool brief) EG_WARN_UNUSED;

#endif
