/** What learning took, in steps and arithmetic. */
#include "engram/measure.h"

static const eg_variable steps = {.name = "steps",
                                  .wide = true,
                                  .unit = "1",
                                  .doc = "minibatches learned",
                                  .less_is_better = true};

static const eg_variable flops = {
    .name = "flops",
    .wide = true,
    .unit = "1",
    .doc =
        "floating-point operations of dense arithmetic: forward per example evaluated, three times "
        "that per example learned, replayed ones included, and what importances take",
    .less_is_better = true};

static const eg_variable *const list[] = {&steps, &flops, NULL};

static eg_status end_trial(eg_measure *measure, const eg_moment *now)
{
    eg_learner *learner = measure->setup->learner;
    double forward = learner->ops->flops(learner);
    double extra = learner->ops->extra_flops != NULL ? learner->ops->extra_flops(learner) : 0;
    EG_TRY(eg_record_scalar(measure->setup->record, &steps, (double)now->step));
    return eg_record_scalar(
        measure->setup->record, &flops,
        forward * (3.0 * (double)now->examples_seen + (double)now->examples_evaluated) + extra);
}

static const eg_measure_ops ops = {.end_trial = end_trial};

const eg_measure_kind eg_measure_cost = {
    .component = {.name = "cost", .doc = "steps and floating-point operations of the trial"},
    .order = 9,
    .variables = list,
    .size = sizeof(eg_measure),
    .ops = &ops,
};
