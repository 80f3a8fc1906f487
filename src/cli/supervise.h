/** Running a launcher of ranks (mpirun, srun) with signals and an exit code that can be relied on. */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include "cli/command.h"

#include <stdbool.h>

/** Names the file for the exit code of the job, for a supervisor that its launcher does not tell: rank 0 writes it, or a
 *  rank that ends the job while it starts. */
#define EG_EXIT_CODE_VARIABLE "ENGRAM_EXIT_CODE_FILE"

/** Tells the supervisor, if there is one on this host, how the job ends. What is said first counts. */
typedef enum eg_reporting { EG_NOT_SUPERVISED, EG_REPORTED, EG_REPORTED_BEFORE } eg_reporting;
eg_reporting eg_supervisor_tell(int code);

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
