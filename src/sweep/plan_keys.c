/** name, doc, seeds, objective, stop and select: read, checked, and warned about. */
#include "sweep/plan_keys.h"

#include "base/value.h"
#include "engram/memory.h"
#include "engram/trial.h"

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

/* Seeds ------------------------------------------------------------------------------------------ */

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
        return eg_fail_at(&node->at, "select needs %s: {best: 3, seeds: 20}",
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

/* Objective -------------------------------------------------------------------------------------- */

static eg_status read_goal(const eg_node *node, bool *maximise)
{
    static const char *const goals[] = {"maximise", "minimise", NULL};
    EG_TRY(eg_node_expect(node, EG_NODE_SCALAR, "objective.goal"));
    eg_param param = {.name = "objective.goal", .type = EG_TYPE_WORD, .choices = goals};
    eg_value value;
    eg_status status = eg_value_parse(&value, &param, NULL, node->text);
    *maximise = value.integer == 0;
    eg_value_clear(&value);
    return eg_origin_wrap(status, &node->at);
}

static eg_status read_objective(eg_sweep *sweep, eg_plan *plan)
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

static eg_status check_objective(eg_sweep *sweep, eg_plan *plan)
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
    if (variable->volatile_) {
        return eg_sweep_warn(
            sweep,
            "objective %s differs between identical runs: selection and cuts will not "
            "be reproducible",
            plan->objective);
    }
    return eg_ok();
}

/* Stopping rules --------------------------------------------------------------------------------- */

/** A rule is a component like any other: the same checks and the same messages. */
static eg_status read_rule(eg_sweep *sweep, eg_plan *plan, const char *name, const eg_node *params,
                           eg_origin at)
{
    static const eg_param root = {
        .name = "stop", .type = EG_TYPE_COMPONENT, .family = "stop", .doc = "a stopping rule"};
    const eg_family *const families[] = {&eg_stop_family};
    const eg_schema schema = {
        .root = &root, .root_count = 1, .families = families, .family_count = 1};
    if (plan->stop_count == EG_STOP_MAX) {
        return eg_fail_at(&at, "more than %d stopping rules", (int)EG_STOP_MAX);
    }
    eg_assignments list = {0};
    EG_TRY(eg_assignments_add(sweep, &list, "stop", name, at));
    bool bare = params == NULL || (params->kind == EG_NODE_SCALAR && params->text[0] == '\0');
    if (!bare) {
        EG_TRY(eg_node_expect(params, EG_NODE_MAP, name));
    }
    for (size_t i = 0; !bare && i < params->count; i++) {
        const eg_entry *entry = &params->entries[i];
        const char *full = NULL;
        const char *text = NULL;
        EG_TRY(eg_arena_join(sweep->arena, &full, "stop.", entry->key, ""));
        EG_TRY(eg_node_text(&text, sweep->arena, entry->value, full));
        EG_TRY(eg_assignments_add(sweep, &list, full, text, entry->at));
    }
    eg_settings *settings = NULL;
    eg_status status = eg_settings_resolve(&settings, &schema, list.items, list.count);
    if (status.code != EG_OK) {
        bool placed = at.file != NULL && strncmp(status.message, at.file, strlen(at.file)) == 0;
        return placed ? status : eg_origin_wrap(status, &at);
    }
    eg_view view = eg_settings_root(settings);
    eg_view inside = eg_view_inside(&view, "stop");
    eg_stop_rule *rule = &plan->stop[plan->stop_count++];
    const eg_component *component = eg_view_component(&view, "stop");
    rule->kind = (const eg_stop_kind *)(const void *)component;
    eg_view_numbers(&inside, component, rule->p);
    eg_settings_free(settings);
    return eg_ok();
}

static eg_status read_rules(eg_sweep *sweep, eg_plan *plan, const eg_node *node)
{
    if (node->kind == EG_NODE_SCALAR) {
        return read_rule(sweep, plan, node->text, NULL, node->at);
    }
    for (size_t i = 0; node->kind == EG_NODE_MAP && i < node->count; i++) {
        const eg_entry *entry = &node->entries[i];
        EG_TRY(read_rule(sweep, plan, entry->key, entry->value, entry->at));
    }
    return eg_ok();
}

static eg_status read_stop(eg_sweep *sweep, eg_plan *plan)
{
    const eg_node *node = eg_sweep_key(sweep, "stop");
    bool off = node == NULL || (node->kind == EG_NODE_SCALAR &&
                                (strcmp(node->text, "off") == 0 || node->text[0] == '\0'));
    if (off) {
        return eg_ok();
    }
    if (node->kind != EG_NODE_LIST) {
        return read_rules(sweep, plan, node);
    }
    for (size_t i = 0; i < node->count; i++) {
        EG_TRY(eg_node_expect(node->items[i], EG_NODE_MAP, "an entry of stop"));
        EG_TRY(read_rules(sweep, plan, node->items[i]));
    }
    return eg_ok();
}

/* All of them ------------------------------------------------------------------------------------ */

eg_status eg_plan_read_keys(eg_sweep *sweep, eg_plan *plan)
{
    EG_TRY(read_name(sweep, plan));
    EG_TRY(read_first_seeds(sweep, plan));
    EG_TRY(read_objective(sweep, plan));
    EG_TRY(read_stop(sweep, plan));
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
    EG_TRY(check_objective(sweep, plan));
    EG_TRY(warn_protocol(sweep, plan));
    if (plan->seed_count < SEEDS_WANTED) {
        EG_TRY(eg_sweep_warn(sweep,
                             "%zu seed%s per point: too few for a confidence interval that "
                             "means anything; %d or more are advised",
                             plan->seed_count, plan->seed_count == 1 ? "" : "s",
                             (int)SEEDS_WANTED));
    }
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_kind *kind = plan->stop[i].kind;
        if (kind->needs(plan->stop[i].p) >= plan->seed_count) {
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
