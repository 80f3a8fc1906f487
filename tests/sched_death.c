/** Somebody is killed in the middle of a sweep; run by sched_death.sh, which checks what this prints. */
#include "fake_sched.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *endless(uint64_t ticket)
{
    (void)ticket;
    return "done 60000";
}

static const char *deadly(uint64_t ticket)
{
    return ticket == 1 ? "death 0" : "done 60000";
}

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    const eg_sched_options options = {.dedicated = true, .heartbeat_seconds = 0.2};
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code != EG_OK || argc != 2) {
        (void)fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    bool worker_dies = strcmp(argv[1], "worker") == 0;
    size_t workers = (size_t)eg_world_size(world) - 1;
    fake_ledger ledger = {.tickets = 10,
                          .settings = worker_dies ? deadly : endless,
                          .signal_after = worker_dies ? 0 : workers,
                          .signal = SIGKILL};
    if (eg_world_rank(world) == 0) {
        eg_sched_client client = fake_client(&ledger);
        status = eg_sched_run_with(world, &client, &options, &fake_runner);
    } else {
        status = eg_sched_work_with(world, &options, &fake_runner);
    }
    (void)printf("rank %d: code %d: %s\n", eg_world_rank(world), (int)status.code, status.message);
    if (eg_world_rank(world) == 0) {
        (void)printf("started %zu, interrupted %zu\n", ledger.starts, ledger.interrupts);
    }
    int rank = eg_world_rank(world);
    int code = eg_world_agree(world, status.code == EG_OK ? 0 : 4);
    eg_world_free(world, code);
    (void)printf("rank %d leaves with %d\n", rank, code);
    return code;
}
