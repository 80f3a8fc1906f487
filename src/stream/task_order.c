/** Reading and checking an order of tasks; see stream/task_order.h. */
#include "stream/task_order.h"

#include "engram/memory.h"

bool eg_order_tasks_given(const eg_view *view)
{
    return eg_view_value(view, "task_order")->count > 0;
}

/* seen [tasks] begins zero. */
static eg_status check_tasks(const eg_view *view, const eg_value *order, size_t tasks,
                             uint8_t *seen)
{
    for (size_t i = 0; i < order->count; i++) {
        size_t task = (size_t)order->items[i];
        if (task >= tasks) {
            return eg_fail_setting(view->prefix, "task_order",
                                   "%stask_order: task %zu at position %zu (from 0); expected 0 to "
                                   "%zu",
                                   view->prefix, task, i, tasks - 1);
        }
        if (seen[task] != 0) {
            return eg_fail_setting(view->prefix, "task_order",
                                   "%stask_order: task %zu comes twice; expected each of %zu tasks "
                                   "once",
                                   view->prefix, task, tasks);
        }
        seen[task] = 1;
    }
    return eg_ok();
}

eg_status eg_order_tasks_check(const eg_view *view, size_t tasks)
{
    const eg_value *order = eg_view_value(view, "task_order");
    uint8_t *seen = NULL;
    if (order->count == 0) {
        return eg_ok();
    }
    if (order->count != tasks) {
        return eg_fail_setting(view->prefix, "task_order",
                               "%stask_order has %zu tasks; expected each of %zu tasks once",
                               view->prefix, order->count, tasks);
    }
    EG_TRY(eg_alloc(&seen, tasks, sizeof *seen));
    eg_status status = check_tasks(view, order, tasks, seen);
    eg_free(seen);
    return status;
}

void eg_order_tasks(const eg_view *view, size_t tasks, uint32_t *out)
{
    const eg_value *order = eg_view_value(view, "task_order");
    for (size_t t = 0; t < tasks; t++) {
        out[t] = order->count > 0 ? (uint32_t)order->items[t] : (uint32_t)t;
    }
}
