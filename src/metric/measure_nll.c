/** The negative log-likelihood of the labels that are evaluated.
 *
 *      nll = 1/rows sum_r -log p(label_r)
 *
 *  p is the softmax of the scores, or of an ensemble the mean of probabilities. A row is an
 *  example, or a position of one. Of a learner whose scores make no probabilities (votes) there is
 *  none. */
#include "metric/measure_scopes.h"

#include <math.h>
#include <string.h>

enum { TEST, HELD_OUT, CURVES, FINAL = CURVES, COUNT };

static const eg_variable variables[COUNT] = {
    [TEST] = {.name = "nll",
              .dims = {"eval"},
              .wide = true,
              .unit = "nat",
              .doc = "mean negative log-likelihood of all test labels"},
    [HELD_OUT] = {.name = "validation_nll",
                  .dims = {"eval"},
                  .wide = true,
                  .unit = "nat",
                  .doc = "mean negative log-likelihood of all held-out labels"},
    [FINAL] = {.name = "final_nll",
               .wide = true,
               .unit = "nat",
               .doc = "mean negative log-likelihood of all test labels after the last phase; "
                      "log(classes) if the trial diverged",
               .data = "test",
               .less_is_better = true,
               .chance_if_diverged = true},
};

static const eg_variable *const list[] = {&variables[TEST], &variables[HELD_OUT], &variables[FINAL],
                                          NULL};

typedef struct nll {
    eg_measure base;
    eg_array *array[CURVES]; /* NULL where not recorded */
    double last[CURVES];     /* of the newest end of a phase */
    size_t ended;            /* phases */
    bool diverged;
} nll;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return variable != &variables[HELD_OUT] || scope->held_out;
}

static bool by_default(const eg_measure_scope *scope)
{
    return scope->positions > 1;
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    nll *self = (nll *)measure;
    (void)view;
    for (size_t i = 0; i < CURVES; i++) {
        self->last[i] = (double)NAN;
        if (records(&measure->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(measure, &variables[i], 0, &self->array[i]));
        }
    }
    return eg_ok();
}

static eg_status evaluation(eg_measure *measure, const eg_moment *now,
                            const eg_evaluation *evaluation)
{
    nll *self = (nll *)measure;
    const eg_subset subset = evaluation->subset;
    if (evaluation->untrained || subset > EG_SUBSET_VALIDATION) {
        return eg_ok();
    }
    if (self->array[subset] != NULL) {
        self->array[subset]->data[now->eval] = evaluation->nll;
    }
    if (evaluation->phase_end) {
        self->last[subset] = evaluation->nll;
    }
    return eg_ok();
}

static eg_status end_phase(eg_measure *measure, const eg_moment *now)
{
    ((nll *)measure)->ended = now->phase + 1;
    return eg_ok();
}

/* After the last phase; of one that guesses, after all. */
static double final_of(const nll *self, eg_subset subset)
{
    const eg_stream_shape *shape = &self->base.setup->stream->shape;
    if (self->diverged) {
        return log((double)shape->outputs);
    }
    return self->ended == shape->phases ? self->last[subset] : (double)NAN;
}

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    nll *self = (nll *)measure;
    self->diverged = now->diverged;
    return eg_record_scalar(measure->setup->record, &variables[FINAL],
                            final_of(self, EG_SUBSET_TEST));
}

static bool selecting(const eg_measure *measure, const char *name, double *out)
{
    const nll *self = (const nll *)measure;
    if (strcmp(name, variables[FINAL].name) != 0) {
        return false;
    }
    *out = final_of(self, measure->setup->selection.subset);
    return true;
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    const nll *self = (const nll *)measure;
    eg_write_u64(writer, self->ended);
    for (size_t i = 0; i < CURVES; i++) {
        eg_write_f64(writer, self->last[i]);
    }
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    nll *self = (nll *)measure;
    self->ended = (size_t)eg_read_u64(reader);
    for (size_t i = 0; i < CURVES; i++) {
        self->last[i] = eg_read_f64(reader);
    }
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {.evaluation = evaluation,
                                   .end_phase = end_phase,
                                   .end_trial = end_trial,
                                   .selecting = selecting,
                                   .write = write,
                                   .read = read};

const eg_measure_kind eg_measure_nll = {
    .component = {.name = "nll", .doc = "mean negative log-likelihood of the evaluated labels"},
    .order = 18,
    .variables = list,
    .size = sizeof(nll),
    .ops = &ops,
    .wants_nll = true,
    .lacks = eg_lacks_accuracy,
    .by_default = by_default,
    .records = records,
    .open = open,
};
