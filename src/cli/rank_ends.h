/** Which rank of a job ended first while the job started, as its supervisor sees it. The launcher,
 *  or MPI in the other ranks, may end all others as soon as one is gone, before any of them can say
 *  which one it was. */
#ifndef CLI_RANK_ENDS_H
#define CLI_RANK_ENDS_H

#include "cli/neighbours.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_rank_ends {
    eg_neighbours ranks; /**< those of this host that the launcher started itself */
    int *handles;        /**< [ranks.count] of processes; -1: never seen, or there are none */
    int queue;           /**< says which processes have ended, in order; -1: cannot be known */
    size_t seen;         /**< how many ranks were there at some look */
    bool found;          /**< one has ended */
    size_t first;        /**< which */
} eg_rank_ends;

/** For the ranks of the process `launcher`. Release with eg_rank_ends_close. */
void eg_rank_ends_open(eg_rank_ends *out, long launcher);
void eg_rank_ends_close(eg_rank_ends *me);

/** Looks which ranks there are. The order of ends is exact among ranks that were there at some look
 *  (needs Linux 5.3; elsewhere among looks). Errors: EG_MEMORY. */
eg_status eg_rank_ends_look(eg_rank_ends *me) EG_WARN_UNUSED;

/** Were all ranks of this host seen? */
bool eg_rank_ends_all_seen(const eg_rank_ends *me);

/** Once all have ended: leaves, of `ranks`, as not there the one that ended first, and those that
 *  were never seen. False: none was ever seen. */
bool eg_rank_ends_first(eg_rank_ends *me) EG_WARN_UNUSED;

#endif
