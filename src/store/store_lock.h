/** One writer at a time: a lock file that names its holder. */
#ifndef ENGRAM_STORE_LOCK_H
#define ENGRAM_STORE_LOCK_H

#include "engram/status.h"

typedef struct eg_lock {
    int fd;     /**< -1: not held */
    char *path; /**< owned */
} eg_lock;

#define EG_LOCK_NONE ((eg_lock){.fd = -1, .path = NULL})

/** Takes the lock, also from a holder that died on this host. Errors: EG_INVALID if a living (or
 *  unknowable) process holds it, naming its host and pid, if what is at `path` is no lock, or if
 *  the directory is not writable; EG_SYSTEM. `file` is what the lock protects, for messages. */
eg_status eg_store_lock_take(eg_lock *lock, const char *path, const char *file) EG_WARN_UNUSED;
/** Removes the lock file, if it is still this one, and lets go. */
void eg_store_lock_release(eg_lock *lock);

/** "host pid" of the living holder of the lock at `path` (new text), NULL if there is none. Never
 * touches the lock. */
eg_status eg_store_lock_holder(char **out, const char *path) EG_WARN_UNUSED;

#endif
