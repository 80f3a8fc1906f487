/** Which task stands at each position, and whether evaluation names it: what tasks of trials that
 *  learn them in different orders are compared by. */
#include "metric/measure_scopes.h"

static const eg_variable task_identity = {
    .name = "task_identity",
    .dims = {"task"},
    .unit = "1",
    .doc = "the task at position t, by its number in the natural order; everything else over tasks "
           "is by position"};

static const eg_variable task_told = {
    .name = "task_told",
    .unit = "1",
    .doc = "1: evaluation names the task (task-incremental learning); 0: it does not"};

static const eg_variable *const list[] = {&task_identity, &task_told, NULL};

typedef struct measure {
    eg_measure base;
    eg_array *identity;
} measure;

static eg_status open(eg_measure *base, const eg_view *view)
{
    (void)view;
    return eg_measure_declare(base, &task_identity, 0, &((measure *)base)->identity);
}

static eg_status begin_trial(eg_measure *base)
{
    const eg_array *array = ((measure *)base)->identity;
    const uint32_t *identity = eg_stream_task_identities(base->setup->stream);
    for (size_t t = 0; t < array->count; t++) {
        array->data[t] = identity != NULL ? (double)identity[t] : (double)t;
    }
    return eg_ok();
}

static eg_status end_trial(eg_measure *base, const eg_moment *now)
{
    (void)now;
    const eg_stream_shape *shape = &base->setup->stream->shape;
    return eg_record_scalar(base->setup->record, &task_told, shape->tells_task ? 1 : 0);
}

static bool by_default(const eg_measure_scope *scope)
{
    return scope->orders_tasks;
}

static const eg_measure_ops ops = {.begin_trial = begin_trial, .end_trial = end_trial};

const eg_measure_kind eg_measure_task_identity = {
    .component = {.name = "task_identity",
                  .doc = "which task stands at each position, and whether it is told; by default "
                         "where a setting says the order"},
    .order = 16,
    .variables = list,
    .size = sizeof(measure),
    .ops = &ops,
    .lacks = eg_lacks_evaluation,
    .by_default = by_default,
    .open = open,
};
