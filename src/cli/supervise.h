/** Running a launcher of ranks (mpirun, srun) with signals and an exit code that can be relied
 *  on. */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include "cli/command.h"

#include <stdbool.h>

/** How the ranks ended. */
typedef struct eg_supervised {
    /** Rank 0's exit code; EG_EXIT_SYSTEM if it was lost, EG_EXIT_STOPPED if a signal ended it
     *  before it could say so itself. */
    int code;
    bool terminated; /**< SIGTERM was among the signals received */
} eg_supervised;

/** Runs `launcher`, whose rank 0 must be on this host, to its end. The first SIGINT, SIGTERM,
 *  SIGHUP or SIGUSR1 asks the ranks to stop (SIGUSR1 to the launcher, until it has been heard),
 *  the second one ends them within two seconds. Asked with another signal than SIGUSR1, everything
 *  has ended 20 s later, by force if need be. No process that was started is left behind.
 *  Afterwards these signals stay blocked. `who`: the verb, for what is said meanwhile. */
eg_status eg_supervise(eg_supervised *out, const eg_command *launcher,
                       const char *who) EG_WARN_UNUSED;

#endif
