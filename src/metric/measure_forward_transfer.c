/** How much earlier phases helped before a task was learned. */
#include "metric/summary_measure.h"

#include <string.h>

static const eg_variable untrained_accuracy = {
    .name = "untrained_accuracy",
    .dims = {"task"},
    .unit = "1",
    .doc = "b[j]: test accuracy on task j before anything is learned"};

static const eg_variable forward_transfer = {
    .name = "forward_transfer",
    .unit = "1",
    .doc = "mean over tasks j > 0 of R[j-1,j] - b[j] (Lopez-Paz & Ranzato 2017)",
    .data = "test"};

static const eg_variable validation_untrained_accuracy = {
    .name = "validation_untrained_accuracy",
    .dims = {"task"},
    .unit = "1",
    .doc = "accuracy on the held-out examples of task j before anything is learned"};

static const eg_variable *const list[] = {&untrained_accuracy, &forward_transfer,
                                          &validation_untrained_accuracy, NULL};

typedef struct measure {
    eg_summary_measure base;
    eg_array *untrained[2]; /* by subset; NULL where not recorded */
} measure;

static bool records(const eg_measure_scope *scope, const eg_variable *variable)
{
    return variable != &validation_untrained_accuracy || scope->held_out;
}

static eg_status open(eg_measure *base, const eg_view *view)
{
    measure *self = (measure *)base;
    const eg_summary_field field = {&forward_transfer, eg_forward_transfer};
    (void)view;
    EG_TRY(eg_measure_declare(base, &untrained_accuracy, 0, &self->untrained[EG_SUBSET_TEST]));
    if (base->setup->scope.held_out) {
        EG_TRY(eg_measure_declare(base, &validation_untrained_accuracy, 0,
                                  &self->untrained[EG_SUBSET_VALIDATION]));
    }
    return eg_summary_init(&self->base, &field, 1);
}

static void set_untrained(eg_matrix_summary *summary, const double *accuracy)
{
    memcpy(summary->untrained, accuracy, summary->tasks * sizeof *accuracy);
}

static eg_status evaluation(eg_measure *base, const eg_moment *now, const eg_evaluation *evaluation)
{
    measure *self = (measure *)base;
    if (!evaluation->untrained) {
        return eg_summary_evaluation(base, now, evaluation);
    }
    eg_measure_set_tasks(base, self->untrained[evaluation->subset], 0, evaluation->accuracy);
    if (evaluation->subset == EG_SUBSET_TEST) {
        set_untrained(&self->base.reported, evaluation->accuracy);
    }
    if (evaluation->subset == base->setup->selection.subset) {
        set_untrained(&self->base.selecting, evaluation->accuracy);
    }
    return eg_ok();
}

static const char *lacks(const eg_measure_scope *scope)
{
    return scope->untrained ? eg_lacks_accuracy(scope) : "eval.untrained = true";
}

static const eg_measure_ops ops = {EG_SUMMARY_OPS, .evaluation = evaluation};

const eg_measure_kind eg_measure_forward_transfer = {
    .component = {.name = "forward_transfer",
                  .doc = "how much earlier phases helped before a task was learned",
                  .source = "Lopez-Paz & Ranzato 2017, arXiv 1706.08840, equation 4"},
    .order = 13,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = lacks,
    .records = records,
    .open = open,
};
