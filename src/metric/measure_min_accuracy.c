/** The lowest accuracy on earlier tasks, also in the middle of a phase: how deep it falls before it
 *  recovers. See metric/task_minima.h; the more often a trial is evaluated (eval.every), the closer
 *  to the lowest of all updates. */
#include "metric/measure_scopes.h"
#include "metric/task_minima.h"

#include <math.h>
#include <string.h>

enum { LOWEST, MEAN };

static const eg_variable variables[] = {
    [LOWEST] = {.name = "lowest_accuracy",
                .dims = {"task"},
                .unit = "1",
                .doc = "smallest test accuracy on task j at an evaluation after phase j"},
    [MEAN] = {.name = "min_accuracy",
              .unit = "1",
              .doc =
                  "mean of lowest_accuracy over tasks learned before the last phase: min-ACC (De "
                  "Lange et al. 2023)",
              .data = "test"},
};

static const eg_variable *const list[] = {&variables[LOWEST], &variables[MEAN], NULL};

typedef struct measure {
    eg_measure base;
    eg_array *array;
    eg_minima reported, selecting;
    bool diverged; /* known at the end */
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    const eg_stream_shape *shape = &base->setup->stream->shape;
    const size_t leading = base->setup->selection.tasks;
    const size_t phases = leading > 0 && leading < shape->phases ? leading : shape->phases;
    const size_t tasks = leading > 0 && leading < shape->tasks ? leading : shape->tasks;
    (void)view;
    EG_TRY(eg_measure_declare(base, &variables[LOWEST], 0, &self->array));
    EG_TRY(eg_minima_init(&self->reported, shape->phases, shape->tasks));
    return eg_minima_init(&self->selecting, phases, tasks);
}

static void clear(eg_measure *base)
{
    measure *self = (measure *)base;
    eg_minima_clear(&self->reported);
    eg_minima_clear(&self->selecting);
}

/* An evaluation that was interrupted is made again, which changes no minimum. */
static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    measure *self = (measure *)base;
    if (evaluation->subset == EG_SUBSET_TEST) {
        eg_minima_add(&self->reported, now->phase, evaluation->accuracy);
        eg_measure_set_tasks(base, self->array, 0, self->reported.lowest);
    }
    if (evaluation->subset == base->setup->selection.subset) {
        eg_minima_add(&self->selecting, now->phase, evaluation->accuracy);
    }
    return eg_ok();
}

static double value_of(const measure *self, const eg_minima *minima)
{
    return self->diverged ? (double)NAN : eg_minima_mean(minima);
}

static eg_status end_trial(eg_measure *base, const eg_moment *now)
{
    measure *self = (measure *)base;
    self->diverged = now->diverged;
    return eg_record_scalar(base->setup->record, &variables[MEAN], value_of(self, &self->reported));
}

static bool selecting(const eg_measure *base, const char *name, double *out)
{
    const measure *self = (const measure *)base;
    *out = value_of(self, &self->selecting);
    return strcmp(name, variables[MEAN].name) == 0;
}

static void write(const eg_measure *base, eg_writer *writer)
{
    const measure *self = (const measure *)base;
    eg_minima_write(&self->reported, writer);
    eg_minima_write(&self->selecting, writer);
}

static eg_status read(eg_measure *base, eg_reader *reader)
{
    measure *self = (measure *)base;
    EG_TRY(eg_minima_read(&self->reported, reader));
    return eg_minima_read(&self->selecting, reader);
}

static const eg_measure_ops ops = {.clear = clear,
                                   .evaluation = evaluation,
                                   .end_trial = end_trial,
                                   .selecting = selecting,
                                   .write = write,
                                   .read = read};

const eg_measure_kind eg_measure_min_accuracy = {
    .component = {.name = "min_accuracy",
                  .doc = "the lowest accuracy on each task since it was learned, over all "
                         "evaluations, and its mean: min-ACC; see eval.every",
                  .source = "De Lange et al. 2023, arXiv 2205.13452, equation 1"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_learned_tasks,
    .open = open,
};
