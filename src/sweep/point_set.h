/** Inside the sweep room: the points of a plan, each once. */
#ifndef SWEEP_POINT_SET_H
#define SWEEP_POINT_SET_H

#include "base/shared/resolver.h"
#include "engram/stream.h"
#include "engram/sweep.h"

/** A hash table from content to index; zero but for `orders` at the start. */
typedef struct eg_point_set {
    eg_stream_orders *orders; /**< of all trials of the plan; borrowed */
    uint32_t *slots;          /**< index + 1; 0: free */
    size_t slot_count;
    uint64_t *ids; /**< by point */
    size_t id_capacity, point_capacity;
} eg_point_set;

/** Appends the settings that `resolver` resolved last to plan->points, or counts a duplicate.
 *  *point: where they are. */
eg_status eg_point_set_add(eg_point_set *set, eg_plan *plan, const eg_settings *settings,
                           eg_resolver *resolver, size_t *point) EG_WARN_UNUSED;

/** Releases the table; the ids by point are the caller's: eg_free. */
uint64_t *eg_point_set_clear(eg_point_set *set);

#endif
