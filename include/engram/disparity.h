/** What the order in which tasks come does to the accuracy on them.
 *
 *      P[t, r]  accuracy on task t, by its identity, after the last task of order r; mean over runs
 *      OPD_t    max_r P[t, r] - min_r P[t, r], the order-normalised performance disparity
 *      AOPD     mean of OPD_t over the tasks
 *      MOPD     max_t OPD_t
 *
 *  Runs are averaged first, so the disparity has less of what differs from run to run, but not
 *  nothing: that of learners that no order can change says how much.
 *
 *  Source: Yoon et al. 2020, arXiv 1902.09432. */
#ifndef ENGRAM_DISPARITY_H
#define ENGRAM_DISPARITY_H

#include "engram/statistics.h"

typedef struct eg_disparity {
    size_t orders, tasks;
    eg_sample *cell; /**< [orders, tasks] over runs; owned */
} eg_disparity;

/** Without runs. */
eg_status eg_disparity_init(eg_disparity *out, size_t orders, size_t tasks) EG_WARN_UNUSED;
void eg_disparity_clear(eg_disparity *disparity);
/** Adds the accuracy of one run; NaN does not count. */
void eg_disparity_add(eg_disparity *disparity, size_t order, size_t task, double accuracy);

/** Mean of P over tasks and orders; those without a run do not count. NaN: there are none. */
double eg_disparity_accuracy(const eg_disparity *disparity);
/** Mean of P over orders. */
double eg_disparity_task_accuracy(const eg_disparity *disparity, size_t task);
/** OPD; NaN unless two orders have a run. */
double eg_disparity_of_task(const eg_disparity *disparity, size_t task);
/** AOPD and MOPD; NaN unless every task has an OPD. */
double eg_disparity_mean(const eg_disparity *disparity);
double eg_disparity_largest(const eg_disparity *disparity);

#endif
