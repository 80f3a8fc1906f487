/** The best a phase had of its own task, over the evaluations made while it was learned.
 *
 *      a_e, v_e              accuracy on test and held-out examples of task i, at evaluation e of
 *                            phase i
 *      peak_accuracy[i]      max_e a_e: chosen on test data, and so optimistic
 *      selected_accuracy[i]  a_e of the first e with the largest v_e
 *
 *  The same of augmented test examples, where the stream has some. */
#include "metric/measure_scopes.h"

#include <math.h>

enum {
    PEAK,
    PEAK_EXAMPLES,
    SELECTED,
    SELECTED_EXAMPLES,
    PEAK_AUGMENTED,
    SELECTED_AUGMENTED,
    CURVES,
    MEAN_PEAK = CURVES,
    MEAN_SELECTED
};

static const eg_variable variables[] = {
    [PEAK] = {.name = "peak_accuracy",
              .dims = {"train_task"},
              .unit = "1",
              .doc = "largest test accuracy on task i at an evaluation during phase i"},
    [PEAK_EXAMPLES] = {.name = "peak_examples",
                       .dims = {"train_task"},
                       .wide = true,
                       .unit = "1",
                       .doc = "training examples of phase i learned when peak_accuracy was first "
                              "reached"},
    [SELECTED] = {.name = "selected_accuracy",
                  .dims = {"train_task"},
                  .unit = "1",
                  .doc = "test accuracy on task i at the evaluation during phase i that had the "
                         "largest accuracy on held-out examples"},
    [SELECTED_EXAMPLES] = {.name = "selected_examples",
                           .dims = {"train_task"},
                           .wide = true,
                           .unit = "1",
                           .doc = "training examples of phase i learned at that evaluation"},
    [PEAK_AUGMENTED] = {.name = "peak_augmented_accuracy",
                        .dims = {"train_task"},
                        .unit = "1",
                        .doc = "largest accuracy on augmented test examples of task i at an "
                               "evaluation during phase i"},
    [SELECTED_AUGMENTED] = {.name = "selected_augmented_accuracy",
                            .dims = {"train_task"},
                            .unit = "1",
                            .doc = "accuracy on augmented test examples of task i at the "
                                   "evaluation of selected_accuracy"},
    [MEAN_PEAK] = {.name = "mean_peak_accuracy",
                   .unit = "1",
                   .doc = "mean over phases of peak_accuracy",
                   .data = "test"},
    [MEAN_SELECTED] = {.name = "mean_selected_accuracy",
                       .unit = "1",
                       .doc = "mean over phases of selected_accuracy",
                       .data = "test"},
};

static const eg_variable *const list[] = {&variables[PEAK],
                                          &variables[PEAK_EXAMPLES],
                                          &variables[SELECTED],
                                          &variables[SELECTED_EXAMPLES],
                                          &variables[PEAK_AUGMENTED],
                                          &variables[SELECTED_AUGMENTED],
                                          &variables[MEAN_PEAK],
                                          &variables[MEAN_SELECTED],
                                          NULL};

typedef struct peak {
    eg_measure base;
    eg_array *array[CURVES]; /* NULL where not recorded */
    /* Of the phase under way. */
    double start;      /* examples learned before it */
    double held_out;   /* largest accuracy on held-out examples so far; NaN: none */
    double test;       /* the newest accuracy on test examples */
    uint64_t selected; /* evaluation that held-out examples selected last, from 1; 0: none */
} peak;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    bool selects = variable == &variables[SELECTED] || variable == &variables[SELECTED_EXAMPLES] ||
                   variable == &variables[SELECTED_AUGMENTED] ||
                   variable == &variables[MEAN_SELECTED];
    bool augmented =
        variable == &variables[PEAK_AUGMENTED] || variable == &variables[SELECTED_AUGMENTED];
    return (scope->held_out || !selects) && (scope->augments_tests || !augmented);
}

static eg_status open(eg_measure *base, const eg_view *view)
{
    peak *self = (peak *)base;
    (void)view;
    for (size_t i = 0; i < CURVES; i++) {
        if (records(&base->setup->scope, &variables[i])) {
            EG_TRY(eg_measure_declare(base, &variables[i], 0, &self->array[i]));
        }
    }
    return eg_ok();
}

static eg_status begin_phase(eg_measure *base, const eg_moment *now)
{
    peak *self = (peak *)base;
    self->start = (double)now->examples_seen;
    self->held_out = (double)NAN;
    self->test = (double)NAN;
    return eg_ok();
}

/** Whether `value` is the first one, or larger than all before. */
static bool is_larger(double value, double before)
{
    return !isnan(value) && (isnan(before) || value > before);
}

/** An evaluation that was interrupted is made again, so it is known by its number. */
static void note_augmented(const peak *self, const eg_moment *now, double accuracy)
{
    eg_array *const *array = self->array;
    if (is_larger(accuracy, array[PEAK_AUGMENTED]->data[now->phase])) {
        array[PEAK_AUGMENTED]->data[now->phase] = accuracy;
    }
    if (array[SELECTED_AUGMENTED] != NULL && self->selected == now->eval + 1) {
        array[SELECTED_AUGMENTED]->data[now->phase] = accuracy;
    }
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    peak *self = (peak *)base;
    double accuracy = evaluation->accuracy[now->phase];
    double examples = (double)now->examples_seen - self->start;
    if (evaluation->untrained) {
        return eg_ok();
    }
    if (evaluation->subset == EG_SUBSET_TEST) {
        self->test = accuracy;
        if (is_larger(accuracy, self->array[PEAK]->data[now->phase])) {
            self->array[PEAK]->data[now->phase] = accuracy;
            self->array[PEAK_EXAMPLES]->data[now->phase] = examples;
        }
    } else if (evaluation->subset == EG_SUBSET_TEST_AUGMENTED) {
        note_augmented(self, now, accuracy);
    } else if (self->array[SELECTED] != NULL && is_larger(accuracy, self->held_out)) {
        self->held_out = accuracy;
        self->selected = now->eval + 1;
        self->array[SELECTED]->data[now->phase] = self->test;
        self->array[SELECTED_EXAMPLES]->data[now->phase] = examples;
    }
    return eg_ok();
}

static eg_status record_mean(const peak *self, size_t curve, size_t scalar, bool diverged)
{
    const eg_array *array = self->array[curve];
    double sum = 0;
    for (size_t i = 0; array != NULL && i < array->count; i++) {
        sum += array->data[i];
    }
    return array == NULL ? eg_ok()
                         : eg_record_scalar(self->base.setup->record, &variables[scalar],
                                            diverged ? (double)NAN : sum / (double)array->count);
}

static eg_status end_trial(eg_measure *base, const eg_moment *now)
{
    const peak *self = (const peak *)base;
    EG_TRY(record_mean(self, PEAK, MEAN_PEAK, now->diverged));
    return record_mean(self, SELECTED, MEAN_SELECTED, now->diverged);
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->phases == scope->tasks ? eg_lacks_accuracy(scope)
                                         : "a stream whose phases are tasks";
}

static void write(const eg_measure *base, eg_writer *writer)
{
    const peak *self = (const peak *)base;
    eg_write_f64(writer, self->start);
    eg_write_f64(writer, self->held_out);
    eg_write_f64(writer, self->test);
    eg_write_u64(writer, self->selected);
}

static eg_status read(eg_measure *base, eg_reader *reader)
{
    peak *self = (peak *)base;
    self->start = eg_read_f64(reader);
    self->held_out = eg_read_f64(reader);
    self->test = eg_read_f64(reader);
    self->selected = eg_read_u64(reader);
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {.begin_phase = begin_phase,
                                   .evaluation = evaluation,
                                   .end_trial = end_trial,
                                   .write = write,
                                   .read = read};

const eg_measure_kind eg_measure_peak = {
    .component = {.name = "peak",
                  .doc =
                      "the best test accuracy on each task while it was learned, and the one that "
                      "held-out examples select; see eval.every",
                  .source = "Dohare et al. 2024, Nature 632, doi 10.1038/s41586-024-07711-7"},
    .variables = list,
    .size = sizeof(peak),
    .ops = &ops,
    .lacks = lacks,
    .records = records,
    .open = open,
};
