/** Results as bytes, for a process that reads them for another. Both are the same program: this is
 *  no file format. */
#ifndef ENGRAM_STORE_RESULTS_PACK_H
#define ENGRAM_STORE_RESULTS_PACK_H

#include "base/shared/child.h"
#include "store/results_owner.h"

/** Writes everything, with a drain whenever some mebibytes have come together, and at the end. */
eg_status eg_results_write(const eg_results *results, eg_drain *out) EG_WARN_UNUSED;

/** Into an empty owner. Bounded by the reader: nonsense is EG_INVALID. */
eg_status eg_results_read(eg_results_owner *owner, eg_reader *reader) EG_WARN_UNUSED;

#endif
