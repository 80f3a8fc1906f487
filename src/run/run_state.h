/** Where the trials of a sweep stand: statuses, counts, and the ranking made from them. Knows
 *  nothing of files, workers and rules. */
#ifndef RUN_STATE_H
#define RUN_STATE_H

#include "engram/record.h"
#include "engram/run.h"

typedef struct eg_run_state {
    eg_plan *plan; /**< owned */
    eg_outcome *outcomes;
    size_t capacity; /**< of outcomes: the second stage's trials included */
    eg_run_counts counts;
    bool second_stage;       /**< it was begun, or there is nothing for it to do */
    double cost_left;        /**< of unfinished trials, in the plan's unit */
    double own_cost;         /**< of trials finished by this run */
    double own_seconds;      /**< that this run's attempts took */
    eg_ranking_basis basis;  /**< the objective */
    eg_ranked_point *points; /**< [point_count] as eg_run_state_rank left them */
} eg_run_state;

/** Takes the plan, also after a failure. Release with eg_run_state_clear, also after a failure. */
eg_status eg_run_state_init(eg_run_state *out, eg_plan *plan) EG_WARN_UNUSED;
void eg_run_state_clear(eg_run_state *state);

/** What the trial costs, in the plan's unit. */
double eg_run_state_cost(const eg_run_state *state, size_t trial);

/** Starts counting a trial whose outcome is known. */
void eg_run_state_add(eg_run_state *state, size_t trial);
/** Gives a trial its status, keeping the counts. `record`: what it recorded, NULL: nothing. */
void eg_run_state_set(eg_run_state *state, size_t trial, eg_trial_status status,
                      const eg_record *record);
/** Counts a trial that this run brought to its end. */
void eg_run_state_finish(eg_run_state *state, size_t trial);

/** Makes points anew from the outcomes, in the plan's order of trials, so that they depend on
 *  nothing else; they are in the order of points. */
void eg_run_state_rank(eg_run_state *state);
/** The best of them, made anew; NULL: there is none yet. */
const eg_ranked_point *eg_run_state_best(eg_run_state *state);

#endif
