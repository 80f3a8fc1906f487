/** What an HDF5 file that nobody vouches for may be made of. */
#ifndef ENGRAM_DATA_PLAIN_LINK_H
#define ENGRAM_DATA_PLAIN_LINK_H

#include "engram/status.h"

#include <hdf5.h>

/** EG_INVALID, naming the link, unless what it leads to is in the file itself and stored in an
 *  ordinary way: no soft, external or user-defined link (they read other files with the rights of
 *  whoever looks), no external or virtual storage, no filters but deflate, shuffle and checksums
 *  (others load code). */
eg_status eg_plain_link_check(hid_t group, const char *name) EG_WARN_UNUSED;

#endif
