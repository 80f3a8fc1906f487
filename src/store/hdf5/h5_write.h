/** The result file: a picture of the journal as a netCDF-4 data set.
 *
 *  Format 1. Everything is over the dimension `trial` or a scalar; other dimensions are those of
 *  the recorded variables. The file is built in memory and then written in one go, because the HDF5
 *  library cannot be used any more after a write of its own has failed (disk full): it crashes when
 *  the file is closed. Behind it stands a checksum (store/hdf5/checksum_footer.h). */
#ifndef ENGRAM_STORE_H5_WRITE_H
#define ENGRAM_STORE_H5_WRITE_H

#include "store/journal/journal_state.h"
#include "store/paths.h"

#define EG_RESULTS_FORMAT "engram-results"
enum { EG_RESULTS_VERSION = 1 };

/** Writes NAME.h5 from the journal state and its journal; see eg_replace_file for `suffix`. */
eg_status eg_h5_publish(const eg_journal_state *state, eg_journal *journal, const eg_paths *paths,
                        const char *suffix, bool complete) EG_WARN_UNUSED;

#endif
