/** Inside the sweep room: plans whose points are suggested, and what they share with the others. */
#ifndef SWEEP_PLAN_SPACE_H
#define SWEEP_PLAN_SPACE_H

#include "sweep/block.h"

/** Where a sweep comes from; borrowed. */
typedef struct eg_plan_source {
    const char *path;
    const char *text; /**< [size]; NULL: read from the file at `path` */
    size_t size;
    const char *const *overrides;
    size_t override_count;
} eg_plan_source;

/** plan.c: everything of the plan, its points included. `sweep` begins with its arena, schema and
 *  path. */
eg_status eg_plan_fill(eg_plan *plan, eg_sweep *sweep, const eg_plan_source *from) EG_WARN_UNUSED;
/** As if there were no points. */
void eg_plan_forget_points(eg_plan *plan);
void eg_plan_forget_swept(eg_plan *plan);

/** plan_space.c: the plan without points, and its space. */
typedef struct eg_space eg_space;
eg_status eg_plan_read_space(eg_plan *plan, const eg_plan_source *from) EG_WARN_UNUSED;
void eg_space_free(eg_space *space);

#endif
