/** What the penalties of regularising learners add to a training step, step by step: learners with and
 *  without a penalty take the same minibatches of the second task in turns, and of every minibatch the
 *  least time over all turns counts, so that whatever else the machine does is left out. Penalties are
 *  in force and importances those of the first task, but too weak to change what is learned: all do the
 *  same arithmetic.
 *
 *      bench_penalty ROUNDS FOLDER      FOLDER holds the IDX files of MNIST */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    WORDS_MAX = 32,
    FIRST = 100, /* minibatches of the first task */
    WARM = 4,    /* minibatches of a turn that bring the learner into the cache; not timed */
    TIMED = 48,  /* minibatches of a turn that are timed */
};

typedef struct words {
    const char *name;
    bool unended;                /* the first task does not end, so that there is no penalty yet */
    const char *word[WORDS_MAX]; /* name, value, name, value, …, NULL */
} words;

static const words settings[] = {
    {"hard_ash, adagrad, batch 64", false, {"optimizer.lr", "2e-4", "optimizer.clip", "0.01"}},
    {"relu, sgd, clip_norm, batch 128",
     false,
     {"model.activation", "relu", "model.weight_norm", "[none]", "model.bias", "true", "model.init",
      "uniform", "dataset.scale", "unit", "optimizer", "sgd", "optimizer.lr", "0.05",
      "optimizer.clip_norm", "1", "stream.batch", "128"}},
};

static const words learners[] = {
    {"plain", false, {"learner", "plain"}},
    {"l2", false, {"learner", "l2", "learner.lambda", "1e-12"}},
    {"ewc", false, {"learner", "ewc", "learner.lambda", "1e-12"}},
    {"online_ewc", false, {"learner", "online_ewc", "learner.lambda", "1e-12"}},
    {"mas", false, {"learner", "mas", "learner.lambda", "1e-12"}},
    {"si", false, {"learner", "si", "learner.lambda", "1e-12"}},
    {"si-measure", true, {"learner", "si", "learner.lambda", "1e-12"}},
};

enum { LEARNERS = EG_COUNT(learners) };

typedef struct runner {
    eg_settings *settings;
    eg_stream *stream;
    eg_cursor *cursor;
    eg_learner *learner;
    double least[TIMED]; /* seconds of a minibatch */
} runner;

static void must(eg_status status)
{
    if (!eg_is_ok(&status)) {
        (void)fprintf(stderr, "bench_penalty: %s\n", status.message);
        exit(4);
    }
}

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Adds the words of a table to a list of assignments. */
static size_t append(eg_assignment *out, size_t count, const char *const *word)
{
    for (size_t i = 0; word[i] != NULL; i += 2) {
        out[count++] = (eg_assignment){.name = word[i], .value = word[i + 1]};
    }
    return count;
}

static void step(const runner *self, size_t phase, size_t at)
{
    eg_batch batch;
    eg_step_outcome outcome = {.loss = 0};
    eg_cursor_get(self->cursor, phase, at, &batch);
    must(self->learner->ops->step(self->learner, &batch, &outcome));
    if (!isfinite(outcome.loss)) {
        must(eg_fail(EG_INTERNAL, "the loss became infinite"));
    }
}

/* A learner at the end of the first task. */
static void prepare(runner *self, const words *setting, const words *learner, const char *folder,
                    eg_dataset_cache *cache)
{
    const char *const common[] = {"dataset.path", folder, "stream.tasks", "5", NULL};
    eg_assignment list[2 * WORDS_MAX];
    size_t count = append(list, 0, common);
    count = append(list, count, setting->word);
    count = append(list, count, learner->word);
    must(eg_settings_resolve(&self->settings, eg_trial_schema(), list, count));
    eg_view root = eg_settings_root(self->settings);
    const eg_dataset *dataset = NULL;
    must(eg_dataset_cache_get(cache, &root, &dataset));
    const size_t block = 500;
    must(eg_stream_create(&self->stream, &root, dataset, 0, 0));
    const eg_learner_setup setup = {
        .root = &root, .shape = self->stream->shape, .block = block, .stream = self->stream};
    must(eg_learner_create(&self->learner, &setup));
    const eg_cursor_setup reading = {.trains = true, .sparse_only = self->learner->reads_sparse};
    must(eg_cursor_open(&self->cursor, self->stream, &reading));
    for (size_t s = 0; s < FIRST; s++) {
        step(self, 0, s % eg_stream_steps(self->stream, 0));
    }
    if (self->learner->ops->end_phase != NULL && !learner->unended) {
        must(self->learner->ops->end_phase(self->learner, 0));
    }
    for (size_t s = 0; s < TIMED; s++) {
        self->least[s] = (double)INFINITY;
    }
}

static void take_turn(runner *self)
{
    for (size_t s = 0; s < WARM + TIMED; s++) {
        eg_batch batch;
        eg_step_outcome outcome = {.loss = 0};
        eg_cursor_get(self->cursor, 1, s, &batch);
        double start = now();
        must(self->learner->ops->step(self->learner, &batch, &outcome));
        double seconds = now() - start;
        if (s >= WARM && seconds < self->least[s - WARM]) {
            self->least[s - WARM] = seconds;
        }
    }
}

static double mean(const runner *self)
{
    double sum = 0;
    for (size_t s = 0; s < TIMED; s++) {
        sum += self->least[s];
    }
    return sum / TIMED;
}

int main(int argc, char **argv)
{
    long rounds = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    if (rounds < 1) {
        (void)fprintf(stderr, "usage: bench_penalty ROUNDS FOLDER\n");
        return 2;
    }
    eg_dataset_cache *cache = NULL;
    must(eg_dataset_cache_create(&cache));
    for (size_t k = 0; k < EG_COUNT(settings); k++) {
        runner runners[LEARNERS] = {{.settings = NULL}};
        for (size_t l = 0; l < LEARNERS; l++) {
            prepare(&runners[l], &settings[k], &learners[l], argv[2], cache);
        }
        for (long round = 0; round < rounds; round++) {
            for (size_t l = 0; l < LEARNERS; l++) {
                take_turn(&runners[l]);
            }
        }
        double plain = mean(&runners[0]);
        for (size_t l = 0; l < LEARNERS; l++) {
            double seconds = mean(&runners[l]);
            (void)printf("%-34s %-10s %8.3f %9.1f\n", settings[k].name, learners[l].name,
                         1e3 * seconds, 100 * (seconds / plain - 1));
            eg_learner_free(runners[l].learner);
            eg_cursor_close(runners[l].cursor);
            eg_stream_free(runners[l].stream);
            eg_settings_free(runners[l].settings);
        }
    }
    eg_dataset_cache_free(cache);
    return 0;
}
