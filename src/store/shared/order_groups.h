/** Points of results that differ in the order of tasks alone, and what that does to them. */
#ifndef ENGRAM_STORE_ORDER_GROUPS_H
#define ENGRAM_STORE_ORDER_GROUPS_H

#include "engram/disparity.h"
#include "engram/store.h"

typedef struct eg_order_group {
    size_t *point; /**< [orders] ascending; owned */
    size_t *runs;  /**< [orders] finished trials that count; owned */
    size_t orders, point_capacity, runs_capacity;
    size_t least_runs, most_runs; /**< of an order */
    eg_disparity disparity; /**< orders are those of `point`, tasks are known by their identity */
    /** The group of the learner stl on the same stream, dataset and model, of several the most
     *  accurate one: what its disparity is, no order made. SIZE_MAX: there is none. */
    size_t stl;
} eg_order_group;

typedef struct eg_order_groups {
    eg_order_group *items;
    size_t count, capacity;
    size_t *group; /**< [points] that a point is in, SIZE_MAX: none; owned */
    bool *fresh;   /**< [points] a trial of the second stage is there; owned */
    bool measured; /**< a trial that counts recorded accuracy_matrix */
} eg_order_groups;

/** Groups of two orders or more, the most accurate first. Trials that are done count, fresh ones
 *  alone where `select` gave a point some; points that the sweep does not have any more do not.
 *  Release with eg_results_groups_clear, also after a failure. EG_INVALID if there are none, or the
 *  trials recorded no accuracy_matrix. */
eg_status eg_results_groups_find(eg_order_groups *out, const eg_results *results) EG_WARN_UNUSED;
void eg_results_groups_clear(eg_order_groups *groups);

/* The same for those whose records come one after the other: begin, add every trial, end. */

/** Of points, without runs; there may be none. Release with eg_results_groups_clear, also after a
 *  failure. */
eg_status eg_results_groups_begin(eg_order_groups *out, const eg_results *results) EG_WARN_UNUSED;
/** Adds a trial, in the order of trials; the record may be NULL. */
eg_status eg_results_groups_add(eg_order_groups *groups, const eg_result *trial,
                                const eg_record *record) EG_WARN_UNUSED;
/** Sorts groups, and finds stl. */
void eg_results_groups_end(eg_order_groups *groups, const eg_results *results);

/** Accuracy, AOPD and MOPD of a group; NaN without a run. */
typedef struct eg_order_numbers {
    double accuracy, mean, largest;
} eg_order_numbers;

/** Of group g; of none, SIZE_MAX, all NaN. */
eg_order_numbers eg_results_group_numbers(const eg_order_groups *groups, size_t g);

/** Whether a setting says the order of tasks. */
bool eg_results_is_task_order(const char *name);

#endif
