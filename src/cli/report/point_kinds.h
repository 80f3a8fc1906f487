/** Points by what they cost: those of one kind differ in numbers that no time depends on much. */
#ifndef CLI_POINT_KINDS_H
#define CLI_POINT_KINDS_H

#include "engram/sweep.h"

typedef struct eg_point_kind {
    uint64_t key;   /**< ascending */
    size_t example; /**< its first point */
    size_t points;
    double cost; /**< eg_trial_cost of all its trials together */
    double rate; /**< seconds per unit of that, NaN: not known */
} eg_point_kind;

typedef struct eg_point_kinds {
    eg_point_kind *items;
    size_t count;
    size_t *of;    /**< [plan->point_count] the kind of a point */
    size_t *order; /**< [count] indices of kinds, dearest first */
} eg_point_kinds;

/** Groups the points by components, sizes, lists and switches; real numbers count by being 0 or
 *  not, and the parameters of an activation do not count. Release with eg_point_kinds_clear, also
 *  after a failure. */
eg_status eg_point_kinds_find(eg_point_kinds *out, const eg_plan *plan) EG_WARN_UNUSED;
void eg_point_kinds_clear(eg_point_kinds *kinds);

#endif
