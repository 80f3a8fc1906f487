/** Where a sweep stands: statuses, stopping rules, the second stage, and what is to be redone. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/redo.h"
#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

double eg_sweep_run_cost(const eg_sweep_run *run, size_t trial)
{
    return run->plan->points[run->plan->trials[trial].point].cost;
}

void eg_sweep_run_set(eg_sweep_run *run, size_t trial, eg_trial_status status,
                      const eg_record *record)
{
    eg_outcome *outcome = &run->outcomes[trial];
    bool was_finished = eg_trial_status_is_final(outcome->status);
    bool is_finished = eg_trial_status_is_final(status);
    run->by_status[outcome->status]--;
    run->by_status[status]++;
    outcome->status = (uint8_t)status;
    bool has = record != NULL;
    outcome->objective = has ? eg_record_value(record, "objective") : (double)NAN;
    outcome->reported = has ? eg_record_value(record, run->plan->objective) : (double)NAN;
    if (!was_finished && is_finished) {
        run->unfinished--;
        run->cost_left -= eg_sweep_run_cost(run, trial);
    }
}

void eg_sweep_run_rank(eg_sweep_run *run)
{
    const eg_plan *plan = run->plan;
    for (size_t point = 0; point < plan->point_count; point++) {
        run->points[point] = (eg_ranked_point){.point = point};
    }
    for (size_t t = 0; t < plan->trial_count; t++) {
        const eg_outcome *outcome = &run->outcomes[t];
        const eg_scored_trial trial = {
            .point = plan->trials[t].point,
            .seed = plan->trials[t].seed,
            .status = outcome->status,
            .stage = t < plan->first_count ? EG_STAGE_FIRST : EG_STAGE_SECOND,
            .selected = outcome->objective,
            .reported = outcome->reported,
        };
        eg_ranking_add(run->points, &run->ranking.basis, &trial);
    }
}

const eg_ranked_point *eg_sweep_run_best(eg_sweep_run *run)
{
    eg_sweep_run_rank(run);
    return eg_ranking_best(run->points, run->plan->point_count, &run->ranking.basis);
}

void eg_sweep_run_count_finished(eg_sweep_run *run, size_t trial)
{
    run->session_finished++;
    run->session_cost += eg_sweep_run_cost(run, trial);
}

/** Starts counting a trial whose outcome the store reported. */
static void count_in(eg_sweep_run *run, size_t trial)
{
    const eg_outcome *outcome = &run->outcomes[trial];
    run->by_status[outcome->status]++;
    if (eg_trial_status_is_final(outcome->status)) {
        run->before++;
    } else {
        run->unfinished++;
        run->cost_left += eg_sweep_run_cost(run, trial);
    }
}

static eg_status make_pending(eg_sweep_run *run, size_t trial)
{
    EG_TRY(eg_store_redo(run->store, trial));
    run->outcomes[trial] =
        (eg_outcome){.status = EG_TRIAL_PENDING, .objective = (double)NAN, .reported = (double)NAN};
    return eg_ok();
}

eg_status eg_sweep_run_redo(eg_sweep_run *run, size_t first)
{
    for (size_t t = first; t < run->plan->trial_count; t++) {
        eg_trial_status status = (eg_trial_status)run->outcomes[t].status;
        bool lacks = run->outcomes[t].lacks_measures;
        bool named = eg_redo_names(run->redo, &run->plan->trials[t], status, NULL);
        if (eg_trial_status_is_final(status) && (named || lacks)) {
            EG_TRY(make_pending(run, t));
            run->again.lacking += lacks ? 1 : 0;
        }
    }
    return eg_store_commit(run->store);
}

/** A trial that today's rules would not cut (rules or results changed) is pending again; one that was stopped on its
 *  way keeps what it has. */
static eg_status revive(eg_sweep_run *run, size_t first, eg_trial_status of)
{
    for (size_t t = first; t < run->plan->trial_count; t++) {
        eg_outcome *outcome = &run->outcomes[t];
        if (outcome->status != of || eg_run_queue_fate(&run->queue, t) == EG_FATE_SKIP) {
            continue;
        }
        if (of == EG_TRIAL_STOPPED) {
            outcome->status = EG_TRIAL_PAUSED;
        } else {
            EG_TRY(make_pending(run, t));
        }
    }
    return eg_ok();
}

static eg_status cut(eg_sweep_run *run, size_t trial)
{
    const eg_outcome *outcome = &run->outcomes[trial];
    if (outcome->evaluations == 0) {
        EG_TRY(eg_store_skipped(run->store, trial, "cut by a stopping rule"));
        eg_sweep_run_set(run, trial, EG_TRIAL_SKIPPED, NULL);
        return eg_ok();
    }
    char why[64];
    (void)snprintf(why, sizeof why, "stopped by a rule after %" PRIu32 " evaluation%s",
                   outcome->evaluations, eg_plural(outcome->evaluations));
    EG_TRY(eg_store_skipped(run->store, trial, why));
    eg_sweep_run_set(run, trial, EG_TRIAL_STOPPED, NULL);
    eg_sweep_run_count_finished(run, trial);
    return eg_sweep_run_drop_checkpoint(run, trial);
}

static void go_on(eg_sweep_run *run, size_t trial)
{
    if (run->outcomes[trial].status == EG_TRIAL_PAUSED) {
        eg_sweep_run_set(run, trial, EG_TRIAL_PENDING, NULL);
        eg_run_queue_again(&run->queue, trial);
    } else {
        eg_run_queue_release(&run->queue, trial);
    }
}

/** Applies what the rules say of a trial that waits. */
static eg_status apply_fate(eg_sweep_run *run, size_t trial, eg_fate fate, bool *changed)
{
    if (fate == EG_FATE_SKIP) {
        EG_TRY(cut(run, trial));
        *changed = true;
    } else if (fate == EG_FATE_RUN) {
        go_on(run, trial);
    }
    return eg_ok();
}

static bool may_wait(const eg_sweep_run *run, size_t trial)
{
    uint8_t status = run->outcomes[trial].status;
    return status == EG_TRIAL_PENDING || status == EG_TRIAL_PAUSED;
}

/** Where one rule compares trials on their way and nothing else: one look at those compared with this one, which comes
 *  first. *done: that was all. A cut of such a rule changes nothing for the others. */
static eg_status decide_peers(eg_sweep_run *run, size_t trial, bool *done)
{
    eg_peer peers[EG_PEERS_MAX];
    size_t count = eg_plan_peers(run->plan, run->outcomes, trial, peers);
    bool changed = false;
    *done = count > 0;
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < count; i++) {
            bool own = peers[i].trial == trial;
            if (own == (turn == 0) && may_wait(run, peers[i].trial)) {
                EG_TRY(apply_fate(run, peers[i].trial, eg_fate_of(&peers[i].budget), &changed));
            }
        }
    }
    return eg_ok();
}

/** Applies the stopping rules to a point's trials that wait. *changed becomes true if any was cut. */
static eg_status decide(eg_sweep_run *run, size_t point, bool *changed)
{
    const eg_plan *plan = run->plan;
    size_t replicates = plan->seed_count + plan->select_seed_count;
    for (size_t r = 0; r < replicates; r++) {
        size_t trial = eg_plan_find(plan, point, r);
        if (trial != SIZE_MAX && may_wait(run, trial)) {
            EG_TRY(apply_fate(run, trial, eg_run_queue_fate(&run->queue, trial), changed));
        }
    }
    return eg_ok();
}

/** The same for all points, until no rule has anything to say about what another one cut. Without rules, what has paused
 *  under others goes on. */
static eg_status decide_all(eg_sweep_run *run)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t point = 0; point < run->plan->point_count; point++) {
            EG_TRY(decide(run, point, &changed));
        }
    }
    return eg_ok();
}

/** Does the outcome of a trial say nothing new about other points? So it is with one rule that says of the trial's own
 *  point what it said while the trial ran, and keeps it: a rung of its cohort, say, at which others are still missing. */
static bool says_nothing_new(eg_sweep_run *run, size_t trial)
{
    eg_outcome *outcome = &run->outcomes[trial];
    const eg_outcome now = *outcome;
    size_t point = run->plan->trials[trial].point;
    if (run->plan->stop_count != 1) {
        return false;
    }
    eg_verdict after = eg_plan_judge(run->plan, run->outcomes, point);
    outcome->status = EG_TRIAL_RUNNING;
    eg_verdict before = eg_plan_judge(run->plan, run->outcomes, point);
    *outcome = now;
    return after.keep == SIZE_MAX && before.keep == SIZE_MAX && after.cleared == before.cleared;
}

eg_status eg_sweep_run_decide(eg_sweep_run *run, size_t trial)
{
    if (run->plan->stop_count == 0) {
        return eg_ok();
    }
    bool changed = false;
    bool done = false;
    EG_TRY(decide_peers(run, trial, &done));
    if (done) {
        return eg_ok();
    }
    size_t point = run->plan->trials[trial].point;
    EG_TRY(
        decide(run, point, &changed)); /* first: others may be compared with what is left of it */
    if (!changed && run->plan->stop[0].kind->budget == NULL && says_nothing_new(run, trial)) {
        return eg_ok();
    }
    for (size_t other = 0; other < run->plan->point_count; other++) {
        if (other != point && eg_plan_compares(run->plan, point, other)) {
            EG_TRY(decide(run, other, &changed));
        }
    }
    /* What one rule cuts is news for the others. */
    return changed && run->plan->stop_count > 1 ? decide_all(run) : eg_ok();
}

/** Takes trials first … on board: what is known of them, what is redone, what the rules say. */
static eg_status take_on(eg_sweep_run *run, size_t first)
{
    const eg_plan *plan = run->plan;
    EG_TRY(eg_sweep_run_redo(run, first));
    EG_TRY(revive(run, first, EG_TRIAL_SKIPPED)); /* first: the others are compared with these */
    EG_TRY(revive(run, first, EG_TRIAL_STOPPED));
    for (size_t t = first; t < plan->trial_count; t++) {
        count_in(run, t);
    }
    EG_TRY(eg_run_queue_add(&run->queue, first));
    return decide_all(run);
}

eg_status eg_sweep_run_next_stage(eg_sweep_run *run)
{
    if (run->unfinished > 0 || run->stage_start != SIZE_MAX) {
        return eg_ok();
    }
    size_t first = run->plan->trial_count;
    size_t added = 0;
    EG_TRY(eg_plan_select(run->plan, run->outcomes, &added));
    run->stage_start = first;
    if (added == 0) {
        return eg_ok();
    }
    EG_TRY(eg_store_extend(run->store, run->plan, run->outcomes));
    return take_on(run, first);
}

eg_status eg_sweep_run_open(eg_sweep_run *run, const eg_session *session)
{
    const eg_plan *plan = run->plan;
    run->capacity = plan->trial_count + plan->select_best * plan->select_seed_count;
    run->stage_start = SIZE_MAX;
    EG_TRY(eg_alloc(&run->outcomes, run->capacity, sizeof *run->outcomes));
    EG_TRY(eg_ranking_create(&run->points, plan->point_count));
    run->ranking = eg_ranking_report_of_plan(plan);
    run->ranking.columns = &run->columns;
    EG_TRY(eg_point_columns_of_plan(&run->columns, plan));
    EG_TRY(eg_run_queue_create(&run->queue, plan, run->outcomes, run->capacity));
    EG_TRY(eg_store_open(&run->store, run->path, plan, session, run->outcomes));
    EG_TRY(take_on(run, 0));
    EG_TRY(eg_sweep_run_next_stage(run));
    run->safe = run->before;
    return eg_ok();
}

void eg_sweep_run_clear(eg_sweep_run *run)
{
    eg_run_queue_clear(&run->queue);
    eg_free(run->outcomes);
    eg_free(run->points);
    eg_free(run->settings);
    eg_free(run->checkpoints);
    eg_free(run->checkpoint);
    eg_free(run->weights);
    eg_free(run->weights_file);
    eg_free(run->hosts);
    eg_free(run->reports);
    eg_point_columns_clear(&run->columns);
    eg_free(run->path);
    eg_data_content_clear(&run->data);
    eg_plan_free(run->plan);
}
