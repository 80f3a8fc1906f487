/** Somebody is killed in the middle of a sweep; run by sched_death.sh, which checks what this prints. */
#include "fake_sched.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char *endless(uint64_t trial)
{
    (void)trial;
    return "endless 0";
}

/* Ticket 1 kills every worker that tries it. */
static const char *deadly(uint64_t trial)
{
    return trial == 1 ? "death 0" : "done 20";
}

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code != EG_OK || argc != 2) {
        (void)fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    bool rank0_dies = strcmp(argv[1], "rank0") == 0;
    const eg_sched_options options = {.dedicated = true,
                                      .heartbeat_seconds = 0.2,
                                      .losses_max = 2,
                                      .workers_min = strcmp(argv[1], "few") == 0 ? 2 : 1};
    size_t workers = (size_t)eg_world_size(world) - 1;
    fake_ledger ledger = {.trials = 10,
                          .settings = rank0_dies ? endless : deadly,
                          .signal_after = rank0_dies ? workers : 0,
                          .signal = SIGKILL};
    if (eg_world_rank(world) == 0) {
        eg_sched_client client = fake_client(&ledger);
        status = eg_sched_run_with(world, &client, &options, &fake_runner);
    } else {
        status = eg_sched_work_with(world, &options, &fake_runner);
    }
    (void)printf("rank %d: code %d: %s\n", eg_world_rank(world), (int)status.code, status.message);
    if (eg_world_rank(world) == 0) {
        size_t lost = 0;
        for (size_t i = 0; i < ledger.trials; i++) {
            lost += ledger.lost[i];
        }
        (void)printf(
            "started %zu, finished %zu, lost %zu, interrupted %zu, workers lost %zu, wrong %u\n",
            ledger.starts, ledger.finishes, lost, ledger.interrupts, ledger.workers_lost,
            ledger.wrong);
    }
    int rank = eg_world_rank(world);
    int code = eg_world_agree(world, status.code == EG_OK ? 0 : 4);
    eg_world_free(world, code);
    (void)printf("rank %d leaves with %d\n", rank, code);
    return code;
}
