/** What the stopping rules of a plan say together: which replicates are still worth running. */
#include "sweep/stop_rules.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/** A rule that looks at a point by itself: what it needs is cleared, then all or nothing more. */
static eg_verdict judge_alone(const eg_stop_rule *rule, const eg_plan *plan,
                              const eg_outcome *outcomes, size_t point)
{
    eg_outcome replicates[EG_STOP_REPLICATES_MAX];
    size_t needed = rule->kind->needs(rule->p);
    size_t count = 0;
    bool seen = true;
    while (count < plan->seed_count && count < EG_STOP_REPLICATES_MAX) {
        replicates[count] = outcomes[eg_plan_find(plan, point, count)];
        uint8_t status = replicates[count].status;
        bool open = status == EG_TRIAL_PENDING || status == EG_TRIAL_RUNNING;
        seen = seen && !(open && count < needed);
        count++;
    }
    double sign = plan->maximise ? 1.0 : -1.0;
    size_t left = rule->kind->keep(rule->p, sign, replicates, count);
    size_t cleared = seen ? SIZE_MAX : needed;
    return (eg_verdict){.cleared = least(left, cleared), .keep = left};
}

eg_verdict eg_plan_judge(const eg_plan *plan, const eg_outcome *outcomes, size_t point)
{
    eg_verdict all = {.cleared = SIZE_MAX, .keep = SIZE_MAX};
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_rule *rule = &plan->stop[i];
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

bool eg_plan_compares(const eg_plan *plan, size_t point, size_t other)
{
    bool found = point == other;
    for (size_t i = 0; i < plan->stop_count && !found; i++) {
        const eg_stop_rule *rule = &plan->stop[i];
        found = rule->kind->compares != NULL && rule->kind->compares(rule->p, plan, point, other);
    }
    return found;
}
