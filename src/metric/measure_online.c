/** Accuracy and loss of the predictions made before each update, in bins.
 *
 *      online_accuracy[b]   sum over the steps of bin b of the examples predicted right / examples
 *      online_loss[b]       sum over the steps of bin b of loss * examples / examples
 *
 *  A bin is a phase, or so many examples; a minibatch belongs to the bin of its first example.
 *  Of an example with several positions the share of them counts that was predicted right. */
#include "engram/metric.h"
#include "metric/measure_scopes.h"

#include <math.h>

enum { EXAMPLES, ACCURACY, LOSS, CURVES, MEAN_ACCURACY = CURVES, MEAN_LOSS, COUNT };

static const eg_variable variables[] = {
    [EXAMPLES] = {.name = "online_examples",
                  .dims = {"bin"},
                  .wide = true,
                  .unit = "1",
                  .doc = "training examples learned at the end of each bin"},
    [ACCURACY] = {.name = "online_accuracy",
                  .dims = {"bin"},
                  .unit = "1",
                  .doc =
                      "share of a bin's training examples classified correctly before the update "
                      "they were used for"},
    [LOSS] = {.name = "online_loss",
              .dims = {"bin"},
              .unit = "nat",
              .doc = "mean training loss of a bin's examples before the update they were used for"},
    [MEAN_ACCURACY] = {.name = "mean_online_accuracy",
                       .unit = "1",
                       .doc =
                           "share of all training examples classified correctly before the update "
                           "they were used for",
                       .data = "training"},
    [MEAN_LOSS] = {.name = "mean_online_loss",
                   .unit = "nat",
                   .doc = "mean loss of all training examples before the update they were used for",
                   .data = "training",
                   .less_is_better = true},
};

static const eg_variable *const list[] = {&variables[EXAMPLES],  &variables[ACCURACY],
                                          &variables[LOSS],      &variables[MEAN_ACCURACY],
                                          &variables[MEAN_LOSS], NULL};

typedef struct sums {
    double examples, loss;
    double correct; /* NaN once predictions were not told */
} sums;

typedef struct online {
    eg_measure base;
    size_t size; /* examples of a bin; 0: a phase is one */
    size_t bin;  /* that `current` is of */
    sums current, all;
    eg_array *array[CURVES]; /* NULL where not recorded */
} online;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    bool accuracy = variable == &variables[ACCURACY] || variable == &variables[MEAN_ACCURACY];
    return scope->classifies || !accuracy;
}

/* Where there is nothing to evaluate on, it is what there is to know. */
static bool by_default(const eg_measure_scope *scope)
{
    return scope->tasks == 0;
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    online *self = (online *)measure;
    self->size = view != NULL ? eg_view_size(view, "bin") : 0;
    size_t bins = eg_measure_count_bins(measure->setup->stream, self->size);
    for (size_t i = 0; i < CURVES; i++) {
        if (records(&measure->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(measure, &variables[i], bins, &self->array[i]));
        }
    }
    return eg_ok();
}

static void add(sums *to, const sums *step)
{
    to->examples += step->examples;
    to->loss += step->loss;
    to->correct += step->correct;
}

static eg_status step(eg_measure *measure, const eg_moment *now, const eg_batch *batch,
                      const eg_step_outcome *outcome)
{
    online *self = (online *)measure;
    size_t before = now->examples_seen - batch->size;
    size_t bin = self->size == 0 ? now->phase : before / self->size;
    sums made = {.examples = (double)batch->size,
                 .loss = outcome->loss * (double)batch->size,
                 .correct = (double)NAN};
    if (self->array[ACCURACY] != NULL && outcome->outputs != NULL) {
        made.correct =
            eg_correct_examples(batch, measure->setup->stream->shape.outputs, outcome->outputs);
    }
    if (bin != self->bin) {
        self->current = (sums){.examples = 0};
        self->bin = bin;
    }
    add(&self->current, &made);
    add(&self->all, &made);
    self->array[EXAMPLES]->data[bin] = (double)now->examples_seen;
    self->array[LOSS]->data[bin] = self->current.loss / self->current.examples;
    if (self->array[ACCURACY] != NULL) {
        self->array[ACCURACY]->data[bin] = self->current.correct / self->current.examples;
    }
    return eg_ok();
}

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    const online *self = (const online *)measure;
    eg_record *record = measure->setup->record;
    (void)now;
    if (records(&measure->setup->scope, &variables[MEAN_ACCURACY])) {
        EG_TRY(eg_record_scalar(record, &variables[MEAN_ACCURACY],
                                self->all.correct / self->all.examples));
    }
    return eg_record_scalar(record, &variables[MEAN_LOSS], self->all.loss / self->all.examples);
}

static void write_sums(const sums *from, eg_writer *writer)
{
    eg_write_f64(writer, from->examples);
    eg_write_f64(writer, from->loss);
    eg_write_f64(writer, from->correct);
}

static void read_sums(sums *to, eg_reader *reader)
{
    to->examples = eg_read_f64(reader);
    to->loss = eg_read_f64(reader);
    to->correct = eg_read_f64(reader);
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    const online *self = (const online *)measure;
    eg_write_u64(writer, self->bin);
    write_sums(&self->current, writer);
    write_sums(&self->all, writer);
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    online *self = (online *)measure;
    self->bin = (size_t)eg_read_u64(reader);
    read_sums(&self->current, reader);
    read_sums(&self->all, reader);
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {
    .step = step, .end_trial = end_trial, .write = write, .read = read};

static const eg_param params[] = {
    {.name = "bin",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e12,
     .unit = "examples",
     .doc = "training examples of a bin; 0: each phase is one",
     .added_later = true},
};

const eg_measure_kind eg_measure_online = {
    .component = {.name = "online",
                  .doc = "accuracy and loss of the predictions made before each update, in bins",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .order = 14,
    .variables = list,
    .size = sizeof(online),
    .ops = &ops,
    .by_default = by_default,
    .records = records,
    .open = open,
};
