/** The keys that are about the plan: name and doc are read here; and what is worth a warning. */
#include "sweep/plan_keys.h"

#include "engram/memory.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 100, SEEDS_WANTED = 3 };

static eg_status read_name(eg_sweep *sweep, eg_plan *plan)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const eg_node *name = eg_sweep_key(sweep, "name");
    if (name == NULL) {
        return eg_fail(EG_INVALID, "%s: the sweep has no name; add a line like name: my-sweep",
                       sweep->path);
    }
    EG_TRY(eg_node_expect(name, EG_NODE_SCALAR, "name"));
    size_t length = strlen(name->text);
    if (length == 0 || length > NAME_MAX_LENGTH || strspn(name->text, allowed) != length) {
        return eg_fail_at(
            &name->at,
            "name '%.60s' must be 1 to %d letters, digits, '-' and '_': files are named "
            "after it",
            name->text, (int)NAME_MAX_LENGTH);
    }
    EG_TRY(eg_strdup(&plan->name, name->text));
    const eg_node *doc = eg_sweep_key(sweep, "doc");
    if (doc != NULL) {
        EG_TRY(eg_node_expect(doc, EG_NODE_SCALAR, "doc"));
    }
    return eg_strdup(&plan->doc, doc != NULL ? doc->text : "");
}

eg_status eg_plan_read_keys(eg_sweep *sweep, eg_plan *plan)
{
    EG_TRY(read_name(sweep, plan));
    EG_TRY(eg_plan_read_seeds(sweep, plan));
    EG_TRY(eg_plan_read_objective(sweep, plan));
    EG_TRY(eg_plan_read_stop(sweep, plan));
    return eg_plan_read_failures(sweep, plan);
}

static eg_status warn_protocol(eg_sweep *sweep, const eg_plan *plan)
{
    for (size_t i = 0; i < plan->point_count; i++) {
        const eg_setting *protocol = eg_settings_find(plan->points[i].settings, "protocol");
        if (protocol != NULL && strcmp(protocol->value.text, "test") == 0) {
            return eg_sweep_warn(sweep, "protocol test: selection uses the test set, so the best "
                                        "point's accuracy is optimistic");
        }
    }
    return eg_ok();
}

eg_status eg_plan_check_keys(eg_sweep *sweep, eg_plan *plan)
{
    EG_TRY(eg_plan_check_objective(sweep, plan));
    EG_TRY(eg_plan_check_stop(sweep, plan));
    EG_TRY(warn_protocol(sweep, plan));
    EG_TRY(eg_plan_warn_unused(sweep, plan));
    if (plan->seed_count < SEEDS_WANTED) {
        EG_TRY(eg_sweep_warn(sweep,
                             "%zu seed%s per point: too few for a confidence interval that "
                             "means anything; %d or more are advised",
                             plan->seed_count, plan->seed_count == 1 ? "" : "s",
                             (int)SEEDS_WANTED));
    }
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_kind *kind = plan->stop[i].kind;
        if (kind->needs != NULL && kind->needs(plan->stop[i].p) >= plan->seed_count) {
            EG_TRY(eg_sweep_warn(sweep,
                                 "stop %s never cuts anything: it decides after %zu seeds, and "
                                 "there are %zu",
                                 kind->component.name, kind->needs(plan->stop[i].p),
                                 plan->seed_count));
        }
    }
    if (plan->select_best > plan->point_count) {
        EG_TRY(eg_sweep_warn(sweep, "select takes the best %zu points, but there are %zu",
                             plan->select_best, plan->point_count));
    }
    return eg_ok();
}
