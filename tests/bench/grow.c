/** What growing a network costs beside a stage of anytime learning: the learner comes to the end of its first phase,
 *  then the beginning of the second one, where it grows, is timed, in processor time.
 *
 *      total    the beginning of the phase
 *      passes   its passes over data: of growing_mixture one prediction of the new held-out examples; of firefly
 *               all minibatches of its two passes and of the two losses, each as long as the ones amid its pass
 *      rest     total less passes, with first touches of memory
 *      stage    all minibatches of all epochs of a phase, before growth, without what else a stage does
 *
 *  Of every piece the least time over all rounds counts: what else the machine does is left out.
 *
 *      bench_growth ROUNDS FOLDER      FOLDER holds the IDX files of MNIST */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WORDS_MAX = 64,
    STEPS = 8,  /* minibatches that are learned before growth, of which the last ones are timed */
    WARM = 3,   /* minibatches that bring the learner into the cache; not timed */
    PASSES = 4, /* of firefly */
    POLLS_MAX = 64, /* minibatches of all of them */
};

typedef struct growth_case {
    const char *name;
    bool polls;                  /* the learner asks before every minibatch of its passes */
    const char *word[WORDS_MAX]; /* name, value, name, value, …, NULL */
} growth_case;

/* As in sweeps/alma. Images of width 32 are made up: times do not depend on what they show; of 568 in a mega-batch 56 are
 * held out, and the others are four whole minibatches. */
#define MNIST                                                                                      \
    "dataset", "mnist", "stream.chunks", "500", "stream.wait", "10", "stream.epochs", "20",        \
        "model", "mlp", "model.activation", "relu", "model.weight_norm", "[]", "model.bias",       \
        "true", "model.init", "uniform", "optimizer", "adadelta", "optimizer.lr", "1", "learner",  \
        "growing_mixture"
#define IMAGES                                                                                     \
    "dataset", "synthetic", "dataset.side", "32", "dataset.channels", "3", "dataset.classes",      \
        "10", "dataset.examples", "1136", "dataset.test_examples", "10", "stream.chunks", "2",     \
        "stream.epochs", "10", "model", "vgg", "model.activation", "relu", "model.init",           \
        "uniform", "optimizer", "sgdm", "optimizer.beta", "0.9", "optimizer.nesterov", "true",     \
        "optimizer.weight_decay", "1e-4", "optimizer.lr", "0.01"
static const growth_case cases[] = {
    {"growing_mixture, MNIST, h = 4", false, {MNIST, "model.hidden", "[4, 4]"}},
    {"growing_mixture, MNIST, h = 32", false, {MNIST, "model.hidden", "[32, 32]"}},
    {"growing_mixture, VGG, c = 8",
     false,
     {IMAGES, "model.width", "8", "learner", "growing_mixture"}},
    {"firefly, VGG, c = 8",
     true,
     {IMAGES, "model.width", "8", "model.bias", "false", "model.head", "conv", "learner",
      "firefly"}},
    {"firefly, VGG, c = 16",
     true,
     {IMAGES, "model.width", "16", "model.bias", "false", "model.head", "conv", "learner",
      "firefly"}},
};

typedef struct runner {
    eg_settings *settings;
    eg_stream *stream;
    eg_cursor *cursor, *held_out;
    eg_learner *learner;
    eg_real *scores;
    double poll[POLLS_MAX];
    size_t polls;
} runner;

/* Least times over all rounds. */
typedef struct least_times {
    double step, total, prediction;
    double piece[POLLS_MAX +
                 1]; /* before the first minibatch, then from each to the next or the end */
} least_times;

static void must(eg_status status)
{
    if (!eg_is_ok(&status)) {
        (void)fprintf(stderr, "bench_growth: %s\n", status.message);
        exit(4);
    }
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool note(void *user)
{
    runner *self = user;
    if (self->polls < POLLS_MAX) {
        self->poll[self->polls++] = now();
    }
    return true;
}

static void open_runner(runner *self, const growth_case *of, const char *folder,
                        eg_dataset_cache *cache)
{
    eg_assignment list[WORDS_MAX];
    size_t count = 0;
    for (size_t i = 0; of->word[i] != NULL; i += 2) {
        list[count++] = (eg_assignment){.name = of->word[i], .value = of->word[i + 1]};
    }
    list[count++] = (eg_assignment){.name = "stream", .value = "mega_batches"};
    list[count++] = (eg_assignment){.name = "stream.batch", .value = "128"};
    list[count++] =
        (eg_assignment){.name = "dataset.path", .value = folder}; /* synthetic: unused */
    must(eg_settings_resolve(&self->settings, eg_trial_schema(), list, count));
    eg_view root = eg_settings_root(self->settings);
    const eg_dataset *dataset = NULL;
    must(eg_dataset_cache_get(cache, &root, &dataset));
    must(eg_stream_create(&self->stream, &root, dataset, 0, 0.1));
    const eg_stream_shape *shape = &self->stream->shape;
    const eg_learner_setup setup = {.root = &root,
                                    .shape = *shape,
                                    .block = shape->batch,
                                    .stream = self->stream,
                                    .wanted = note,
                                    .user = self};
    must(eg_learner_create(&self->learner, &setup));
    const eg_cursor_setup training = {.trains = true, .sparse_only = self->learner->reads_sparse};
    const eg_cursor_setup looking = {.block = shape->batch,
                                     .sparse_only = self->learner->reads_sparse};
    must(eg_cursor_open(&self->cursor, self->stream, &training));
    must(eg_cursor_open(&self->held_out, self->stream, &looking));
    must(eg_alloc(&self->scores, shape->batch * shape->outputs, sizeof *self->scores));
}

static void close_runner(runner *self)
{
    eg_free(self->scores);
    eg_learner_free(self->learner);
    eg_cursor_close(self->cursor);
    eg_cursor_close(self->held_out);
    eg_stream_free(self->stream);
    eg_settings_free(self->settings);
}

static void keep_least(double *least, double seconds)
{
    *least = seconds < *least ? seconds : *least;
}

static void learn(runner *self, least_times *least)
{
    const size_t steps = eg_stream_steps(self->stream, 0);
    for (size_t s = 0; s < STEPS; s++) {
        eg_batch batch;
        eg_step_outcome outcome = {.loss = 0};
        double start = now();
        eg_cursor_get(self->cursor, 0, s % steps, &batch);
        must(self->learner->ops->step(self->learner, &batch, &outcome));
        if (s >= WARM && batch.size == self->stream->shape.batch) {
            keep_least(&least->step, now() - start);
        }
    }
}

/* All held-out examples of the second phase. */
static void predict(runner *self, least_times *least)
{
    const size_t block = self->stream->shape.batch;
    const size_t count = eg_stream_count(self->stream, EG_SUBSET_VALIDATION, 1);
    double start = now();
    for (size_t first = 0; first < count; first += block) {
        eg_batch batch;
        const size_t left = count - first;
        eg_cursor_examples(self->held_out, EG_SUBSET_VALIDATION, 1, first,
                           left < block ? left : block, &batch);
        must(self->learner->ops->predict(self->learner, &batch, self->scores));
    }
    keep_least(&least->prediction, now() - start);
}

static void grow(runner *self, least_times *least)
{
    self->polls = 0;
    double start = now();
    must(self->learner->ops->begin_phase(self->learner, 1));
    double end = now();
    keep_least(&least->total, end - start);
    for (size_t i = 0; i <= self->polls; i++) {
        const double from = i == 0 ? start : self->poll[i - 1];
        keep_least(&least->piece[i], (i < self->polls ? self->poll[i] : end) - from);
    }
}

/* The seconds of firefly's passes: minibatches are alike, and those amid a pass are nothing else. *total becomes the sum
 * of all pieces. */
static double passes_of(const least_times *least, size_t polls, double *total)
{
    const size_t steps = polls / PASSES;
    double sum = 0;
    *total = least->piece[0];
    for (size_t pass = 0; pass < PASSES; pass++) {
        const double *piece = least->piece + 1 + pass * steps;
        double amid = 0;
        for (size_t s = 0; s < steps; s++) {
            *total += piece[s];
            amid += s > 0 && s + 1 < steps ? piece[s] : 0;
        }
        sum += amid / (double)(steps - 2) * (double)steps;
    }
    return sum;
}

static void measure(const growth_case *of, long rounds, const char *folder, eg_dataset_cache *cache)
{
    least_times least = {
        .step = (double)INFINITY, .total = (double)INFINITY, .prediction = (double)INFINITY};
    double stage = 0;
    size_t polls = 0;
    for (size_t i = 0; i <= POLLS_MAX; i++) {
        least.piece[i] = (double)INFINITY;
    }
    for (long round = 0; round < rounds; round++) {
        runner self = {.settings = NULL};
        open_runner(&self, of, folder, cache);
        must(self.learner->ops->begin_phase(self.learner, 0));
        learn(&self, &least);
        predict(&self, &least);
        grow(&self, &least);
        const eg_phase phase = eg_stream_phase(self.stream, 0);
        stage =
            least.step * (double)(phase.examples * phase.epochs) / (double)self.stream->shape.batch;
        polls = self.polls;
        close_runner(&self);
    }
    double total = least.total;
    const double passes = of->polls ? passes_of(&least, polls, &total) : least.prediction;
    (void)printf("%-32s %9.2f %9.2f %9.3f %9.1f %8.2f\n", of->name, 1e3 * total, 1e3 * passes,
                 1e3 * (total - passes), 1e3 * stage, 100 * (total - passes) / stage);
}

int main(int argc, char **argv)
{
    long rounds = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds < 1) {
        (void)fprintf(stderr, "usage: bench_growth ROUNDS FOLDER\n");
        return 2;
    }
    eg_dataset_cache *cache = NULL;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    must(eg_dataset_cache_create(&cache));
    for (size_t k = 0; k < EG_COUNT(cases); k++) {
        measure(&cases[k], rounds, argv[2], cache);
    }
    eg_dataset_cache_free(cache);
    return 0;
}
