/** The parts of the result file, one function each. */
#ifndef ENGRAM_STORE_H5_PARTS_H
#define ENGRAM_STORE_H5_PARTS_H

#include "store/hdf5/h5_layout.h"
#include "store/shared/order_groups.h"

/** Names of the per-trial variables that every file has, in their order. */
const char *eg_h5_fixed_name(size_t index); /**< NULL at the end */
/** Identities, status, times, host … of all trials. */
eg_status eg_h5_write_fixed(eg_h5_out *out, const eg_journal_state *state) EG_WARN_UNUSED;
/** One variable per setting; names [columns]. */
eg_status eg_h5_write_settings(eg_h5_out *out, const eg_journal_state *state,
                               const char *const *names) EG_WARN_UNUSED;
/** All recorded variables; names [variables], NULL for the one that is among the fixed ones. Adds
 *  every trial to groups that have begun. */
eg_status eg_h5_write_records(eg_h5_out *out, const eg_journal_state *state, eg_journal *journal,
                              const char *const *names, eg_order_groups *groups) EG_WARN_UNUSED;
/** Disparities over orders of tasks; nothing if there are none. After all other variables: their
 *  names stay. */
eg_status eg_h5_write_orders(eg_h5_out *out, const eg_journal_state *state,
                             const eg_order_groups *groups) EG_WARN_UNUSED;
/** Attributes of the root and the group `provenance`. */
eg_status eg_h5_write_provenance(eg_h5_out *out, const eg_journal_state *state,
                                 bool complete) EG_WARN_UNUSED;

#endif
