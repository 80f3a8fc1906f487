/** Inside the sweep room: the points of a plan, each once. */
#ifndef SWEEP_POINT_SET_H
#define SWEEP_POINT_SET_H

#include "engram/sweep.h"

/** A hash table from content to index; start with {0}. */
typedef struct eg_point_set {
    size_t *slots; /**< index + 1; 0: free */
    size_t slot_count;
    uint64_t *ids; /**< by point */
    size_t id_capacity, point_capacity;
} eg_point_set;

/** Takes `settings`: appends them to plan->points, or releases them and counts a duplicate. */
eg_status eg_point_set_add(eg_point_set *set, eg_plan *plan, eg_settings *settings) EG_WARN_UNUSED;

void eg_point_set_free(eg_point_set *set);

#endif
