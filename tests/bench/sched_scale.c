/** What many workers cost rank 0: the scheduler itself against simulated workers in the same process.
 *
 *  Usage: bench_sched_scale [WORKERS [TRIAL_SECONDS [TRIALS_PER_WORKER]]]; without arguments a table of 100, 1,000 and
 *  10,000 workers with trials of 1, 10 and 100 s.
 *
 *  Everything of src/sched that runs on rank 0 is real: the loop, the messages with their checksums, losses, the commit.
 *  Simulated are the workers, which say what sched/worker.c says and when (READY, PROGRESS after every percent but at
 *  most once a second and at least every heartbeat, RESULT with curves, and hold results until ACK), the channel, which
 *  takes no time, and the clock, which jumps to the next event. The linker puts them in the place of
 *  the real ones (--wrap, see rooms/sched.cmake). The client keeps nothing, so that the journal and the results file are
 *  not in these figures (tests/bench/sweep.sh has them), nor is what MPI needs itself. */
#include "quiet_client.h"
#include "sched_peers.h"

#include "engram/memory.h"
#include "sched/worker.h"
#include "sched/world.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVALUATIONS = 50, TASKS = 5 };

/* The client, which only counts ------------------------------------------------------------------ */

typedef struct counts {
    size_t trials, given, finished, commits, turns, memory;
} counts;

static eg_status next(void *user, eg_work *out, bool *have)
{
    counts *c = user;
    *have = c->given < c->trials;
    *out = (eg_work){
        .attempt = {.trial = c->given, .number = 1}, .settings = "a=1\n", .objective = ""};
    c->given += *have ? 1 : 0;
    return eg_ok();
}

static eg_status finished(void *user, const eg_work_result *result)
{
    counts *c = user;
    c->finished++;
    return result->status == EG_TRIAL_DONE ? eg_ok() : eg_fail(EG_INTERNAL, "a trial failed");
}

static eg_status commit(void *user)
{
    counts *c = user;
    c->commits++;
    return eg_ok();
}

static eg_status idle(void *user)
{
    counts *c = user;
    if (++c->turns % 64 == 0) {
        size_t used = mallinfo2().uordblks + mallinfo2().hblkhd;
        c->memory = used > c->memory ? used : c->memory;
    }
    return eg_ok();
}

static double mean_seconds(void *user)
{
    const counts *c = user;
    return c->finished == 0 ? 0 : eg_sim.trial_seconds;
}

/* One run ---------------------------------------------------------------------------------------- */

/** About what a trial of five tasks records. */
static eg_status make_record(eg_record **out)
{
    static const eg_variable curves[] = {{.name = "step", .dims = {"eval"}, .wide = true},
                                         {.name = "examples_seen", .dims = {"eval"}, .wide = true},
                                         {.name = "phase", .dims = {"eval"}, .wide = true},
                                         {.name = "loss", .dims = {"eval"}},
                                         {.name = "accuracy", .dims = {"eval"}},
                                         {.name = "validation_accuracy", .dims = {"eval"}},
                                         {.name = "task_accuracy", .dims = {"eval", "task"}}};
    static const eg_variable scalars[] = {{.name = "final_accuracy"}, {.name = "average_accuracy"},
                                          {.name = "forgetting"},     {.name = "steps"},
                                          {.name = "flops"},          {.name = "train_seconds"},
                                          {.name = "objective"},      {.name = "backward_transfer"},
                                          {.name = "peak_rss"}};
    const size_t extent[] = {EVALUATIONS, TASKS};
    eg_array *array = NULL;
    EG_TRY(eg_record_create(out));
    for (size_t i = 0; i < EG_COUNT(curves); i++) {
        EG_TRY(eg_record_declare(*out, &curves[i], extent, &array));
        for (size_t k = 0; k < array->count; k++) {
            array->data[k] = 0.001 * (double)k;
        }
    }
    for (size_t i = 0; i < EG_COUNT(scalars); i++) {
        EG_TRY(eg_record_scalar(*out, &scalars[i], 0.5));
    }
    eg_record_set_status(*out, EG_TRIAL_DONE, "");
    return eg_ok();
}

static eg_status prepare(size_t workers, double seconds, eg_world *world)
{
    size_t size = workers + 1;
    eg_record *record = NULL;
    *world = (eg_world){.size = (int)size};
    eg_status made = make_record(&record);
    EG_TRY(eg_sim_prepare(workers, seconds, record));
    EG_TRY(made);
    EG_TRY(eg_alloc(&world->processes, size, sizeof *world->processes));
    EG_TRY(eg_alloc(&world->visible, size, sizeof *world->visible));
    EG_TRY(eg_alloc(&world->presence, size, sizeof *world->presence));
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(world->processes[i].host, EG_HOST_SIZE, "node%zu", i / EG_RANKS_PER_HOST);
    }
    return eg_ok();
}

static void clear(eg_world *world)
{
    eg_sim_clear();
    eg_free(world->processes);
    eg_free(world->visible);
    eg_free(world->presence);
}

static void report(const counts *c, double cpu, size_t memory, const eg_world *world)
{
    double results = (double)c->finished;
    double each = cpu / results;
    double workers = (double)eg_sim.count;
    size_t known = sizeof *world->processes + sizeof *world->visible + sizeof *world->presence;
    (void)printf(
        "%7zu %8g %9zu %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %11.2f %10.0f\n", eg_sim.count,
        eg_sim.trial_seconds, c->finished, (double)eg_sim.received / results,
        (double)eg_sim.sent / results, (double)c->turns / results, (double)c->commits / results,
        1e6 * each, 1e6 * cpu / (double)(eg_sim.received + eg_sim.sent),
        100 * each * workers / eg_sim.trial_seconds, (double)memory / workers + (double)known);
    (void)fflush(stdout);
}

static eg_status run(size_t workers, double seconds, size_t rounds, double *each)
{
    eg_world world;
    counts c = {.trials = workers * rounds};
    const eg_sched_options options = {.dedicated = true};
    eg_sched_client client = eg_test_quiet_client(&c, next);
    client.finished = finished;
    client.commit = commit;
    client.idle = idle;
    client.mean_seconds = mean_seconds;
    eg_status status = prepare(workers, seconds, &world);
    if (status.code == EG_OK) {
        size_t memory = mallinfo2().uordblks + mallinfo2().hblkhd;
        double before = eg_cpu_seconds();
        status = eg_sched_run_with(&world, &client, &options, NULL);
        double cpu = eg_cpu_seconds() - before - eg_sim.outside;
        if (status.code == EG_OK && (c.finished != c.trials || eg_sim.acknowledged != c.trials)) {
            status = eg_fail(EG_INTERNAL, "%zu of %zu results arrived, %zu were acknowledged",
                             c.finished, c.trials, eg_sim.acknowledged);
        }
        report(&c, cpu, c.memory > memory ? c.memory - memory : 0, &world);
        *each = cpu / (double)c.finished;
    }
    clear(&world);
    return status;
}

static eg_status print_table(double *each)
{
    static const size_t workers[] = {100, 1000, 10000};
    static const double seconds[] = {1, 10, 100};
    for (size_t i = 0; i < EG_COUNT(workers); i++) {
        for (size_t k = 0; k < EG_COUNT(seconds); k++) {
            EG_TRY(run(workers[i], seconds[k], workers[i] < 1000 ? 50 : 5, each));
        }
    }
    return eg_ok();
}

int main(int argc, char **argv)
{
    double each = 0;
    (void)printf("%7s %8s %9s %9s %9s %9s %9s %9s %9s %11s %10s\n", "workers", "trial s", "results",
                 "in", "out", "turns", "commits", "us", "us", "% of a", "bytes");
    (void)printf("%7s %8s %9s %9s %9s %9s %9s %9s %9s %11s %10s\n", "", "", "", "/result",
                 "/result", "/result", "/result", "/result", "/message", "core", "/worker");
    size_t workers = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    double seconds = argc > 2 ? strtod(argv[2], NULL) : 10;
    size_t rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 5;
    bool sound = argc == 1 || (workers > 0 && seconds > 0 && rounds > 0);
    eg_status status = !sound     ? eg_fail(EG_INVALID, "usage: bench_sched_scale [WORKERS "
                                                            "[TRIAL_SECONDS [TRIALS_PER_WORKER]]]")
                       : argc > 1 ? run(workers, seconds, rounds, &each)
                                  : print_table(&each);
    if (status.code != EG_OK) {
        (void)fprintf(stderr, "%s\n", status.message);
        return 1;
    }
    (void)printf("With the last of these, rank 0 takes %.0f results a second at most: n workers "
                 "are bound by it when "
                 "their trials are shorter than n x %.2g s.\n",
                 each > 0 ? 1 / each : 0, each);
    return 0;
}
