/** Points of results that differ in the order of tasks alone, and what that does to them. */
#ifndef CLI_ORDER_GROUPS_H
#define CLI_ORDER_GROUPS_H

#include "engram/disparity.h"
#include "engram/store.h"

typedef struct eg_order_group {
    size_t *point; /**< [orders] ascending; owned */
    size_t orders, capacity;
    size_t least_runs, most_runs; /**< of an order: finished trials */
    eg_disparity disparity; /**< orders are those of `point`, tasks are known by their identity */
    /** The group of the learner stl on the same stream, dataset and model, of several the most
     *  accurate one: what its disparity is, no order made. SIZE_MAX: there is none. */
    size_t stl;
} eg_order_group;

typedef struct eg_order_groups {
    eg_order_group *items;
    size_t count;
} eg_order_groups;

/** Groups of two orders or more, the most accurate first. Trials that are done count, fresh ones
 *  alone where `select` gave a point some; points that the sweep does not have any more do not.
 *  Release with eg_order_groups_clear, also after a failure. EG_INVALID if there are none, or the
 *  trials recorded no accuracy_matrix. */
eg_status eg_order_groups_find(eg_order_groups *out, const eg_results *results) EG_WARN_UNUSED;
void eg_order_groups_clear(eg_order_groups *groups);

/** Accuracy, AOPD and MOPD of a group; NaN without a run. */
typedef struct eg_order_numbers {
    double accuracy, mean, largest;
} eg_order_numbers;

/** Of group g; of none, SIZE_MAX, all NaN. */
eg_order_numbers eg_order_group_numbers(const eg_order_groups *groups, size_t g);

/** Whether a setting says the order of tasks. */
bool eg_is_task_order(const char *name);

#endif
