/** sweep SWEEP RESULTS [overrides…]: runs a sweep without the command, on however many ranks it was started, with an
 *  observer of its own. To show both, it stops after the first trial and goes on with a second call; under MPI it runs
 *  through. */
#include <engram/run.h>

#include <stdio.h>

/** What the observer has seen. */
typedef struct seen {
    eg_run *run; /**< to be stopped after a trial; NULL: not */
    bool stops;
    size_t trials, failed;
    double best; /**< on the selecting data, when the sweep ended */
} seen;

static eg_status began(void *user, eg_run *run)
{
    seen *me = user;
    me->run = run;
    printf("%s: %zu of %zu trials to run\n", eg_run_plan(run)->name,
           eg_run_counted(run)->unfinished, eg_run_counted(run)->total);
    return (eg_status){.code = EG_OK};
}

static void trial_finished(void *user, const eg_run_result *result)
{
    seen *me = user;
    me->trials++;
    me->failed += result->status == EG_TRIAL_FAILED ? 1 : 0;
    if (me->stops) {
        eg_run_stop(me->run);
    }
}

static void warning(void *user, const char *text)
{
    (void)user;
    printf("warning: %s\n", text);
}

static void ended(void *user, eg_run *run)
{
    seen *me = user;
    const eg_ranked_point *best = eg_run_best(run);
    me->best = best == NULL ? 0 : eg_point_selecting(best)->selected.mean;
}

static eg_status run_once(eg_world *world, seen *me, char **arguments, size_t count)
{
    eg_run_counts counts;
    const eg_run_observer observer = {.user = me,
                                      .began = began,
                                      .trial_finished = trial_finished,
                                      .warning = warning,
                                      .ended = ended};
    const eg_run_options options = {.observer = &observer,
                                    .overrides = (const char *const *)arguments + 2,
                                    .override_count = count - 2,
                                    .command = "sweep"};
    eg_status status = eg_run_file(&counts, world, arguments[0], arguments[1], &options);
    if (eg_world_rank(world) == 0) {
        printf("%zu finished, %zu of them now, %zu left%s\n", counts.total - counts.unfinished,
               counts.finished, counts.unfinished, status.code == EG_STOPPED ? ", stopped" : "");
    }
    return status;
}

static eg_status run(eg_world *world, char **arguments, size_t count)
{
    seen me = {.stops = eg_world_size(world) == 1};
    eg_status status = run_once(world, &me, arguments, count);
    if (me.stops && status.code == EG_STOPPED) {
        me.stops = false;
        status = run_once(world, &me, arguments, count);
    }
    if (eg_world_rank(world) == 0) {
        printf("%zu trials were seen, %zu failed, the best has %.3f\n", me.trials, me.failed,
               me.best);
    }
    return status;
}

int main(int argc, char **argv)
{
    eg_world *world = NULL;
    eg_status status = eg_world_create(&world, &argc, &argv);
    if (status.code == EG_OK && argc < 3) {
        status = eg_fail(EG_INVALID, "usage: sweep SWEEP RESULTS [name=value …]");
    } else if (status.code == EG_OK) {
        status = run(world, argv + 1, (size_t)argc - 1);
    }
    if (status.code != EG_OK) {
        fprintf(stderr, "sweep: %s\n", status.message);
    }
    int code = world == NULL ? 1 : eg_world_agree(world, status.code == EG_OK ? 0 : 1);
    eg_world_free(world, code);
    return code;
}
