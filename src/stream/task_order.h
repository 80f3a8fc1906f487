/** In which order the tasks of a stream come. A task is known by its identity, its number in the
 *  natural order, whatever its position is. */
#ifndef STREAM_TASK_ORDER_H
#define STREAM_TASK_ORDER_H

#include "engram/settings.h"

#include <stdbool.h>
#include <stdint.h>

/** A row of a parameter table. */
#define EG_TASK_ORDER                                                                              \
    {                                                                                              \
        .name = "task_order", .type = EG_TYPE_INTS, .default_text = "[]", .min = 0, .max = 1e6,    \
        .doc = "the tasks, by their number in the natural order, as they come, e.g. [2, 0, 1]; "   \
               "[]: in the natural order",                                                         \
        .added_later = true                                                                        \
    }

/** Whether setting `task_order` of the view names an order. */
bool eg_order_tasks_given(const eg_view *view);
/** EG_INVALID, naming the setting, unless it is empty or has each of `tasks` tasks once. */
eg_status eg_order_tasks_check(const eg_view *view, size_t tasks) EG_WARN_UNUSED;
/** out [tasks]: the task at each position, of a checked setting. */
void eg_order_tasks(const eg_view *view, size_t tasks, uint32_t *out);

#endif
