/** Inside the sweep room: the keys of a sweep file that are about the plan and not about its
 *  points. */
#ifndef SWEEP_PLAN_KEYS_H
#define SWEEP_PLAN_KEYS_H

#include "sweep/sweep_read.h"

/** name, doc, seeds, objective, stop, max_failures, select into the plan. */
eg_status eg_plan_read_keys(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;

/** Checks that need the points, and things worth a warning. */
eg_status eg_plan_check_keys(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;

/* plan_seeds.c, plan_objective.c, plan_stop.c, plan_failures.c: parts of the two above. */
eg_status eg_plan_read_seeds(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;
eg_status eg_plan_read_objective(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;
eg_status eg_plan_check_objective(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;
eg_status eg_plan_read_failures(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;
eg_status eg_plan_read_stop(eg_sweep *sweep, eg_plan *plan) EG_WARN_UNUSED;
eg_status eg_plan_check_stop(const eg_sweep *sweep, const eg_plan *plan) EG_WARN_UNUSED;

/** plan_unused.c: warns of points that differ in nothing their learner looks at. */
eg_status eg_plan_warn_unused(eg_sweep *sweep, const eg_plan *plan) EG_WARN_UNUSED;

/** plan->swept. */
eg_status eg_plan_find_swept(eg_plan *plan) EG_WARN_UNUSED;

#endif
