/** What waiting costs: one rank has a trial that only sleeps, everybody else waits for it.
 *
 *  Usage: bench_sched_idle [SECONDS], alone or under mpirun. Each rank prints the processor time it used as a
 *  share of one core; rank 0's share covers its scheduler and its compute thread. Target: below 3 %. */
#include "fake_sched.h"
#include "quiet_client.h"

#include "sched/backoff.h"

#include "engram/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* Work that costs nothing itself: it wakes ten times a second. */
static eg_status run_sleep(void *state, const eg_work *work, eg_run_hooks *hooks, eg_record **out)
{
    (void)state;
    const eg_progress progress = {0};
    double end = eg_clock() + strtod(work->settings, NULL);
    EG_TRY(eg_record_create(out));
    eg_record_set_status(*out, EG_TRIAL_DONE, "");
    while (eg_clock() < end) {
        eg_sched_sleep(0.1);
        if (!hooks->poll(hooks->user, &progress)) {
            eg_record_free(*out);
            *out = NULL;
            return eg_fail(EG_STOPPED, "told to stop");
        }
    }
    return eg_ok();
}

typedef struct single {
    const char *seconds;
    bool given;
} single;

static eg_status next_single(void *user, eg_work *out, bool *have)
{
    single *only = user;
    *have = !only->given;
    *out = (eg_work){.attempt.number = 1, .settings = only->seconds, .objective = ""};
    only->given = true;
    return eg_ok();
}

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    const eg_sched_options options = {0};
    const eg_runner runner = {
        .open = fake_runner.open, .run = run_sleep, .close = fake_runner.close};
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code != EG_OK) {
        (void)fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    single only = {.seconds = argc > 1 ? argv[1] : "2"};
    const eg_sched_client client = eg_test_quiet_client(&only, next_single);
    double cpu = cpu_seconds(), start = eg_clock();
    status = eg_world_rank(world) == 0 ? eg_sched_run_with(world, &client, &options, &runner)
                                       : eg_sched_work_with(world, &options, &runner);
    double wall = eg_clock() - start;
    cpu = cpu_seconds() - cpu;
    (void)printf("rank %d of %d: waited %.2f s, used %.2f %% of a core\n", eg_world_rank(world),
                 eg_world_size(world), wall, 100 * cpu / wall);
    if (status.code != EG_OK) {
        (void)fprintf(stderr, "%s\n", status.message);
    }
    int code = eg_world_agree(world, status.code == EG_OK ? 0 : 1);
    eg_world_free(world, code);
    return code;
}
