/** Who works on a sweep, as its journal tells. */
#ifndef CLI_WORKERS_H
#define CLI_WORKERS_H

#include "engram/status.h"
#include "engram/store.h"

#include <stddef.h>
#include <stdint.h>

/** A worker of the run of the command that is going on. */
typedef struct eg_worker_state {
    uint32_t rank;
    const char *host;         /**< borrowed from the results */
    const eg_result *running; /**< the trial it was given first of those it has; NULL: none */
    size_t held;              /**< trials it has, that one included */
    size_t finished;          /**< … and that it finished in this run of the command */
    double busy_seconds;      /**< they took */
} eg_worker_state;

/** *out [count] by host and rank: all workers that have been given something since the last run of
 *  the command began; empty if nobody is writing. Release with eg_free. */
eg_status eg_workers_find(eg_worker_state **out, size_t *count,
                          const eg_results *results) EG_WARN_UNUSED;

#endif
