/** HDF5 with eg_status: quiet errors, attributes, and the datasets of a netCDF-4 file. */
#ifndef ENGRAM_STORE_H5_FILE_H
#define ENGRAM_STORE_H5_FILE_H

#include "store/journal/journal_state.h"

#include <hdf5.h>

/** Stores a failure and jumps to `done:` if an HDF5 call returns a negative value. */
#define EG_H5_DONE(status, call)                                                                   \
    do {                                                                                           \
        if ((call) < 0) {                                                                          \
            (status) = eg_h5_failure();                                                            \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

/** The innermost words of HDF5's error stack, as EG_SYSTEM. */
eg_status eg_h5_failure(void);

/** Around all use of HDF5: one thread at a time, and no process is forked meanwhile. HDF5 prints
 *  its errors unless told not to; the setting belongs to the whole library, so it is put back. */
typedef struct eg_h5_quiet {
    H5E_auto2_t function;
    void *data;
} eg_h5_quiet;
eg_h5_quiet eg_h5_quiet_begin(void);
void eg_h5_quiet_end(eg_h5_quiet quiet);

/** Closes any kind of id; negative ones are ignored. */
void eg_h5_close(hid_t id);

/** Creation properties of a file, group or dataset (H5P_…_CREATE): what is inside in the order of
 *  its creation, and without times, so that equal contents give equal files. */
hid_t eg_h5_plain_properties(hid_t kind);

/** Variable-length UTF-8, the only kind of text that every netCDF reader takes (fixed-length string
 * datasets crash netCDF-C 4.9.0). */
hid_t eg_h5_text_type(void);

eg_status eg_h5_attribute_text(hid_t object, const char *name, const char *text) EG_WARN_UNUSED;
/** A scalar attribute of the given type. */
eg_status eg_h5_attribute(hid_t object, const char *name, hid_t type,
                          const void *value) EG_WARN_UNUSED;
/** A list attribute (`_FillValue` is one of one element). */
eg_status eg_h5_attribute_list(hid_t object, const char *name, hid_t type, const void *values,
                               size_t count) EG_WARN_UNUSED;

#endif
