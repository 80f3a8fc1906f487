/** How many minibatches a phase takes to be as good as a network from scratch: fewer than the first
 *  phase if what was learned before helps, more if the network has lost the ability to learn.
 *
 *      a                      the accuracy to be reached: setting `accuracy`, or, if that is 0, the
 *                             test accuracy at the end of phase 0, which began with a network from
 *                             scratch; for phases that are alike
 *      scratch_iterations[i]  minibatches of phase i learned when its test accuracy was first
 *                             evaluated as a or more; NaN if it never was
 *
 *  Of phase 0 it is the whole phase where its own end says what is to be reached. */
#include "metric/measure_scopes.h"

#include <math.h>

enum { ITERATIONS, MEAN, REACHED };

static const eg_variable variables[] = {
    [ITERATIONS] = {.name = "scratch_iterations",
                    .dims = {"train_task"},
                    .wide = true,
                    .unit = "1",
                    .doc = "minibatches of phase i learned when the test accuracy on its task was "
                           "first that of a network from scratch; nan: never"},
    [MEAN] = {.name = "mean_scratch_iterations",
              .unit = "1",
              .doc = "mean of scratch_iterations over the phases after the first that got there",
              .data = "test",
              .less_is_better = true},
    [REACHED] = {.name = "scratch_reached",
                 .unit = "1",
                 .doc = "share of the phases after the first that reached the accuracy of a "
                        "network from scratch",
                 .data = "test"},
};

static const eg_variable *const list[] = {&variables[ITERATIONS], &variables[MEAN],
                                          &variables[REACHED], NULL};

typedef struct measure {
    eg_measure base;
    eg_array *array;
    bool given;       /* by the setting */
    double reference; /* NaN: not known yet */
    size_t start;     /* minibatches learned when the phase began */
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    const double accuracy = view != NULL ? eg_view_real(view, "accuracy") : 0;
    self->given = accuracy > 0;
    self->reference = self->given ? accuracy : (double)NAN;
    return eg_measure_declare(base, &variables[ITERATIONS], 0, &self->array);
}

static eg_status begin_phase(eg_measure *base, const eg_moment *now)
{
    ((measure *)base)->start = now->step;
    return eg_ok();
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    measure *self = (measure *)base;
    const size_t task = base->setup->stream->shape.tasks > 1 ? now->phase : 0;
    const double accuracy = evaluation->accuracy[task];
    double *iterations = &self->array->data[now->phase];
    if (evaluation->subset != EG_SUBSET_TEST || evaluation->untrained) {
        return eg_ok();
    }
    if (!self->given && now->phase == 0 && evaluation->phase_end) {
        self->reference = accuracy;
    }
    if (isnan(*iterations) && accuracy >= self->reference) { /* false of NaN */
        *iterations = (double)(now->step - self->start);
    }
    return eg_ok();
}

static eg_status end_trial(eg_measure *base, const eg_moment *now)
{
    const measure *self = (const measure *)base;
    const size_t later = self->array->count - 1;
    double sum = 0;
    double reached = 0;
    for (size_t i = 1; i <= later; i++) {
        const double iterations = self->array->data[i];
        sum += isnan(iterations) ? 0 : iterations;
        reached += isnan(iterations) ? 0 : 1;
    }
    const double none = (double)NAN;
    EG_TRY(eg_record_scalar(base->setup->record, &variables[MEAN],
                            reached > 0 && !now->diverged ? sum / reached : none));
    return eg_record_scalar(base->setup->record, &variables[REACHED],
                            later > 0 && !now->diverged ? reached / (double)later : none);
}

static void write(const eg_measure *base, eg_writer *writer)
{
    const measure *self = (const measure *)base;
    eg_write_f64(writer, self->reference);
    eg_write_u64(writer, self->start);
}

static eg_status read(eg_measure *base, eg_reader *reader)
{
    measure *self = (measure *)base;
    self->reference = eg_read_f64(reader);
    self->start = (size_t)eg_read_u64(reader);
    return eg_reader_status(reader, false);
}

static const eg_measure_ops ops = {.begin_phase = begin_phase,
                                   .evaluation = evaluation,
                                   .end_trial = end_trial,
                                   .write = write,
                                   .read = read};

static const eg_param params[] = {
    {.name = "accuracy",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 1,
     .doc = "test accuracy to be reached; 0: that at the end of the first phase, which began from "
            "scratch",
     .added_later = true},
};

const eg_measure_kind eg_measure_scratch_iterations = {
    .component = {.name = "scratch_iterations",
                  .doc =
                      "minibatches that each phase takes to reach the accuracy of a network from "
                      "scratch; see eval.every",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_learned_tasks,
    .open = open,
};
