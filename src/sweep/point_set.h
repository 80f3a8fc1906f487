/** Inside the sweep room: the points of a plan, each once. */
#ifndef SWEEP_POINT_SET_H
#define SWEEP_POINT_SET_H

#include "engram/sweep.h"

enum { EG_POINT_MODELS = 16 };

/** A hash table from content to index; start with {0}. */
typedef struct eg_point_set {
    size_t *slots; /**< index + 1; 0: free */
    size_t slot_count;
    uint64_t *ids; /**< by point */
    size_t id_capacity, point_capacity;
    eg_settings *
        models[EG_POINT_MODELS]; /**< points with different names of settings, which others share */
    size_t model_count;
} eg_point_set;

/** Takes `settings`: appends them to plan->points, or releases them and counts a duplicate. */
eg_status eg_point_set_add(eg_point_set *set, eg_plan *plan, eg_settings *settings) EG_WARN_UNUSED;

void eg_point_set_free(eg_point_set *set);

#endif
