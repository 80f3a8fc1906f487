/** The keys that are about the plan: name, doc, seeds and select are read here; and what is worth a
 *  warning. */
#include "sweep/plan_keys.h"

#include "engram/memory.h"

#include <string.h>

enum { NAME_MAX_LENGTH = 100, SEEDS_WANTED = 3 };

static const int64_t seed_max = (int64_t)1 << 53; /* exact in every file format and language */

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

/* Seeds ---------------------------------------------------------------------------------------- */

static eg_status check_distinct(const eg_node *list, const uint64_t *seeds, size_t count,
                                const char *key)
{
    for (size_t i = 1; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (seeds[k] == seeds[i]) {
                return eg_fail_at(&list->items[i]->at, "%s: seed %llu is listed twice", key,
                                  (unsigned long long)seeds[i]);
            }
        }
    }
    return eg_ok();
}

/** A count (first, first+1, …) or a list of seeds. */
static eg_status read_seeds(const eg_node *node, const char *key, uint64_t first, uint64_t **out,
                            size_t *count)
{
    if (node->kind == EG_NODE_LIST) {
        if (node->count == 0) {
            return eg_fail_at(&node->at, "%s: an empty list", key);
        }
        if (node->count > EG_YAML_KEYS_MAX) {
            return eg_fail_at(&node->at, "%s: a list of at most %d; write a count for more", key,
                              (int)EG_YAML_KEYS_MAX);
        }
        EG_TRY(eg_alloc(out, node->count, sizeof **out));
        for (size_t i = 0; i < node->count; i++) {
            int64_t seed = 0;
            EG_TRY(eg_node_integer(&seed, node->items[i], key, 0, seed_max));
            (*out)[i] = (uint64_t)seed;
        }
        *count = node->count;
        return check_distinct(node, *out, *count, key);
    }
    int64_t number = 0;
    EG_TRY(eg_node_integer(&number, node, key, 1, EG_PLAN_TRIALS_MAX));
    EG_TRY(eg_alloc(out, (size_t)number, sizeof **out));
    *count = (size_t)number;
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = first + i;
    }
    return eg_ok();
}

static eg_status read_first_seeds(eg_sweep *sweep, eg_plan *plan)
{
    const eg_node *node = eg_sweep_key(sweep, "seeds");
    if (node != NULL) {
        return read_seeds(node, "seeds", 0, &plan->seeds, &plan->seed_count);
    }
    EG_TRY(eg_alloc(&plan->seeds, 1, sizeof *plan->seeds));
    plan->seed_count = 1;
    return eg_ok();
}

static eg_status read_select(eg_sweep *sweep, eg_plan *plan)
{
    static const char *const keys[] = {"best", "seeds", NULL};
    const eg_node *node = eg_sweep_key(sweep, "select");
    if (node == NULL || (node->kind == EG_NODE_SCALAR && strcmp(node->text, "off") == 0)) {
        return eg_ok();
    }
    EG_TRY(eg_node_expect(node, EG_NODE_MAP, "select"));
    EG_TRY(eg_node_keys(node, keys, "select"));
    const eg_node *best = eg_node_get(node, "best");
    const eg_node *seeds = eg_node_get(node, "seeds");
    if (best == NULL || seeds == NULL) {
        return eg_fail_at(&node->at, "select needs %s, as in {best: 3, seeds: 20}",
                          best == NULL ? "best" : "seeds");
    }
    int64_t number = 0;
    EG_TRY(eg_node_integer(&number, best, "select.best", 1, EG_PLAN_POINTS_MAX));
    plan->select_best = (size_t)number;
    uint64_t largest = 0;
    for (size_t i = 0; i < plan->seed_count; i++) {
        largest = plan->seeds[i] > largest ? plan->seeds[i] : largest;
    }
    EG_TRY(read_seeds(seeds, "select.seeds", largest + 1, &plan->select_seeds,
                      &plan->select_seed_count));
    for (size_t i = 0; seeds->kind == EG_NODE_LIST && i < plan->select_seed_count; i++) {
        for (size_t k = 0; k < plan->seed_count; k++) {
            if (plan->select_seeds[i] == plan->seeds[k]) {
                return eg_fail_at(&seeds->items[i]->at,
                                  "select.seeds: seed %llu has already run in the first stage",
                                  (unsigned long long)plan->seeds[k]);
            }
        }
    }
    return eg_ok();
}

/* All of them ---------------------------------------------------------------------------------- */

eg_status eg_plan_read_keys(eg_sweep *sweep, eg_plan *plan)
{
    EG_TRY(read_name(sweep, plan));
    EG_TRY(read_first_seeds(sweep, plan));
    EG_TRY(eg_plan_read_objective(sweep, plan));
    EG_TRY(eg_plan_read_stop(sweep, plan));
    return read_select(sweep, plan);
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
