/** Inside the sweep room: what the rules have in common that halve cohorts of points. */
#ifndef SWEEP_STOP_COHORT_H
#define SWEEP_STOP_COHORT_H

#include "sweep/stop_rules.h"

enum { EG_COHORT_MAX = 1000 };

/** The leading parameters of such a rule. */
enum { EG_HALVING_ETA, EG_HALVING_FIRST, EG_HALVING_COHORT, EG_HALVING_PARAMS };

#define EG_HALVING_COHORT_PARAM                                                                    \
    {                                                                                              \
        .name = "cohort", .type = EG_TYPE_INT, .default_text = "100", .min = 2,                    \
        .max = EG_COHORT_MAX, .unit = "points",                                                    \
        .doc = "points that are compared with each other, at most; they are spread over the plan", \
    }

/** A point that has arrived at a rung. */
typedef struct eg_rung_entry {
    size_t point;
    double score; /**< larger is better */
} eg_rung_entry;

/** How many cohorts the plan has. */
size_t eg_cohort_count(const double *p, const eg_plan *plan);
/** The points of `point`'s cohort, ascending; how many. */
size_t eg_cohort_of(const double *p, const eg_plan *plan, size_t point,
                    eg_rung_entry entries[EG_COHORT_MAX]);
/** Whether two points are in one cohort. */
bool eg_cohort_shared(const double *p, const eg_plan *plan, size_t a, size_t b);
/** Best first; among equals the point that comes first in the plan. */
void eg_cohort_sort(eg_rung_entry *entries, size_t count);
/** How many of `count` at a rung go on. */
size_t eg_cohort_kept(const double *p, size_t count);
/** The share of all work that halving leaves, if every point has `length` seeds or evaluations and
 *  all come as far as they may. */
double eg_cohort_share(const double *p, const eg_plan *plan, size_t length);
/** The place of `point` among entries [count]; SIZE_MAX if it is not there. */
size_t eg_cohort_place(const eg_rung_entry *entries, size_t count, size_t point);

#endif
