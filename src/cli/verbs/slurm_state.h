/** What a job of Slurm leaves for its next start, and how it sees that it got anywhere. */
#ifndef CLI_SLURM_STATE_H
#define CLI_SLURM_STATE_H

#include "engram/sweep.h"

#include <stdbool.h>
#include <stdint.h>

/** What changes when anything is achieved: results, or a checkpoint of a running trial. */
typedef struct eg_slurm_state {
    size_t finished;
    size_t checkpoints;
    uint64_t mark; /**< of their names and times */
} eg_slurm_state;

eg_status eg_slurm_state_read(eg_slurm_state *out, const eg_plan *plan,
                              const char *results) EG_WARN_UNUSED;
bool eg_slurm_state_same(const eg_slurm_state *a, const eg_slurm_state *b);

/** Sets SLURM_JOB_END_TIME, which older Slurm tells to nobody unasked: ranks stop in time by it. */
eg_status eg_slurm_tell_end(const char *job) EG_WARN_UNUSED;

/** Notes which job runs on which host, in NAME.slurm beside the results. engram never takes over
 *  the lock of another host. When Slurm starts the job again elsewhere because its node is gone,
 *  the lock that its last start has left there is nobody's and is removed: *reclaimed. */
eg_status eg_slurm_mark(bool *reclaimed, const char *job, const char *results,
                        size_t restarts) EG_WARN_UNUSED;
void eg_slurm_unmark(const char *results);

#endif
