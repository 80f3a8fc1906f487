/** How later phases changed the accuracy on earlier tasks. */
#include "metric/summary_measure.h"

static const eg_variable backward_transfer = {
    .name = "backward_transfer",
    .unit = "1",
    .doc = "mean over tasks j < T-1 of R[T-1,j] - R[j,j] (Lopez-Paz & Ranzato 2017)",
    .data = "test"};

static const eg_variable *const list[] = {&backward_transfer, NULL};

static eg_status open(eg_measure *measure, const eg_view *view)
{
    (void)view;
    const eg_summary_field fields[] = {{&backward_transfer, eg_backward_transfer}};
    return eg_summary_init((eg_summary_measure *)measure, fields, EG_COUNT(fields));
}

static const eg_measure_ops ops = {EG_SUMMARY_OPS, .evaluation = eg_summary_evaluation};

const eg_measure_kind eg_measure_transfer = {
    .component = {.name = "transfer",
                  .doc = "how later phases changed the accuracy on earlier tasks",
                  .source = "Lopez-Paz & Ranzato 2017, arXiv 1706.08840, equation 3"},
    .order = 8,
    .variables = list,
    .size = sizeof(eg_summary_measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .open = open,
};
