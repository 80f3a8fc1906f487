/** How many numbers the predictions of all tasks learned so far are made of, in percent of one
 *  network.
 *
 *      capacity[t] = 100 stored / base     after phase t
 *
 *      stored      what the learner keeps to predict tasks 0 … t (eg_learner_capacity)
 *      base        one network of the same layers: its trunk, and the heads of these tasks
 *
 *  Only on request; NaN where the learner does not count. */
#include "engram/measure.h"

static const eg_variable capacity = {
    .name = "capacity",
    .dims = {"train_task"},
    .unit = "%",
    .doc = "numbers that predictions of the tasks learned so far are made of, in percent of one "
           "network, after each phase",
    .less_is_better = true};

static const eg_variable *const list[] = {&capacity, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *capacity; /* [phases] */
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &capacity, 0, &((measure *)base)->capacity);
}

static eg_status end_phase(eg_measure *base, const eg_moment *now)
{
    eg_learner_capacity of = {.stored = 0};
    if (eg_learner_get_capacity(base->setup->learner, now->phase + 1, &of)) {
        ((measure *)base)->capacity->data[now->phase] = 100 * of.stored / of.base;
    }
    return eg_ok();
}

static const eg_measure_ops ops = {.end_phase = end_phase};

const eg_measure_kind eg_measure_capacity = {
    .component = {.name = "capacity",
                  .doc = "numbers that predictions are made of after each phase, in percent of one "
                         "network; heads of tasks not learned yet do not count",
                  .source = "Yoon et al. 2020, arXiv 1902.09432"},
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .open = open,
};
