/** What the files of this room know about the job; with MPI, so for this room only. */
#ifndef ENGRAM_SCHED_WORLD_H
#define ENGRAM_SCHED_WORLD_H

#include "engram/sched.h"

#include "sched/placement.h"

#include <mpi.h>

typedef enum eg_presence {
    EG_PRESENT,
    EG_HANGS, /**< it did not take its leave: it is not waited for, and ended when rank 0 leaves */
    EG_ENDED, /**< there is no such process any more */
} eg_presence;

struct eg_world {
    bool mpi; /**< MPI was initialised */
    MPI_Comm comm;
    int rank, size;
    bool computes; /**< the compute thread is inside a minibatch and was left to itself */
    bool lost;     /**< somebody is gone: MPI can no longer be left in an orderly way */
    eg_process_info *processes; /**< [size] */
    bool *visible;              /**< [size] its process can be seen from here */
    unsigned char *presence;    /**< [size] eg_presence, as rank 0 knows it */
};

/** Tags on the world's communicator. */
enum { EG_TAG_MESSAGE = 1, EG_TAG_CODE = 2 };

/** EG_SYSTEM with MPI's own words unless `code` is MPI_SUCCESS. */
eg_status eg_mpi_status(int code, const char *what) EG_WARN_UNUSED;

/** Has the process of `rank` ceased to exist? Seen by its number where it is visible, else
 *  `overdue` decides. */
bool eg_world_gone(const eg_world *world, int rank, bool overdue);

#endif
