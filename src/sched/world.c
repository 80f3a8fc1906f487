/** The process's place in the job: entering MPI, leaving it, and agreeing on how it went. */
#include "sched/world.h"

#include "sched/backoff.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FINALIZE_SECONDS = 20, /* MPI_Finalize hung in 4 of 64 measured endings after a loss */
    TELL_SECONDS = 10      /* how long a rank may take to listen for the exit code */
};
/* Rank 0 may be writing the result file while the others wait for its exit code. */
static const double hear_seconds = 900;

eg_status eg_mpi_status(int code, const char *what)
{
    if (code == MPI_SUCCESS) {
        return eg_ok();
    }
    char words[MPI_MAX_ERROR_STRING];
    int length = 0;
    if (MPI_Error_string(code, words, &length) != MPI_SUCCESS) {
        return eg_fail(EG_SYSTEM, "MPI failed to %s (error %d)", what, code);
    }
    return eg_fail(EG_SYSTEM, "MPI failed to %s: %.*s", what, length, words);
}

/* Was this process started by an MPI launcher? MPI_Init without one would work too, but takes a
 * second, starts helper processes, and fails where no MPI is properly set up. */
bool eg_world_is_launched(void)
{
    static const char *const names[] = {
        "OMPI_COMM_WORLD_SIZE", /* Open MPI's mpirun */
        "PMIX_RANK",            /* srun --mpi=pmix, prterun */
        "PMI_RANK",             /* MPICH, Intel MPI, srun --mpi=pmi2 */
        "PMI_SIZE",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (getenv(names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Are there others like this one that it cannot find? */
static eg_status check_alone(void)
{
    /* Set by srun, not in a batch script: that many copies of this process were started. */
    const char *tasks = getenv("SLURM_STEP_NUM_TASKS");
    if (tasks != NULL && strtol(tasks, NULL, 10) > 1) {
        return eg_fail(EG_INVALID,
                       "srun started %s processes that cannot find each other; use "
                       "'srun --mpi=pmix' or mpirun",
                       tasks);
    }
    return eg_ok();
}

static eg_status enter_mpi(eg_world *world, int *argc, char ***argv)
{
    int provided = MPI_THREAD_SINGLE;
    EG_TRY(eg_mpi_status(MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided), "start"));
    world->mpi = true;
    EG_TRY(eg_mpi_status(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
                         "set its error handling"));
    if (provided < MPI_THREAD_FUNNELED) {
        return eg_fail(EG_SYSTEM, "this MPI library allows no threads at all (level %d)", provided);
    }
    /* Our own communicator: our messages never meet anybody else's. It inherits the handler. */
    EG_TRY(eg_mpi_status(MPI_Comm_dup(MPI_COMM_WORLD, &world->comm), "copy its communicator"));
    EG_TRY(eg_mpi_status(MPI_Comm_rank(world->comm, &world->rank), "tell the rank"));
    return eg_mpi_status(MPI_Comm_size(world->comm, &world->size), "tell the number of ranks");
}

static bool exists(const eg_process_info *process)
{
    return kill((pid_t)process->pid, 0) == 0 || errno != ESRCH;
}

/* All ranks have just come out of MPI_Init together, so that this collective call does not wait. */
static eg_status exchange_places(eg_world *world)
{
    eg_process_info here;
    EG_TRY(eg_process_info_get(&here));
    EG_TRY(eg_alloc(&world->processes, (size_t)world->size, sizeof *world->processes));
    EG_TRY(eg_alloc(&world->visible, (size_t)world->size, sizeof *world->visible));
    EG_TRY(eg_alloc(&world->presence, (size_t)world->size, sizeof *world->presence));
    world->processes[0] = here;
    if (world->size > 1) {
        EG_TRY(eg_mpi_status(MPI_Allgather(&here, (int)sizeof here, MPI_BYTE, world->processes,
                                           (int)sizeof here, MPI_BYTE, world->comm),
                             "exchange host names"));
    }
    for (int i = 0; i < world->size; i++) {
        /* Containers may share a host's name and not its processes. */
        world->visible[i] =
            strcmp(here.host, world->processes[i].host) == 0 && exists(&world->processes[i]);
    }
    return eg_ok();
}

eg_status eg_world_create(eg_world **out, int *argc, char ***argv)
{
    *out = NULL;
    eg_world *world = NULL;
    bool launched = eg_world_is_launched();
    EG_TRY(launched ? eg_ok() : check_alone());
    EG_TRY(eg_alloc(&world, 1, sizeof *world));
    world->size = 1;
    world->comm = MPI_COMM_NULL;
    eg_status status = eg_ok();
    if (launched) {
        EG_TRY_DONE(status, enter_mpi(world, argc, argv));
    }
    EG_TRY_DONE(status, exchange_places(world));
    *out = world;
done:
    if (status.code != EG_OK) {
        /* The others may be waiting in a collective call that this rank will never reach. */
        world->lost = world->mpi;
        eg_world_free(world, EXIT_FAILURE);
    }
    return status;
}

int eg_world_rank(const eg_world *world)
{
    return world->rank;
}

int eg_world_size(const eg_world *world)
{
    return world->size;
}

bool eg_world_gone(const eg_world *world, int rank, bool overdue)
{
    return world->visible[rank] ? !exists(&world->processes[rank]) : overdue;
}

/* What rank 0 says at the end. */
enum { SAID_CODE, SAID_LOST, SAID_COUNT };

/* Rank 0 tells every other rank one by one: a broadcast tree would break at the first missing rank.
 */
static void tell_code(eg_world *world, int code)
{
    size_t others = (size_t)world->size - 1;
    MPI_Request *requests = NULL;
    int *buffer = NULL;
    if (eg_alloc(&requests, others, sizeof(MPI_Request)).code != EG_OK ||
        eg_alloc(&buffer, SAID_COUNT, sizeof *buffer).code != EG_OK) {
        eg_free(requests);
        world->lost = true;
        return;
    }
    buffer[SAID_CODE] = code;
    buffer[SAID_LOST] = world->lost;
    for (size_t i = 0; i < others; i++) {
        requests[i] = MPI_REQUEST_NULL;
        if (world->presence[i + 1] == EG_PRESENT &&
            MPI_Isend(buffer, SAID_COUNT, MPI_INT, (int)i + 1, EG_TAG_CODE, world->comm,
                      &requests[i]) != MPI_SUCCESS) {
            world->lost = true;
        }
    }
    int all = 0;
    double deadline = eg_clock() + TELL_SECONDS;
    eg_backoff backoff = {0};
    while (MPI_Testall((int)others, requests, &all, MPI_STATUSES_IGNORE) == MPI_SUCCESS && !all &&
           eg_clock() < deadline) {
        eg_sched_sleep(eg_backoff_next(&backoff));
    }
    eg_free(requests);
    if (all) {
        eg_free(buffer);
    } else {
        world->lost = true; /* and the buffer is MPI's as long as the process lives */
    }
}

static int hear_code(eg_world *world, int code)
{
    eg_backoff backoff = {0};
    double start = eg_clock();
    double looked = start;
    while (!world->lost) {
        int there = 0;
        int heard[SAID_COUNT] = {0};
        if (MPI_Iprobe(0, EG_TAG_CODE, world->comm, &there, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            break;
        }
        /* So short a message is already here when the probe sees it: receiving does not wait.
         */
        if (there) {
            if (MPI_Recv(heard, SAID_COUNT, MPI_INT, 0, EG_TAG_CODE, world->comm,
                         MPI_STATUS_IGNORE) != MPI_SUCCESS) {
                break;
            }
            world->lost = heard[SAID_LOST] != 0;
            return heard[SAID_CODE];
        }
        double now = eg_clock();
        if (now - looked > 1) {
            looked = now;
            world->lost = eg_world_gone(world, 0, now - start > hear_seconds);
        }
        eg_sched_sleep(eg_backoff_next(&backoff));
    }
    world->lost = true;
    return code;
}

int eg_world_agree(eg_world *world, int code)
{
    if (world->size == 1) {
        return code;
    }
    if (world->rank > 0) {
        return hear_code(world, code);
    }
    tell_code(world, code);
    return code;
}

/* For the handler below only. */
static volatile sig_atomic_t exit_code;

static void leave_at_once(int number)
{
    (void)number;
    _exit(exit_code);
}

static void release(eg_world *world)
{
    eg_free(world->processes);
    eg_free(world->visible);
    eg_free(world->presence);
    eg_free(world);
}

/* Whoever did not take its leave hangs, or is in a very long step; the launcher would wait for it.
 * */
static void end_hanging(const eg_world *world, int code)
{
    bool elsewhere = false;
    for (int i = 1; i < world->size; i++) {
        bool hangs = world->presence[i] == EG_HANGS;
        if (hangs && world->visible[i]) {
            (void)kill((pid_t)world->processes[i].pid, SIGKILL);
        }
        elsewhere = elsewhere || (hangs && !world->visible[i]);
    }
    if (elsewhere) {
        (void)MPI_Abort(world->comm, code);
    }
}

void eg_world_free(eg_world *world, int code)
{
    if (world == NULL) {
        return;
    }
    if (world->rank == 0 && world->presence != NULL) {
        end_hanging(world, code);
    }
    if (world->mpi && !world->lost) {
        /* Everything is saved by now: a hanging MPI must not turn success into a time-out. */
        struct sigaction action = {.sa_handler = leave_at_once};
        (void)sigemptyset(&action.sa_mask);
        exit_code = code;
        (void)sigaction(SIGALRM, &action, NULL);
        (void)alarm(FINALIZE_SECONDS);
        (void)MPI_Comm_free(&world->comm);
        (void)MPI_Finalize();
        (void)alarm(0);
    }
    /* Otherwise the process just ends: MPI_Finalize would wait for whoever is lost. */
    if (world->computes) {
        _exit(code); /* exit handlers would pull away what the compute thread uses */
    }
    release(world);
}

eg_status eg_world_describe(const eg_world *world, const eg_sched_options *options, char **line,
                            char **warnings)
{
    size_t first = options->dedicated && world->size > 1 ? 1 : 0;
    return eg_process_info_describe(world->processes, (size_t)world->size, first, line, warnings);
}
