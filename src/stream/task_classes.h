/** Streams whose tasks have classes of their own: which class belongs to which task, in which order
 *  the tasks come, and which outputs take part. */
#ifndef STREAM_TASK_CLASSES_H
#define STREAM_TASK_CLASSES_H

#include "stream/indexed.h"
#include "stream/task_order.h"

typedef struct eg_class_tasks {
    size_t tasks;
    /** [classes] the task of a class, or EG_NO_GROUP; creating a stream puts its position there */
    size_t *group;
    const uint32_t *identity; /**< [tasks] the task at each position; NULL: task t is there */
    bool joint;               /**< a single phase teaches them all */
    eg_active_outputs active;
    bool own_losses; /**< of joint: the loss of an example is over the outputs of its task */
} eg_class_tasks;

/** A stream of these tasks; the rest of the setup is as the caller made it. */
eg_status eg_class_tasks_create(eg_stream **out, const eg_class_tasks *tasks,
                                eg_indexed_setup *setup) EG_WARN_UNUSED;

/** Phases and tasks, by setting `joint`, and the training examples of all epochs. */
void eg_class_tasks_sizes(const eg_view *view, size_t tasks, eg_stream_sizes *out);

/** --- Task-incremental streams with named orders ----------------------------------------------
 *  Of a task its own classes alone take part in losses and predictions, also where a single phase
 *  teaches all tasks. Evaluation names the task. */

enum { EG_NAMED_ORDERS = 5 /* A is the natural one */ };
extern const char *const eg_order_names[];

/** Rows of a parameter table. */
#define EG_NAMED_TASKS                                                                             \
    {.name = "order",                                                                              \
     .type = EG_TYPE_NAME,                                                                         \
     .default_text = "A",                                                                          \
     .names = eg_order_names,                                                                      \
     .doc =                                                                                        \
         "in which the tasks come: A, the natural one, or one of four others that are the same "   \
         "for every seed; not used with task_order"},                                              \
        EG_TASK_ORDER,                                                                             \
    {                                                                                              \
        .name = "joint", .type = EG_TYPE_BOOL, .default_text = "false",                            \
        .doc = "one phase learns all tasks together, the loss of every example over the classes "  \
               "of its own task (multi-task learning)"                                             \
    }

/** EG_INVALID, naming the settings, if they name no order of `tasks` tasks, or two. */
eg_status eg_named_tasks_check(const eg_view *view, size_t tasks) EG_WARN_UNUSED;
/** group [classes]: as in eg_class_tasks. named [EG_NAMED_ORDERS - 1, tasks]: orders B, C, …;
 *  NULL: they are drawn, keyed (0, EG_PURPOSE_TASKS, number of the order from A = 0). */
eg_status eg_named_tasks_create(eg_stream **out, const eg_view *view, size_t tasks, size_t *group,
                                const uint8_t *named, eg_indexed_setup *setup) EG_WARN_UNUSED;
/** eg_class_tasks_sizes of these, which are told. */
void eg_named_tasks_sizes(const eg_view *view, size_t tasks, eg_stream_sizes *out);

#endif
