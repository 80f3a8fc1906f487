/** Ranking points by their seeds: the one rule behind `select`, every verb and the analysis.
 *
 *  A point is *selected on* one variable of one kind of data (the objective, on what the protocol
 *  lets select) and *reported on* another (the same variable on test data).
 *
 *  1. A trial that is done has the value it recorded. A diverged one has a value of accuracies
 *     only, that of guessing, as it recorded (eg_variable.chance_if_diverged); of every other
 *     variable, and whenever it failed, was skipped or stopped, a trial has none.
 *  2. A point is ranked by the mean over the values of its first-stage seeds. Points come in this
 *     order: those of which a trial has ended before others; those of the sweep before those that
 *     an edit of it removed; those with a value before those without; those of which fewer seeds
 *     were lost (stopped by a rule, or diverged without a value), because what is left of a weak
 *     point are its best seeds; the better mean; the first in the plan.
 *  3. It is reported by the seeds of the second stage alone if it has any, since the others chose
 *     it; else by those of the first. */
#ifndef ENGRAM_RANKING_H
#define ENGRAM_RANKING_H

#include "engram/statistics.h"
#include "engram/status.h"
#include "engram/sweep.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What is ranked by and what is reported. */
typedef struct eg_ranking_basis {
    const char *selected; /**< variable; borrowed */
    const char *reported; /**< variable; borrowed */
    bool maximise;
    bool by_objective; /**< selected values are the objective, not what is recorded as that */
    bool chance_selected, chance_reported; /**< rule 1, of either variable */
} eg_ranking_basis;

/** Ranking by the objective: `variable` on the selecting data, reported on the test data. Large
 *  values are good if `maximise`. */
eg_ranking_basis eg_ranking_by_objective(const char *variable, bool maximise);
/** Ranking by a recorded variable, which is reported too; the better values first. */
eg_ranking_basis eg_ranking_by_variable(const char *variable);

/** Rule 1: what a trial that recorded this counts with, NaN: with nothing. */
double eg_ranking_value(uint8_t status, double recorded, bool chance);

/** A trial to be ranked. */
typedef struct eg_scored_trial {
    size_t point;
    uint64_t seed;
    uint8_t status;            /**< eg_trial_status */
    uint8_t stage;             /**< eg_stage */
    double selected, reported; /**< as recorded; NaN: not */
} eg_scored_trial;

/** The seeds of a point that belong to one stage. */
typedef struct eg_stage_sum {
    uint32_t planned;
    uint32_t by_status[EG_TRIAL_STATUS_COUNT];
    uint32_t
        lost; /**< rule 2: ended without a value of the selected variable, and not by an error */
    eg_sample selected, reported;
} eg_stage_sum;

/** A point. Starts with its number and zeros. */
typedef struct eg_ranked_point {
    size_t point;
    eg_stage_sum stage[EG_STAGE_COUNT];
} eg_ranked_point;

/** New points 0 … count-1 without trials; release with eg_free. */
eg_status eg_ranking_create(eg_ranked_point **out, size_t count) EG_WARN_UNUSED;
/** Adds a trial to its point, among points in the order as created. The mean depends on the order
 *  of trials in its last bits: add them in that of the plan. */
void eg_ranking_add(eg_ranked_point *points, const eg_ranking_basis *basis,
                    const eg_scored_trial *trial);

/** The seeds that rank a point, and those that report it (rule 3). */
const eg_stage_sum *eg_point_selecting(const eg_ranked_point *point);
const eg_stage_sum *eg_point_reporting(const eg_ranked_point *point);
/** It is reported by seeds that had no part in choosing it. */
bool eg_point_is_fresh(const eg_ranked_point *point);
/** An edited sweep does not have it any more. */
bool eg_point_is_stale(const eg_ranked_point *point);
/** Some trial of it is neither pending nor running nor paused. */
bool eg_point_has_ended(const eg_ranked_point *point);
/** Its trials, of both stages, that stand like this; and all of them. */
size_t eg_point_count(const eg_ranked_point *point, eg_trial_status status);
size_t eg_point_planned(const eg_ranked_point *point);

/** Sorts points by rule 2. */
void eg_ranking_sort(eg_ranked_point *points, size_t count, const eg_ranking_basis *basis);
/** The first of them, or NULL if no point of the sweep has a value. */
const eg_ranked_point *eg_ranking_best(const eg_ranked_point *points, size_t count,
                                       const eg_ranking_basis *basis);

/** The reported values of two points at one seed. */
typedef struct eg_seed_pair {
    uint64_t seed;
    double first, second;
} eg_seed_pair;

/** Two points seed by seed: seeds of the second stage where both have such, else those that rank
 *  them. Seeds at which a point has no value (rule 1) make no pair. */
typedef struct eg_seed_pairs {
    eg_seed_pair *items; /**< [count], by seed */
    size_t count;
    size_t first_alone, second_alone; /**< values of one point without one of the other */
    bool fresh;                       /**< over seeds of the second stage */
} eg_seed_pairs;

/** *out: release items with eg_free. */
eg_status eg_ranking_pair(eg_seed_pairs *out, const eg_ranked_point *first,
                          const eg_ranked_point *second, const eg_ranking_basis *basis,
                          const eg_scored_trial *trials, size_t trial_count) EG_WARN_UNUSED;

/** How a point differs from the best one, over the seeds that both have a reported value of. */
typedef struct eg_comparison {
    size_t point;
    bool fresh;           /**< over seeds of the second stage: both points have such */
    eg_sample difference; /**< the point's minus the best one's, by seed */
    double p;             /**< two-sided, of the paired t test; NaN: none */
    double p_holm;        /**< corrected for all comparisons made here */
} eg_comparison;

/** Compares `count` points with the best one: *out [count] in the order of `points`, release with
 *  eg_free; the best one itself has no pairs. */
eg_status eg_ranking_compare(eg_comparison **out, const eg_ranked_point *points, size_t count,
                             const eg_ranked_point *best, const eg_ranking_basis *basis,
                             const eg_scored_trial *trials, size_t trial_count) EG_WARN_UNUSED;

#endif
