/** The objective of a trial on its way; see sweep/stop_curve.h. */
#include "sweep/stop_curve.h"

#include <string.h>

const eg_array *eg_stop_curve(const eg_record *record)
{
    const eg_array *held_out = eg_record_find(record, "validation_accuracy");
    return held_out != NULL ? held_out : eg_record_find(record, "accuracy");
}

eg_status eg_stop_check_curve(const eg_plan *plan, const char *rule, const char *does)
{
    if (strcmp(plan->objective, "final_accuracy") != 0) {
        return eg_fail(EG_INVALID,
                       "stop %s: the objective %s is only known when a trial ends; it %s "
                       "final_accuracy",
                       rule, plan->objective, does);
    }
    for (size_t i = 0; i < plan->compared_count; i++) {
        eg_view root = eg_settings_root(plan->points[i].settings);
        const char *protocol = eg_view_component(&root, "protocol")->name;
        if (strcmp(protocol, "first_tasks") == 0) {
            return eg_fail(EG_INVALID,
                           "stop %s: protocol first_tasks selects after task k only; it needs "
                           "validation or test",
                           rule);
        }
        if (eg_view_name(&root, "eval.tasks") != 0) {
            return eg_fail(EG_INVALID,
                           "stop %s: every evaluation must cover all tasks: eval.tasks = all",
                           rule);
        }
    }
    return eg_ok();
}

eg_status eg_stop_check_goal(const eg_plan *plan, const char *rule)
{
    return plan->maximise ? eg_ok()
                          : eg_fail(EG_INVALID,
                                    "stop %s: the goal is to minimise final_accuracy; it stops "
                                    "trials whose accuracy is small",
                                    rule);
}
