/** What the stopping rules of a plan say together: which replicates are still worth running, and
 *  how far. */
#include "sweep/stop_rules.h"

#include "engram/trial.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/** A rule that looks at a point by itself. */
static eg_verdict judge_alone(const eg_stop_rule *rule, const eg_plan *plan,
                              const eg_outcome *outcomes, size_t point)
{
    eg_outcome replicates[EG_STOP_REPLICATES_MAX];
    size_t count = 0;
    while (count < plan->seed_count && count < EG_STOP_REPLICATES_MAX) {
        replicates[count] = outcomes[eg_plan_find(plan, point, count)];
        count++;
    }
    return rule->kind->look(rule->p, plan->maximise ? 1.0 : -1.0, replicates, count);
}

eg_verdict eg_plan_judge(const eg_plan *plan, const eg_outcome *outcomes, size_t point)
{
    eg_verdict all = {.cleared = SIZE_MAX, .keep = SIZE_MAX};
    for (size_t i = 0; i < plan->stop_count && point < plan->compared_count; i++) {
        const eg_stop_rule *rule = &plan->stop[i];
        if (rule->kind->budget != NULL) {
            continue; /* it cuts no seeds */
        }
        eg_verdict one = rule->kind->judge != NULL
                             ? rule->kind->judge(rule->p, plan, outcomes, point)
                             : judge_alone(rule, plan, outcomes, point);
        all.cleared = least(all.cleared, one.cleared);
        all.keep = least(all.keep, one.keep);
    }
    return all;
}

size_t eg_plan_keep(const eg_plan *plan, const eg_outcome *outcomes, size_t point)
{
    return eg_plan_judge(plan, outcomes, point).keep;
}

/** The rule that looks into trials; there is one at most. */
static const eg_stop_rule *rule_of_rungs(const eg_plan *plan)
{
    for (size_t i = 0; i < plan->stop_count; i++) {
        if (plan->stop[i].kind->budget != NULL) {
            return &plan->stop[i];
        }
    }
    return NULL;
}

bool eg_plan_has_rungs(const eg_plan *plan)
{
    return rule_of_rungs(plan) != NULL;
}

void eg_plan_measure(const eg_plan *plan, const eg_record *record, eg_outcome *outcome)
{
    const eg_stop_rule *rule = rule_of_rungs(plan);
    outcome->evaluations = (uint32_t)eg_trial_evaluations(record);
    if (rule != NULL) {
        rule->kind->measure(rule->p, record, outcome);
    }
}

/** It is of the first stage, and no baseline. */
static bool is_judged(const eg_plan *plan, size_t trial)
{
    const eg_plan_trial *which = &plan->trials[trial];
    return which->replicate < plan->seed_count && which->point < plan->compared_count;
}

eg_budget eg_plan_budget(const eg_plan *plan, const eg_outcome *outcomes, size_t trial)
{
    const eg_stop_rule *rule = rule_of_rungs(plan);
    return rule != NULL && is_judged(plan, trial)
               ? rule->kind->budget(rule->p, plan, outcomes, trial)
               : (eg_budget){0};
}

size_t eg_plan_peers(const eg_plan *plan, const eg_outcome *outcomes, size_t trial,
                     eg_peer peers[EG_PEERS_MAX])
{
    const eg_stop_rule *rule = rule_of_rungs(plan);
    bool alone = rule != NULL && plan->stop_count == 1 && rule->kind->peers != NULL;
    return alone && is_judged(plan, trial)
               ? rule->kind->peers(rule->p, plan, outcomes, trial, peers)
               : 0;
}

void eg_plan_bounds(const eg_plan *plan, size_t evaluations, double *least, double *most)
{
    *least = *most = 1;
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_rule *rule = &plan->stop[i];
        double low = 1;
        double high = 1;
        if (rule->kind->budget == NULL || evaluations > 0) {
            rule->kind->bounds(rule->p, plan, evaluations, &low, &high);
        }
        *least *= low;
        *most *= high;
    }
}

bool eg_plan_compares(const eg_plan *plan, size_t point, size_t other)
{
    bool found = point == other;
    bool baseline = point >= plan->compared_count || other >= plan->compared_count;
    for (size_t i = 0; i < plan->stop_count && !found && !baseline; i++) {
        const eg_stop_rule *rule = &plan->stop[i];
        found = rule->kind->compares != NULL && rule->kind->compares(rule->p, plan, point, other);
    }
    return found;
}
