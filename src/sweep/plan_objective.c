/** The objective: which number of a trial selects, and whether large or small is good. */
#include "sweep/plan_keys.h"

#include "base/shared/value.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <string.h>

static eg_status read_goal(const eg_node *node, bool *maximise)
{
    static const char *const goals[] = {"maximise", "minimise", "maximize", "minimize", NULL};
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, "objective.goal"));
    eg_param param = {.name = "objective.goal", .type = EG_TYPE_NAME, .names = goals};
    eg_value value;
    eg_status status = eg_value_parse(&value, &param, NULL, node->text);
    *maximise = value.integer % 2 == 0;
    eg_value_clear(&value);
    return eg_origin_wrap(status, &node->at);
}

eg_status eg_plan_read_objective(eg_sweep *sweep, eg_plan *plan)
{
    static const char *const keys[] = {"variable", "goal", NULL};
    const eg_node *node = eg_sweep_key(sweep, "objective");
    plan->maximise = true;
    if (node == NULL) {
        return eg_strdup(&plan->objective, "final_accuracy");
    }
    if (node->kind == EG_NODE_MAP) {
        EG_TRY(eg_node_keys(node, keys, "objective"));
        const eg_node *goal = eg_node_get(node, "goal");
        if (goal != NULL) {
            EG_TRY(read_goal(goal, &plan->maximise));
        }
        const eg_node *variable = eg_node_get(node, "variable");
        if (variable == NULL) {
            return eg_fail_at(&node->at, "objective needs a variable");
        }
        node = variable;
    }
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, "objective"));
    return eg_strdup(&plan->objective, node->text);
}

/** The nearest scalar that a trial of the first point records. */
static eg_status unknown_objective(const eg_plan *plan)
{
    const eg_variable **variables = NULL;
    size_t count = 0;
    eg_nearest nearest = {0};
    EG_TRY(eg_trial_variables(&variables, &count, plan->points[0].settings));
    for (size_t i = 0; i < count; i++) {
        if (eg_variable_rank(variables[i]) == 0) {
            eg_nearest_offer(&nearest, plan->objective, variables[i]->name);
        }
    }
    eg_status status =
        nearest.best != NULL
            ? eg_fail(EG_INVALID, "objective: no variable '%.60s' is recorded; did you mean %s?",
                      plan->objective, nearest.best)
            : eg_fail(EG_INVALID, "objective: no variable '%.60s' is recorded (try final_accuracy)",
                      plan->objective);
    eg_free(variables);
    return status;
}

/** Some variables exist only where settings ask for them. */
static eg_status check_recorded(const eg_plan *plan, const eg_variable *variable)
{
    for (size_t p = 0; p < plan->point_count; p++) {
        if (!eg_trial_records(plan->points[p].settings, variable)) {
            return eg_fail(EG_INVALID,
                           "objective: '%s' is not recorded with these settings (it must be among "
                           "`measures`; forward_transfer needs eval.untrained = true)",
                           variable->name);
        }
    }
    return eg_ok();
}

eg_status eg_plan_check_objective(eg_sweep *sweep, eg_plan *plan)
{
    const eg_node *node = eg_sweep_key(sweep, "objective");
    const eg_origin whole = {.file = sweep->path};
    const eg_origin *at = node != NULL ? &node->at : &whole;
    const eg_variable *variable = eg_trial_variable(plan->objective);
    if (variable == NULL) {
        return eg_origin_wrap(unknown_objective(plan), at);
    }
    if (strcmp(plan->objective, "objective") == 0 || eg_variable_rank(variable) != 0) {
        return eg_fail_at(at,
                          "objective: '%s' is %s; a single number per trial is needed, such as "
                          "final_accuracy",
                          plan->objective,
                          eg_variable_rank(variable) != 0 ? "a curve" : "this choice itself");
    }
    EG_TRY(eg_origin_wrap(check_recorded(plan, variable), at));
    if (variable->volatile_) {
        return eg_sweep_warn(
            sweep,
            "objective %s differs between identical runs: selection and cuts will not "
            "be reproducible",
            plan->objective);
    }
    return eg_ok();
}
