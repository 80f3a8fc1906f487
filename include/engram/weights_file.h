/** Files of weights: plain HDF5 that h5py, MATLAB and every other reader opens. docs/weights.md
 *  describes them. */
#ifndef ENGRAM_WEIGHTS_FILE_H
#define ENGRAM_WEIGHTS_FILE_H

#include "engram/predictor.h"
#include "engram/status.h"

/** EG_INVALID unless a file of weights can be written to `path`: its directory exists and may be
 *  written to, and nothing is there but an earlier file of weights. Nothing is written. */
eg_status eg_weights_file_check(const char *path) EG_WARN_UNUSED;

/** Writes the file whole: under a temporary name, synced, then renamed. `version`: of engram.
 *  Errors: as eg_weights_file_check; EG_SYSTEM, EG_MEMORY. */
eg_status eg_weights_file_write(const char *path, const eg_predictor *predictor,
                                const char *version) EG_WARN_UNUSED;

/** The same for weights that are kept of every trial: makes the directory of `path` if it is not
 *  there, and starts no process, so that a thread may call it at any time. `attempt` tells two
 *  attempts at a trial apart that write at once. Replaces files of engram only. */
eg_status eg_weights_file_keep(const char *path, uint32_t attempt, const eg_predictor *predictor,
                               const char *version) EG_WARN_UNUSED;

/** Reads a file of weights into *out (zero before; eg_predictor_clear after success). A file that
 *  somebody else made may lack everything but arrays, the format's name and its version; what it
 *  lacks is zero. Read in a child process, since HDF5 may crash on damaged bytes. Errors,
 *  EG_INVALID: no such file, not HDF5, not weights, damaged, a newer format, not plain (links,
 *  other files, other filters than deflate). */
eg_status eg_weights_file_read(eg_predictor *out, const char *path) EG_WARN_UNUSED;

#endif
