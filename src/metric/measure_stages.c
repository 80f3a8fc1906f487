/** How a phase was trained that may end early: its epochs, and what each of them was scored by.
 *  Members of an ensemble that end by themselves have numbers of their own. */
#include "engram/measure.h"

#include <math.h>

enum { END, USED, SCORE, COUNT };

static const eg_variable variables[] = {
    [END] = {.name = "stage_end",
             .dims = {"train_task"},
             .wide = true,
             .unit = "mega-batches",
             .doc = "mega-batches that had arrived when the phase was learned"},
    [USED] = {.name = "epochs_used",
              .dims = {"train_task", "member"},
              .wide = true,
              .unit = "epochs",
              .doc = "epochs of the phase, for each network that ends a phase by itself"},
    [SCORE] = {.name = "epoch_score",
               .dims = {"train_task", "member", "epoch"},
               .unit = "1",
               .doc = "what early stopping scored each epoch of the phase by: accuracy on held-out "
                      "examples, or minus the training loss"},
};

static const eg_variable *const list[] = {&variables[END], &variables[USED], &variables[SCORE],
                                          NULL};

typedef struct measure {
    eg_measure base;
    size_t members;
    size_t begin; /* minibatches when the phase began */
    eg_array *array[COUNT];
} measure;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return variable != &variables[END] || scope->chunks > 0;
}

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    size_t count = 0;
    (void)view;
    while (eg_learner_epoch_scores(base->setup->learner, self->members, &count) != NULL) {
        self->members++;
    }
    self->members = self->members > 0 ? self->members : 1;
    for (size_t i = 0; i < COUNT; i++) {
        if (records(&base->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(base, &variables[i], self->members, &self->array[i]));
        }
    }
    return eg_ok();
}

static eg_status begin_phase(eg_measure *base, const eg_moment *now)
{
    ((measure *)base)->begin = now->step;
    return eg_ok();
}

static eg_status end_phase(eg_measure *base, const eg_moment *now)
{
    measure *self = (measure *)base;
    const eg_stream *stream = base->setup->stream;
    eg_phase about = eg_stream_phase(stream, now->phase);
    size_t epochs = stream->shape.epochs;
    if (self->array[END] != NULL) {
        self->array[END]->data[now->phase] = (double)about.arrived;
    }
    for (size_t m = 0; m < self->members; m++) {
        size_t row = now->phase * self->members + m;
        size_t count = 0;
        const double *score = eg_learner_epoch_scores(base->setup->learner, m, &count);
        size_t used = score != NULL ? count : (now->step - self->begin) / about.steps;
        self->array[USED]->data[row] = (double)used;
        for (size_t e = 0; score != NULL && e < count; e++) {
            self->array[SCORE]->data[row * epochs + e] = score[e];
        }
    }
    return eg_ok();
}

static void write(const eg_measure *base, eg_writer *writer)
{
    eg_write_u64(writer, ((const measure *)base)->begin);
}

static eg_status read(eg_measure *base, eg_reader *reader)
{
    ((measure *)base)->begin = (size_t)eg_read_u64(reader);
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {
    .begin_phase = begin_phase, .end_phase = end_phase, .write = write, .read = read};

const eg_measure_kind eg_measure_stages = {
    .component = {.name = "stages",
                  .doc = "epochs of every phase and what early stopping scored each of them by"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .records = records,
    .open = open,
};
