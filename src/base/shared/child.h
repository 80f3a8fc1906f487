/** Work on a file that nobody vouches for, in a process of its own: whatever a library or a plug-in
 *  does, it happens there, and what comes back is bytes again. */
#ifndef ENGRAM_BASE_CHILD_H
#define ENGRAM_BASE_CHILD_H

#include "engram/pack.h"

#include <stdint.h>

/** Where bytes go: `drain` takes what the writer holds and clears it. */
typedef struct eg_drain {
    eg_writer writer;
    eg_status (*drain)(void *user, eg_writer *writer);
    void *user;
} eg_drain;

/** What the child does: its bytes go to `out`, its status back to the caller. */
typedef eg_status (*eg_child_work)(void *user, eg_drain *out);

/** Runs `work` in a child process, with a limit on its processor time that grows with `bytes`, the
 *  size of what it reads. *reply (eg_free), *size: what it wrote. Errors: the status of `work`;
 *  EG_INVALID if the child died (says how), EG_SYSTEM if there can be none, EG_MEMORY. */
eg_status eg_child_run(unsigned char **reply, size_t *size, eg_child_work work, void *user,
                       uint64_t bytes) EG_WARN_UNUSED;

/** How long a child may take, and what its end is called; sentences without a point. */
typedef struct eg_child_rules {
    uint64_t processor_seconds;
    unsigned wall_seconds; /**< 0: any */
    const char *slow;      /**< it took too long */
    const char *crashed;   /**< it ended otherwise than by its work */
    const char *left;      /**< its work ended the process as if all was well */
} eg_child_rules;

/** The same under other rules. */
eg_status eg_child_run_within(unsigned char **reply, size_t *size, eg_child_work work, void *user,
                              const eg_child_rules *rules) EG_WARN_UNUSED;

#endif
