/** Training examples of tasks whose boundaries are not sharp: some learned with other tasks, or all
 *  in an order in which tasks fade into each other. */
#ifndef STREAM_EXAMPLE_MIXING_H
#define STREAM_EXAMPLE_MIXING_H

#include "engram/status.h"
#include "stream/example_lists.h"
#include "stream/order_file.h"

/** Of each group's examples the share `share` in [0, 1], rounded to a whole number and drawn by
 *  (seed, EG_PURPOSE_BLUR, group), goes to the other groups, dealt evenly: to the next one, the one
 *  after that … Every example stays in one group, and groups stay ascending. */
eg_status eg_example_list_blur(eg_example_list *list, size_t groups, double share,
                               uint64_t seed) EG_WARN_UNUSED;

/** The order in which the examples of all groups arrive, in minibatches of `batch`, epoch after
 *  epoch. Time goes from 0 to 1; an example of group g of n arrives at a time drawn from the normal
 *  distribution
 *
 *      mean (g + 1/2)/n, deviation spread/n, cut to [0, 1)
 *
 *  by (seed, EG_PURPOSE_ARRIVAL, epoch*examples + its place in the list), so that the share of
 *  group g at time t is proportional to its examples times that density. Each epoch has every
 *  example once. *out is filled in, one phase; eg_order_file_clear. */
eg_status eg_example_list_arrive(eg_order_file *out, const eg_example_list *list, size_t groups,
                                 double spread, size_t batch, size_t epochs,
                                 uint64_t seed) EG_WARN_UNUSED;

#endif
