/** The key `max_failures`: so many trials may fail or time out before the sweep ends, a count or a
 *  share of all trials. */
#include "sweep/plan_keys.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

eg_status eg_plan_read_failures(eg_sweep *sweep, eg_plan *plan)
{
    const eg_node *node = eg_sweep_key(sweep, "max_failures");
    if (node == NULL || (node->kind == EG_NODE_SCALAR && strcmp(node->text, "off") == 0)) {
        return eg_ok();
    }
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, "max_failures"));
    char *end = NULL;
    double number = strtod(node->text, &end);
    bool is_number = end != node->text && isfinite(number);
    end += strspn(end, " ");
    bool percent = strcmp(end, "%") == 0;
    bool share = percent && number > 0 && number <= 100;
    bool count =
        *end == '\0' && number >= 1 && number <= EG_PLAN_TRIALS_MAX && number == floor(number);
    if (!is_number || !(share || count)) {
        return eg_fail_at(&node->at,
                          "max_failures = %.60s: must be a number of trials from 1, a share of all "
                          "like 5%%, or off",
                          node->text);
    }
    plan->max_failures = number;
    plan->max_failures_percent = percent;
    return eg_ok();
}

size_t eg_plan_max_failures(const eg_plan *plan)
{
    if (plan->max_failures <= 0) {
        return SIZE_MAX;
    }
    double count = plan->max_failures_percent
                       ? ceil(plan->max_failures * (double)plan->trial_count / 100)
                       : plan->max_failures;
    return count < 1 ? 1 : (size_t)count;
}
