/** A step of additive parameter decomposition beside what it has to do at least, in processor time: LeNet 20-50-800-500,
 *  minibatches of 100, objective (2), tasks of five classes. Of every piece the least time over all rounds counts: what
 *  else the machine does is left out. Prints lines of "NAME NUMBER":
 *
 *      step 1, step 10, step 20   seconds of a step while task 1, 10, 20 is learned (forward, backward, update)
 *      retroactive                what that of task 20 takes more than that of task 1
 *      bandwidth                  seconds to read and write at the speed of this memory what the retroactive term
 *                                 needs of 19 old tasks: tau and the two moments of Adam, and to read theta*; plain
 *                                 loops over such arrays, in turns with the steps
 *      learning, resting          float arrays of the size of the trunk that resident memory grows by with every
 *                                 further task, while one is learned and between tasks
 *      resting_fixed              the same of objective (1), which keeps old tasks sparse
 *      consolidation              seconds of the end of task 20 with objective (3), which groups all 20 in every layer
 *      epoch                      seconds of the 20 steps of an epoch of CIFAR-100 Superclass at task 20
 *
 *      bench_apd ROUNDS LOCAL_RESPONSE      LOCAL_RESPONSE: true or false */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WORDS_MAX = 64,
    TASKS = 20,
    STEPS = 20, /* of an epoch of CIFAR-100 Superclass */
    ARRAYS = 4, /* of an old task: tau, two moments, theta* */
    SETS = 5,   /* of these arrays: more than any cache has room for */
    WEIGHTS = 1500 + 25000 + 2560000 + 400000,
};

typedef struct runner {
    eg_settings *settings;
    eg_stream *stream;
    eg_cursor *cursor;
    eg_learner *learner;
    size_t at; /* minibatches of the phase */
} runner;

static void must(eg_status status)
{
    if (!eg_is_ok(&status)) {
        (void)fprintf(stderr, "bench_apd: %s\n", status.message);
        exit(4);
    }
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Images are made up: times do not depend on what they show. */
static void open_runner(runner *self, const char *local_response, const char *const *more)
{
    const char *const words[] = {"dataset",
                                 "synthetic",
                                 "dataset.side",
                                 "32",
                                 "dataset.channels",
                                 "3",
                                 "dataset.classes",
                                 "100",
                                 "dataset.examples",
                                 "4000",
                                 "dataset.test_examples",
                                 "100",
                                 "stream",
                                 "split",
                                 "stream.tasks",
                                 "20",
                                 "stream.active",
                                 "task",
                                 "stream.batch",
                                 "100",
                                 "model",
                                 "lenet",
                                 "model.local_response",
                                 local_response,
                                 "model.init",
                                 "variance_scaling",
                                 "optimizer",
                                 "adam",
                                 "optimizer.lr",
                                 "1e-3",
                                 "learner",
                                 "apd",
                                 NULL};
    eg_assignment list[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; words[i] != NULL; i += 2) {
        list[count++] = (eg_assignment){.name = words[i], .value = words[i + 1]};
    }
    for (size_t i = 0; more[i] != NULL; i += 2) {
        list[count++] = (eg_assignment){.name = more[i], .value = more[i + 1]};
    }
    must(eg_settings_resolve(&self->settings, eg_trial_schema(), list, count));
    eg_view root = eg_settings_root(self->settings);
    static eg_dataset_cache *cache; /* one for all runners */
    const eg_dataset *dataset = NULL;
    if (cache == NULL) {
        must(eg_dataset_cache_create(&cache));
    }
    must(eg_dataset_cache_get(cache, &root, &dataset));
    must(eg_stream_create(&self->stream, &root, dataset, 0, 0));
    const eg_learner_setup setup = {
        .root = &root, .shape = self->stream->shape, .block = 100, .stream = self->stream};
    must(eg_learner_create(&self->learner, &setup));
    must(eg_cursor_open(&self->cursor, self->stream, &(eg_cursor_setup){.trains = true}));
}

static void close_runner(runner *self)
{
    eg_learner_free(self->learner);
    eg_cursor_close(self->cursor);
    eg_stream_free(self->stream);
    eg_settings_free(self->settings);
}

static void begin(runner *self, size_t task)
{
    self->at = 0;
    must(self->learner->ops->begin_phase(self->learner, task));
}

static double step(runner *self, size_t task)
{
    eg_batch batch;
    eg_step_outcome outcome = {.loss = 0};
    eg_cursor_get(self->cursor, task, self->at++ % eg_stream_steps(self->stream, task), &batch);
    double start = now();
    must(self->learner->ops->step(self->learner, &batch, &outcome));
    if (!isfinite(outcome.loss)) {
        must(eg_fail(EG_INTERNAL, "the loss became infinite"));
    }
    return now() - start;
}

static void keep_least(double *least, double seconds)
{
    *least = seconds < *least ? seconds : *least;
}

/* Float arrays of the trunk in resident memory. */
static double arrays_in_memory(void)
{
    long pages = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2) {
        must(eg_fail(EG_SYSTEM, "cannot read /proc/self/statm"));
    }
    (void)fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / (sizeof(eg_real) * (double)WEIGHTS);
}

/* What the retroactive term does with memory. */
static void pass(size_t n, eg_real *restrict tau, eg_real *restrict mean, eg_real *restrict square,
                 const eg_real *restrict kept)
{
    for (size_t i = 0; i < n; i++) {
        eg_real g = tau[i] - kept[i];
        mean[i] = (eg_real)0.9 * mean[i] + (eg_real)0.1 * g;
        square[i] = (eg_real)0.999 * square[i] + (eg_real)0.001 * g;
        tau[i] -= (eg_real)1e-9 * (mean[i] + square[i]);
    }
}

static double time_passes(eg_real *const *set)
{
    double start = now();
    for (size_t s = 0; s < SETS; s++) {
        pass(WEIGHTS, set[s], set[s] + WEIGHTS, set[s] + 2 * WEIGHTS, set[s] + 3 * WEIGHTS);
    }
    return (now() - start) / SETS * (TASKS - 1);
}

static void time_steps(long rounds, const char *local_response)
{
    static const char *const none[] = {NULL};
    runner self = {.settings = NULL};
    double learning[TASKS];
    double resting[TASKS];
    double least[TASKS];
    double bandwidth = (double)INFINITY;
    open_runner(&self, local_response, none);
    for (size_t task = 0; task < TASKS; task++) {
        bool timed = task == 0 || task == 9 || task == TASKS - 1;
        least[task] = (double)INFINITY;
        begin(&self, task);
        (void)step(&self, task); /* memory is touched for the first time */
        for (long round = 0; timed && task < TASKS - 1 && round < rounds; round++) {
            keep_least(&least[task], step(&self, task));
        }
        learning[task] = arrays_in_memory();
        if (task == TASKS - 1) {
            eg_real *set[SETS];
            for (size_t s = 0; s < SETS; s++) {
                must(eg_alloc(&set[s], (size_t)ARRAYS * WEIGHTS, sizeof *set[s]));
                memset(set[s], 0, (size_t)ARRAYS * WEIGHTS * sizeof *set[s]);
            }
            for (long round = 0; round < rounds; round++) {
                keep_least(&least[task], step(&self, task));
                keep_least(&bandwidth, time_passes(set));
            }
            for (size_t s = 0; s < SETS; s++) {
                eg_free(set[s]);
            }
        }
        must(self.learner->ops->end_phase(self.learner, task));
        resting[task] = arrays_in_memory();
    }
    close_runner(&self);
    (void)printf("step1 %.6f\nstep10 %.6f\nstep20 %.6f\n", least[0], least[9], least[TASKS - 1]);
    (void)printf("retroactive %.6f\nbandwidth %.6f\n", least[TASKS - 1] - least[0], bandwidth);
    (void)printf("learning %.2f\nresting %.2f\n",
                 (learning[TASKS - 1] - learning[9]) / (TASKS - 10),
                 (resting[TASKS - 1] - resting[9]) / (TASKS - 10));
    (void)printf("epoch %.6f\n", STEPS * least[TASKS - 1]);
}

/* Old tasks are sparse once L1 has taken most of tau; here lambda1 leaves out all but a few at once. */
static void measure_fixed(const char *local_response)
{
    static const char *const fixed[] = {"learner.retroactive", "false", "learner.lambda1", "0.05",
                                        NULL};
    runner self = {.settings = NULL};
    double resting[TASKS];
    open_runner(&self, local_response, fixed);
    for (size_t task = 0; task < TASKS; task++) {
        begin(&self, task);
        (void)step(&self, task);
        must(self.learner->ops->end_phase(self.learner, task));
        resting[task] = arrays_in_memory();
    }
    close_runner(&self);
    (void)printf("resting_fixed %.2f\n", (resting[TASKS - 1] - resting[9]) / (TASKS - 10));
}

static void time_consolidation(long rounds, const char *local_response)
{
    static const char *const every[] = {"learner.consolidate_every", "20", "learner.centroids", "8",
                                        NULL};
    double least = (double)INFINITY;
    for (long round = 0; round < rounds; round++) {
        runner self = {.settings = NULL};
        open_runner(&self, local_response, every);
        for (size_t task = 0; task < TASKS; task++) {
            begin(&self, task);
            (void)step(&self, task);
            double start = now();
            must(self.learner->ops->end_phase(self.learner, task));
            keep_least(&least, task == TASKS - 1 ? now() - start : least);
        }
        close_runner(&self);
    }
    (void)printf("consolidation %.6f\n", least);
}

int main(int argc, char **argv)
{
    long rounds = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds < 1 || (strcmp(argv[2], "true") != 0 && strcmp(argv[2], "false") != 0)) {
        (void)fprintf(stderr, "usage: bench_apd ROUNDS true|false\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    time_steps(rounds, argv[2]);
    measure_fixed(argv[2]);
    time_consolidation(rounds < 3 ? rounds : 3, argv[2]);
    return 0;
}
