/** A search space: the settings that an optimizer from outside chooses, and points from what it
 *  chose.
 *
 *  It is what `sample` of a sweep file draws from. A plan with a space has no points at first; each
 *  that is suggested becomes an ordinary one, with all seeds, and one that is there already is not
 *  added again. */
#ifndef ENGRAM_SPACE_H
#define ENGRAM_SPACE_H

#include "engram/params.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum eg_variable_kind {
    EG_VARIABLE_REAL,    /**< low … high, both included */
    EG_VARIABLE_INTEGER, /**< whole numbers of low … high */
    EG_VARIABLE_CHOICE,  /**< one of `labels` */
} eg_variable_kind;

/** One setting of the space. */
typedef struct eg_space_variable {
    const char *name; /**< dotted */
    eg_variable_kind kind;
    bool logarithmic; /**< a step is a factor (loguniform, logint) */
    double low, high;
    eg_type type;       /**< of the labels, EG_TYPE_TEXT if they bring parameters */
    size_t label_count; /**< CHOICE: the values as they stand in the sweep file; of a member that
                             brings parameters "NAME key=value …" */
    const char *const *labels;
} eg_space_variable;

/** The value of a variable: a number, or an index into the labels. */
typedef union eg_space_value {
    double number;
    size_t choice;
} eg_space_value;

/** As eg_plan_load, for a plan whose points are suggested: sample.count of them. Errors,
 *  EG_INVALID: as there; the sweep has no `sample`, or points of another origin, conditions, or
 *  rules that need all points at once. */
eg_status eg_plan_load_space(eg_plan **out, const char *path, const char *const *overrides,
                             size_t override_count) EG_WARN_UNUSED;
/** As eg_plan_parse. */
eg_status eg_plan_parse_space(eg_plan **out, const char *path, const char *text, size_t size,
                              const char *const *overrides, size_t override_count) EG_WARN_UNUSED;

/** The variables [*count], in the order of the sweep file; of a plan with a space. */
const eg_space_variable *eg_plan_variables(const eg_plan *plan, size_t *count);
/** sample.seed, for optimizers that draw. */
int64_t eg_plan_space_seed(const eg_plan *plan);

/** Adds the points with these values [count][variables] behind those there are, with their trials.
 *  points [count]: their indices. Errors: EG_INVALID, naming the variable, for a value out of
 *  bounds, and for settings that do not work together; the plan is then good for nothing but
 *  eg_plan_free. */
eg_status eg_plan_suggest(eg_plan *plan, const eg_space_value *values, size_t count,
                          size_t *points) EG_WARN_UNUSED;

/** The most points the plan can come to have. */
size_t eg_plan_points_max(const eg_plan *plan);

#endif
