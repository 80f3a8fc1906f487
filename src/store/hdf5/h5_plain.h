/** What a results file may be made of. */
#ifndef ENGRAM_STORE_H5_PLAIN_H
#define ENGRAM_STORE_H5_PLAIN_H

#include "store/hdf5/h5_file.h"

/** EG_INVALID unless everything at the root and in `provenance` is in the file itself and stored in
 *  an ordinary way: no soft, external or user-defined links (they read other files with the rights
 *  of whoever looks), no external or virtual storage, no filters but deflate, shuffle and checksums
 *  (others load code). */
eg_status eg_h5_check_plain(hid_t file) EG_WARN_UNUSED;
/** The same of everything directly in one group. */
eg_status eg_h5_check_plain_group(hid_t group) EG_WARN_UNUSED;

#endif
