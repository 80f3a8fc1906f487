/** Where the trial was at each evaluation, and the training loss there. */
#include "engram/measure.h"

#include <math.h>

enum { STEP, EXAMPLES_SEEN, PHASE, LOSS, COUNT };

static const eg_variable variables[] = {
    [STEP] = {.name = "step",
              .dims = {"eval"},
              .wide = true,
              .unit = "1",
              .doc = "minibatches learned when this evaluation was made"},
    [EXAMPLES_SEEN] = {.name = "examples_seen",
                       .dims = {"eval"},
                       .wide = true,
                       .unit = "1",
                       .doc = "training examples learned when this evaluation was made"},
    [PHASE] = {.name = "phase",
               .dims = {"eval"},
               .wide = true,
               .unit = "1",
               .doc = "index of the phase being learned at this evaluation, from 0"},
    [LOSS] = {.name = "loss",
              .dims = {"eval"},
              .unit = "nat",
              .doc = "mean of the last 100 minibatch training losses"},
};

static const eg_variable *const list[] = {&variables[STEP], &variables[EXAMPLES_SEEN],
                                          &variables[PHASE], &variables[LOSS], NULL};

typedef struct progress {
    eg_measure base;
    eg_array *array[COUNT];
} progress;

static eg_status open(eg_measure *measure, const eg_view *view)
{
    progress *self = (progress *)measure;
    (void)view;
    for (size_t i = 0; i < COUNT; i++) {
        EG_TRY(eg_measure_declare(measure, &variables[i], 0, &self->array[i]));
    }
    return eg_ok();
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    progress *self = (progress *)measure;
    if (evaluation->subset == EG_SUBSET_TEST && !evaluation->untrained) {
        self->array[STEP]->data[now->eval] = (double)now->step;
        self->array[EXAMPLES_SEEN]->data[now->eval] = (double)now->examples_seen;
        self->array[PHASE]->data[now->eval] = (double)now->phase;
        self->array[LOSS]->data[now->eval] = now->recent_loss;
    }
    return eg_ok();
}

size_t eg_measure_evaluations(const eg_record *record)
{
    const eg_array *step = eg_record_find(record, variables[STEP].name);
    size_t count = step == NULL ? 0 : step->count;
    while (count > 0 && isnan(step->data[count - 1])) {
        count--;
    }
    return count;
}

static const eg_measure_ops ops = {.evaluation = evaluation};

const eg_measure_kind eg_measure_progress = {
    .component = {.name = "progress",
                  .doc = "steps, examples, phase and training loss at each evaluation"},
    .order = 1,
    .required = true,
    .variables = list,
    .size = sizeof(progress),
    .ops = &ops,
    .open = open,
};
