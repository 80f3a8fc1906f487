/** What runs at all: stopping rules, the second stage, and what is to be redone. */
#include "run/redo.h"
#include "run/run_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static eg_status make_pending(eg_run *run, size_t trial)
{
    EG_TRY(eg_store_redo(run->store, trial));
    run->state.outcomes[trial] =
        (eg_outcome){.status = EG_TRIAL_PENDING, .objective = (double)NAN, .reported = (double)NAN};
    return eg_ok();
}

static eg_status redo(eg_run *run, size_t first)
{
    for (size_t t = first; t < run->state.plan->trial_count; t++) {
        eg_trial_status status = (eg_trial_status)run->state.outcomes[t].status;
        bool lacks = run->state.outcomes[t].lacks_measures;
        bool named =
            eg_run_redo_names(run->options.redo, &run->state.plan->trials[t], status, NULL);
        if (eg_trial_status_is_final(status) && (named || lacks)) {
            EG_TRY(make_pending(run, t));
            run->repeats.lacking += lacks ? 1 : 0;
        }
    }
    return eg_store_commit(run->store);
}

/** A trial that today's rules would not cut (rules or results changed) is pending again; one that
 *  was stopped on its way keeps what it has. */
static eg_status revive(eg_run *run, size_t first, eg_trial_status of)
{
    for (size_t t = first; t < run->state.plan->trial_count; t++) {
        eg_outcome *outcome = &run->state.outcomes[t];
        if (outcome->status != of || eg_run_queue_fate(&run->queue, t) == EG_RUN_FATE_SKIP) {
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

static eg_status cut(eg_run *run, size_t trial)
{
    const eg_outcome *outcome = &run->state.outcomes[trial];
    if (outcome->evaluations == 0) {
        EG_TRY(eg_store_skipped(run->store, trial, "cut by a stopping rule"));
        eg_run_state_set(&run->state, trial, EG_TRIAL_SKIPPED, NULL);
        return eg_ok();
    }
    char why[64];
    (void)snprintf(why, sizeof why, "stopped by a rule after %" PRIu32 " evaluation%s",
                   outcome->evaluations, outcome->evaluations == 1 ? "" : "s");
    EG_TRY(eg_store_skipped(run->store, trial, why));
    eg_run_state_set(&run->state, trial, EG_TRIAL_STOPPED, NULL);
    eg_run_state_finish(&run->state, trial);
    return eg_run_drop_checkpoint(run, trial);
}

static void go_on(eg_run *run, size_t trial)
{
    if (run->state.outcomes[trial].status == EG_TRIAL_PAUSED) {
        eg_run_state_set(&run->state, trial, EG_TRIAL_PENDING, NULL);
        eg_run_queue_again(&run->queue, trial);
    } else {
        eg_run_queue_release(&run->queue, trial);
    }
}

/** Applies what the rules say of a trial that waits. */
static eg_status apply_fate(eg_run *run, size_t trial, eg_run_fate fate, bool *changed)
{
    if (fate == EG_RUN_FATE_SKIP) {
        EG_TRY(cut(run, trial));
        *changed = true;
    } else if (fate == EG_RUN_FATE_RUN) {
        go_on(run, trial);
    }
    return eg_ok();
}

static bool may_wait(const eg_run *run, size_t trial)
{
    uint8_t status = run->state.outcomes[trial].status;
    return status == EG_TRIAL_PENDING || status == EG_TRIAL_PAUSED;
}

/** Where one rule compares trials on their way and nothing else: one look at those compared with
 *  this one, which comes first. *done: that was all. A cut of such a rule changes nothing for the
 *  others. */
static eg_status decide_peers(eg_run *run, size_t trial, bool *done)
{
    eg_peer peers[EG_PEERS_MAX];
    size_t count = eg_plan_peers(run->state.plan, run->state.outcomes, trial, peers);
    bool changed = false;
    *done = count > 0;
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < count; i++) {
            bool own = peers[i].trial == trial;
            if (own == (turn == 0) && may_wait(run, peers[i].trial)) {
                EG_TRY(apply_fate(run, peers[i].trial, eg_run_fate_of(&peers[i].budget), &changed));
            }
        }
    }
    return eg_ok();
}

/** Applies the stopping rules to a point's trials that wait. *changed becomes true if any was
 *  cut. */
static eg_status decide(eg_run *run, size_t point, bool *changed)
{
    const eg_plan *plan = run->state.plan;
    size_t replicates = plan->seed_count + plan->select_seed_count;
    for (size_t r = 0; r < replicates; r++) {
        size_t trial = eg_plan_find(plan, point, r);
        if (trial != SIZE_MAX && may_wait(run, trial)) {
            EG_TRY(apply_fate(run, trial, eg_run_queue_fate(&run->queue, trial), changed));
        }
    }
    return eg_ok();
}

/** The same for all points, until no rule has anything to say about what another one cut. Without
 *  rules, what has paused under others goes on. */
static eg_status decide_all(eg_run *run)
{
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t point = 0; point < run->state.plan->point_count; point++) {
            EG_TRY(decide(run, point, &changed));
        }
    }
    return eg_ok();
}

/** Does the outcome of a trial say nothing new about other points? So it is with one rule that says
 *  of the trial's own point what it said while the trial ran, and keeps it: a rung of its cohort,
 *  say, at which others are still missing. */
static bool says_nothing_new(eg_run *run, size_t trial)
{
    eg_outcome *outcome = &run->state.outcomes[trial];
    const eg_outcome now = *outcome;
    size_t point = run->state.plan->trials[trial].point;
    if (run->state.plan->stop_count != 1) {
        return false;
    }
    eg_verdict after = eg_plan_judge(run->state.plan, run->state.outcomes, point);
    outcome->status = EG_TRIAL_RUNNING;
    eg_verdict before = eg_plan_judge(run->state.plan, run->state.outcomes, point);
    *outcome = now;
    return after.keep == SIZE_MAX && before.keep == SIZE_MAX && after.cleared == before.cleared;
}

eg_status eg_run_decide(eg_run *run, size_t trial)
{
    if (run->state.plan->stop_count == 0) {
        return eg_ok();
    }
    bool changed = false;
    bool done = false;
    EG_TRY(decide_peers(run, trial, &done));
    if (done) {
        return eg_ok();
    }
    size_t point = run->state.plan->trials[trial].point;
    EG_TRY(
        decide(run, point, &changed)); /* first: others may be compared with what is left of it */
    if (!changed && run->state.plan->stop[0].kind->budget == NULL && says_nothing_new(run, trial)) {
        return eg_ok();
    }
    for (size_t other = 0; other < run->state.plan->point_count; other++) {
        if (other != point && eg_plan_compares(run->state.plan, point, other)) {
            EG_TRY(decide(run, other, &changed));
        }
    }
    /* What one rule cuts is news for the others. */
    return changed && run->state.plan->stop_count > 1 ? decide_all(run) : eg_ok();
}

eg_status eg_run_take_on(eg_run *run, size_t first)
{
    const eg_plan *plan = run->state.plan;
    EG_TRY(redo(run, first));
    EG_TRY(revive(run, first, EG_TRIAL_SKIPPED)); /* first: the others are compared with these */
    EG_TRY(revive(run, first, EG_TRIAL_STOPPED));
    for (size_t t = first; t < plan->trial_count; t++) {
        eg_run_state_add(&run->state, t);
    }
    EG_TRY(eg_run_queue_add(&run->queue, first));
    return decide_all(run);
}

eg_status eg_run_next_stage(eg_run *run)
{
    eg_run_state *state = &run->state;
    if (state->counts.unfinished > 0 || state->second_stage || eg_run_is_asking(run)) {
        return eg_ok();
    }
    size_t first = state->plan->trial_count;
    size_t added = 0;
    EG_TRY(eg_plan_select(state->plan, state->outcomes, &added));
    state->second_stage = true;
    if (added == 0) {
        return eg_ok();
    }
    EG_TRY(eg_store_extend(run->store, state->plan, state->outcomes));
    state->counts.total = state->plan->trial_count;
    EG_TRY(eg_run_take_on(run, first));
    if (run->reporter.observer.stage_began != NULL) {
        run->reporter.observer.stage_began(run->reporter.observer.user, added);
    }
    return eg_ok();
}
