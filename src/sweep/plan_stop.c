/** The key `stop`: rules by name with their parameters, `off`, or a list of such maps. */
#include "sweep/plan_keys.h"

#include "base/shared/value.h"

#include <string.h>

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

eg_status eg_plan_read_stop(eg_sweep *sweep, eg_plan *plan)
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

eg_status eg_plan_check_stop(const eg_sweep *sweep, const eg_plan *plan)
{
    const eg_node *node = eg_sweep_key(sweep, "stop");
    size_t into_trials = 0;
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_kind *kind = plan->stop[i].kind;
        into_trials += kind->budget != NULL;
        if (into_trials > 1) {
            return eg_fail_at(&node->at,
                              "stop %s: there is another rule that looks into trials; only one can",
                              kind->component.name);
        }
        if (kind->check != NULL) {
            EG_TRY(eg_origin_wrap(kind->check(plan), &node->at));
        }
    }
    return eg_ok();
}
