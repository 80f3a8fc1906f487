/** Streams of tasks with classes of their own; see stream/task_classes.h. */
#include "stream/task_classes.h"

#include "engram/memory.h"
#include "engram/random.h"

const char *const eg_order_names[] = {"A", "B", "C", "D", "E", NULL};

/* In group [classes], tasks become their positions. */
static eg_status place(const eg_class_tasks *tasks, size_t classes)
{
    size_t *position = NULL;
    if (tasks->identity == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&position, tasks->tasks, sizeof *position));
    for (size_t t = 0; t < tasks->tasks; t++) {
        position[tasks->identity[t]] = t;
    }
    for (size_t c = 0; c < classes; c++) {
        size_t task = tasks->group[c];
        tasks->group[c] = task == EG_NO_GROUP ? EG_NO_GROUP : position[task];
    }
    eg_free(position);
    return eg_ok();
}

eg_status eg_class_tasks_create(eg_stream **out, const eg_class_tasks *tasks,
                                eg_indexed_setup *setup)
{
    *out = NULL;
    EG_TRY(place(tasks, setup->dataset->classes));
    setup->groups = tasks->tasks;
    setup->phases = tasks->joint ? 1 : tasks->tasks;
    setup->group = tasks->group;
    setup->identity = tasks->identity;
    setup->active = tasks->active;
    setup->own_losses = tasks->joint && tasks->own_losses;
    return eg_indexed_create(out, setup);
}

void eg_class_tasks_sizes(const eg_view *view, size_t tasks, eg_stream_sizes *out)
{
    out->tasks = tasks;
    out->phases = eg_view_bool(view, "joint") ? 1 : tasks;
    out->train *= eg_view_size(view, "epochs");
}

eg_status eg_named_tasks_check(const eg_view *view, size_t tasks)
{
    size_t order = eg_view_name(view, "order");
    if (order != 0 && eg_order_tasks_given(view)) {
        return eg_fail_setting(view->prefix, "order task_order",
                               "%sorder = %s and %stask_order; expected only one of the two",
                               view->prefix, eg_order_names[order], view->prefix);
    }
    return eg_order_tasks_check(view, tasks);
}

/* out [tasks]; `order` is not the natural one. */
static void name_order(size_t order, size_t tasks, const uint8_t *named, uint32_t *out)
{
    for (size_t t = 0; t < tasks; t++) {
        out[t] = named != NULL ? named[(order - 1) * tasks + t] : (uint32_t)t;
    }
    if (named == NULL) {
        eg_rng rng = eg_rng_make(0, EG_PURPOSE_TASKS, order);
        eg_rng_shuffle(&rng, tasks, out);
    }
}

eg_status eg_named_tasks_create(eg_stream **out, const eg_view *view, size_t tasks, size_t *group,
                                const uint8_t *named, eg_indexed_setup *setup)
{
    size_t order = eg_view_name(view, "order");
    uint32_t *identity = NULL;
    EG_TRY(eg_alloc(&identity, tasks, sizeof *identity));
    eg_order_tasks(view, tasks, identity);
    if (order > 0) {
        name_order(order, tasks, named, identity);
    }
    const eg_class_tasks made = {.tasks = tasks,
                                 .group = group,
                                 .identity = identity,
                                 .joint = eg_view_bool(view, "joint"),
                                 .active = EG_ACTIVE_TASK,
                                 .own_losses = true};
    eg_status status = eg_class_tasks_create(out, &made, setup);
    eg_free(identity);
    return status;
}

void eg_named_tasks_sizes(const eg_view *view, size_t tasks, eg_stream_sizes *out)
{
    eg_class_tasks_sizes(view, tasks, out);
    out->tells_task = true;
    out->orders_tasks = true;
}
