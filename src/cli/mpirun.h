/** The command line of mpirun that starts `engram run` on several ranks. */
#ifndef CLI_MPIRUN_H
#define CLI_MPIRUN_H

#include "cli/command.h"

/** mpirun and the options that every launch needs, wherever its ranks run. Errors: EG_INVALID
 *  where there is no mpirun. */
eg_status eg_mpirun_common(eg_command *out) EG_WARN_UNUSED;

/** Options for `ranks` ranks on this machine. */
eg_status eg_mpirun_here(eg_command *out, size_t ranks) EG_WARN_UNUSED;

/** Options for the hosts of a list HOST[:RANKS],HOST[:RANKS]…, the first of which is this
 *  machine. The others are tried first. Errors: EG_INVALID for a list that cannot work. */
eg_status eg_mpirun_hosts(eg_command *out, const char *list) EG_WARN_UNUSED;

/** One thread a rank: small networks gain nothing from more, and ranks already fill the cores. */
eg_status eg_mpirun_set_threads(void) EG_WARN_UNUSED;

/** Cores that this process may use; a container may be allowed fewer cores' worth of time than
 *  it sees. */
size_t eg_mpirun_cores(void);

#endif
