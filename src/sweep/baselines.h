/** Inside the sweep room: the key `baselines`, runs that a method is to be seen between. */
#ifndef SWEEP_BASELINES_H
#define SWEEP_BASELINES_H

#include "base/shared/resolver.h"
#include "sweep/point_set.h"
#include "sweep/sweep_read.h"

/** Adds behind the points of the plan those that `baselines` asks for, and sets
 *  plan->compared_count, which leaves them out. A baseline of several points runs once, and not at
 *  all where the sweep has it itself; what a stream or an objective does not support is left out
 *  with a note. */
eg_status eg_baselines_add(eg_sweep *sweep, eg_plan *plan, eg_point_set *points,
                           eg_resolver *resolver) EG_WARN_UNUSED;

#endif
