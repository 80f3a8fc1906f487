/** Accuracy and loss before each update late in the stream: whether a learner still can learn.
 *
 *      late_online_accuracy   mean over the last ceil(T / 10) of T phases of the online accuracy
 *                             of a phase
 *      late_online_loss       the same of the loss
 *
 *  A stream of one phase counts by its examples: the minibatches that begin in the last tenth of
 *  them. */
#include "engram/metric.h"
#include "metric/measure_scopes.h"

#include <math.h>

static const eg_variable late_accuracy = {
    .name = "late_online_accuracy",
    .unit = "1",
    .doc = "online accuracy of the last tenth of the phases, mean over these",
    .data = "training"};

static const eg_variable late_loss = {
    .name = "late_online_loss",
    .unit = "nat",
    .doc = "loss before each update in the last tenth of the phases, mean over these",
    .data = "training",
    .less_is_better = true};

static const eg_variable *const list[] = {&late_accuracy, &late_loss, NULL};

typedef struct sums {
    double examples, correct, loss; /* correct: NaN once predictions were not told */
} sums;

typedef struct late_online {
    eg_measure base;
    size_t first_phase;            /* that counts */
    size_t first_example;          /* that counts; of a stream of one phase */
    sums phase;                    /* the one under way */
    double phases, accuracy, loss; /* sums over those that ended */
} late_online;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return scope->classifies || variable != &late_accuracy;
}

static eg_status open(eg_measure *measure, const eg_view *view)
{
    late_online *self = (late_online *)measure;
    const eg_stream *stream = measure->setup->stream;
    size_t phases = stream->shape.phases;
    (void)view;
    self->first_phase = phases - (phases + 9) / 10;
    if (phases == 1) {
        size_t examples = eg_measure_count_examples(stream);
        self->first_example = examples - (examples + 9) / 10;
    }
    return eg_ok();
}

static eg_status step(eg_measure *measure, const eg_moment *now, const eg_batch *batch,
                      const eg_step_outcome *outcome)
{
    late_online *self = (late_online *)measure;
    if (now->phase < self->first_phase || now->examples_seen - batch->size < self->first_example) {
        return eg_ok();
    }
    self->phase.examples += (double)batch->size;
    self->phase.loss += outcome->loss * (double)batch->size;
    self->phase.correct +=
        measure->setup->scope.classifies && outcome->outputs != NULL
            ? eg_correct_examples(batch, measure->setup->stream->shape.outputs, outcome->outputs)
            : (double)NAN;
    return eg_ok();
}

static eg_status end_phase(eg_measure *measure, const eg_moment *now)
{
    late_online *self = (late_online *)measure;
    (void)now;
    if (self->phase.examples > 0) {
        self->phases++;
        self->accuracy += self->phase.correct / self->phase.examples;
        self->loss += self->phase.loss / self->phase.examples;
        self->phase = (sums){.examples = 0};
    }
    return eg_ok();
}

/* A trial that diverged or paused did not get to the end, so it has no value. */
static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    const late_online *self = (const late_online *)measure;
    const eg_measure_setup *setup = measure->setup;
    size_t wanted = setup->stream->shape.phases - self->first_phase;
    bool whole = !now->diverged && self->phases == (double)wanted;
    double phases = whole ? self->phases : (double)NAN;
    if (setup->scope.classifies) {
        EG_TRY(eg_record_scalar(setup->record, &late_accuracy, self->accuracy / phases));
    }
    return eg_record_scalar(setup->record, &late_loss, self->loss / phases);
}

static void write(const eg_measure *measure, eg_writer *writer)
{
    const late_online *self = (const late_online *)measure;
    eg_write_f64(writer, self->phase.examples);
    eg_write_f64(writer, self->phase.correct);
    eg_write_f64(writer, self->phase.loss);
    eg_write_f64(writer, self->phases);
    eg_write_f64(writer, self->accuracy);
    eg_write_f64(writer, self->loss);
}

static eg_status read(eg_measure *measure, eg_reader *reader)
{
    late_online *self = (late_online *)measure;
    self->phase.examples = eg_read_f64(reader);
    self->phase.correct = eg_read_f64(reader);
    self->phase.loss = eg_read_f64(reader);
    self->phases = eg_read_f64(reader);
    self->accuracy = eg_read_f64(reader);
    self->loss = eg_read_f64(reader);
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {
    .step = step, .end_phase = end_phase, .end_trial = end_trial, .write = write, .read = read};

const eg_measure_kind eg_measure_late_online = {
    .component = {.name = "late_online",
                  .doc = "accuracy and loss before each update in the last tenth of the phases",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7"},
    .variables = list,
    .size = sizeof(late_online),
    .ops = &ops,
    .records = records,
    .open = open,
};
