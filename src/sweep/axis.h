/** Inside the sweep room: axes. An axis is a list of choices, a choice is a few assignments; a
 *  block's points are the product of its axes. Grid entries, zip groups, samples and tables all
 *  become axes. */
#ifndef SWEEP_AXIS_H
#define SWEEP_AXIS_H

#include "engram/space.h"
#include "sweep/sweep_read.h"

typedef struct eg_choice {
    const eg_assignment *items;
    size_t count;
} eg_choice;

typedef struct eg_axis {
    const char *label; /**< "grid", "zip size", "sample", "points" */
    const char *name;  /**< of the grid entry, or the label */
    eg_origin at;
    eg_choice *choices;             /**< [count]; of a sample NULL */
    const struct eg_sample *sample; /**< NULL: no sample */
    size_t count;
} eg_axis;

typedef struct eg_axes {
    eg_axis *items;
    size_t count, capacity;
} eg_axes;

eg_status eg_axes_add(eg_sweep *sweep, eg_axes *axes, const eg_axis *axis) EG_WARN_UNUSED;

/** Appends an axis for every entry of a grid map. Settings given on the command line are left
 *  out. */
eg_status eg_axes_grid(eg_sweep *sweep, eg_axes *axes, const char *prefix,
                       const eg_node *map) EG_WARN_UNUSED;

/** Appends an axis for every named group of a zip map. */
eg_status eg_axes_zip(eg_sweep *sweep, eg_axes *axes, const eg_node *map) EG_WARN_UNUSED;

/** Appends the axis of an `around` map: the reference point, and every value of every parameter
 *  alone. */
eg_status eg_axes_around(eg_sweep *sweep, eg_axes *axes, const eg_node *map) EG_WARN_UNUSED;

/** Appends the axis of a `sample` map: its choices are the draws, made when they are picked. */
eg_status eg_axes_sample(eg_sweep *sweep, eg_axes *axes, const eg_node *map) EG_WARN_UNUSED;
/** Appends the assignments of draw `k` to out[*count]. */
void eg_sweep_sample_pick(const struct eg_sample *sample, size_t k, eg_assignment *out,
                          size_t *count);
/** An axis per setting that is drawn, with everything it may become. */
const eg_axes *eg_sweep_sample_parts(const struct eg_sample *sample);

/** Setting i of eg_sweep_sample_parts as somebody else may choose it. EG_INVALID for one without
 *  bounds. */
eg_status eg_sweep_sample_variable(eg_space_variable *out, eg_sweep *sweep,
                                   const struct eg_sample *sample, size_t i) EG_WARN_UNUSED;
/** The assignments of its value, appended to out[*count]; EG_INVALID for a value out of bounds. */
eg_status eg_sweep_sample_choose(eg_sweep *sweep, const struct eg_sample *sample, size_t i,
                                 eg_space_value value, eg_assignment *out,
                                 size_t *count) EG_WARN_UNUSED;
/** sample.seed, and sample.batch. */
int64_t eg_sweep_sample_seed(const struct eg_sample *sample);
size_t eg_sweep_sample_batch(const struct eg_sample *sample);

/** Appends the axis of a table of points in a CSV file. */
eg_status eg_axes_points(eg_sweep *sweep, eg_axes *axes, const eg_node *file) EG_WARN_UNUSED;

/** The values of one setting: a list, a generator, one value, or alternatives of a component. */
eg_status eg_axis_values(eg_sweep *sweep, eg_axis *out, const char *name, const eg_param *param,
                         const eg_node *node, const eg_origin *at) EG_WARN_UNUSED;

/** Refuses axes that give the same setting twice. */
eg_status eg_axes_check(const eg_axes *axes) EG_WARN_UNUSED;

/** Number of points of the product, as a double because it may be astronomical. */
double eg_axes_product(const eg_axes *axes);

/** Appends the assignments of choice `index` of the product (last axis fastest) to out[*count]. */
void eg_axes_pick(const eg_axes *axes, size_t index, eg_assignment *out, size_t *count);

/** The most assignments one point of the product can have. */
size_t eg_axes_width(const eg_axes *axes);

/** The values of {range: …}, {linspace: …} or {logspace: …} as text; *is_generator is false for
 *  other maps. */
eg_status eg_generator_values(eg_sweep *sweep, const char ***out, size_t *count,
                              const eg_param *param, const char *name, const eg_node *node,
                              bool *is_generator) EG_WARN_UNUSED;

#endif
