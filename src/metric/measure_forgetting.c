/** How much accuracy on earlier tasks was lost. */
#include "metric/summary_measure.h"

static const eg_variable forgetting = {
    .name = "forgetting",
    .unit = "1",
    .doc = "mean over tasks j < T-1 of max_{i < T-1} R[i,j] - R[T-1,j] (Chaudhry et al. 2018)",
    .data = "test",
    .less_is_better = true};

static const eg_variable *const list[] = {&forgetting, NULL};

static eg_status open(eg_measure *measure, const eg_view *view)
{
    (void)view;
    const eg_summary_field fields[] = {{&forgetting, eg_forgetting}};
    return eg_summary_init((eg_summary_measure *)measure, fields, EG_COUNT(fields));
}

static const eg_measure_ops ops = {EG_SUMMARY_OPS, .evaluation = eg_summary_evaluation};

const eg_measure_kind eg_measure_forgetting = {
    .component = {.name = "forgetting",
                  .doc = "how far the accuracy on earlier tasks fell from its best",
                  .source = "Chaudhry et al. 2018, arXiv 1801.10112, equation 3"},
    .order = 7,
    .variables = list,
    .size = sizeof(eg_summary_measure),
    .ops = &ops,
    .lacks = eg_lacks_accuracy,
    .open = open,
};
