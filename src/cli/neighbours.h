/** The ranks of one job on this host, as the system shows their processes: those that the same
 *  mpirun started. */
#ifndef CLI_NEIGHBOURS_H
#define CLI_NEIGHBOURS_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Name of the thread that every rank has while it starts, see cli/startup.h. */
#define EG_STARTUP_THREAD "engram-startup"

typedef struct eg_neighbour {
    bool there;     /**< its process was found at the last look */
    bool suspended; /**< … and is stopped (SIGSTOP, Ctrl-Z) */
    bool arrived;   /**< it was once seen to start MPI; always true of what a script starts */
    long rank;      /**< -1: not known, it was never seen */
    long pid;       /**< 0: it was never seen */
} eg_neighbour;

typedef struct eg_neighbours {
    long launcher; /**< the process that started them; 0: it cannot be told which */
    char host[64];
    size_t own;         /**< this process's place among them */
    eg_neighbour *list; /**< [count]; NULL: they cannot be seen */
    size_t count;
    size_t there;  /**< how many were found at the last look */
    size_t coming; /**< how many the launcher was about to start then */
} eg_neighbours;

/** From inside a rank: finds the launcher and how many ranks it has on this host. Where that cannot
 *  be known (another launcher than Open MPI's, no /proc), `list` stays NULL, which is no failure.
 *  Release with eg_neighbours_clear. Errors: EG_MEMORY. */
eg_status eg_neighbours_find(eg_neighbours *out) EG_WARN_UNUSED;
/** From outside: the ranks of the process `launcher`; `own` means nothing, and `list` stays NULL
 *  until eg_neighbours_count has met one of them. */
void eg_neighbours_below(eg_neighbours *out, long launcher);
/** Makes the list if some rank is there that says how many there are. Errors: EG_MEMORY. */
eg_status eg_neighbours_count(eg_neighbours *me) EG_WARN_UNUSED;
void eg_neighbours_clear(eg_neighbours *me);

/** Looks which of them there are. False if the launcher is gone. */
bool eg_neighbours_look(eg_neighbours *me) EG_WARN_UNUSED;

/** Has some thread of the process a child? True also if that cannot be told. */
bool eg_has_children(long pid);

#endif
