/** mpirun's options; see cli/mpirun.h. Measured with Open MPI 4.1. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "cli/mpirun.h"

#include "engram/memory.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

eg_status eg_mpirun_common(eg_command *out)
{
    if (!eg_command_exists("mpirun")) {
        return eg_fail(EG_INVALID, "mpirun is not on PATH: jobs/install-dependencies.sh installs "
                                   "it; engram run uses one core without it");
    }
    EG_TRY(eg_command_add(out, "mpirun"));
    /* Pinning gains nothing here, and two sweeps pinned by Open MPI would share the first cores. */
    EG_TRY(eg_command_split(out, "--bind-to none"));
    /* Containers forbid reading another process's memory, for which Open MPI would try anyway. */
    EG_TRY(eg_command_split(out, "--mca btl_vader_single_copy_mechanism none"));
    if (geteuid() == 0) {
        EG_TRY(eg_command_add(out, "--allow-run-as-root"));
    }
    /* With recovery the loss of a rank costs the trial it had, and the others go on. */
    return eg_command_split(out, "--quiet --mca orte_enable_recovery 1");
}

eg_status eg_mpirun_here(eg_command *out, size_t ranks)
{
    out->has_children = true;
    /* Open MPI counts physical cores, or none at all in some containers; we know better. */
    EG_TRY(eg_command_add(out, "--oversubscribe"));
    EG_TRY(eg_command_add(out, "-np"));
    return eg_command_add(out, "%zu", ranks);
}

eg_status eg_mpirun_set_threads(void)
{
    bool set =
        setenv("OPENBLAS_NUM_THREADS", "1", 1) == 0 && setenv("OMP_NUM_THREADS", "1", 1) == 0;
    return set ? eg_ok() : eg_fail_errno(errno, "cannot change the environment");
}

size_t eg_mpirun_cores(void)
{
    size_t cores = 1;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        cores = (size_t)CPU_COUNT(&set);
    } else { /* more cores than the set has room for */
        long online = sysconf(_SC_NPROCESSORS_ONLN);
        cores = online > 0 ? (size_t)online : 1;
    }
    double quota = 0, period = 0; /* "max 100000" where there is no limit */
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (file != NULL && fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0) {
        size_t allowed = (size_t)(quota / period);
        allowed += (double)allowed * period < quota ? 1 : 0;
        cores = allowed < cores ? allowed : cores;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return cores > 0 ? cores : 1;
}
