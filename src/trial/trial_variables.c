/** Which variables a trial records: those of its measures and those of its learner. */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "trial/outline.h"

#include <string.h>

static const eg_variable *const *learner_variables(const eg_component *learner)
{
    static const eg_variable *const none[] = {NULL};
    const eg_variable *const *variables =
        ((const eg_learner_kind *)(const void *)learner)->variables;
    return variables != NULL ? variables : none;
}

/** How deep learners may stand in one another; names of settings do not go deeper. */
enum { NESTED_MAX = EG_PREFIX_SIZE / 3 };

/** The lists of the learner that is chosen and of those inside it whose curves are recorded;
 *  returns how many. */
static size_t chosen_variables(const eg_variable *const *out[NESTED_MAX], const eg_view *root)
{
    eg_view view = *root;
    const char *name = "learner";
    size_t count = 0;
    bool goes_on = true;
    while (goes_on && count < NESTED_MAX) {
        const eg_component *learner = eg_view_component(&view, name);
        out[count++] = learner_variables(learner);
        goes_on = ((const eg_learner_kind *)(const void *)learner)->records_inside;
        view = goes_on ? eg_view_inside(&view, name) : view;
        name = "of";
    }
    return count;
}

static size_t count_of(const eg_variable *const *variables)
{
    size_t count = 0;
    while (variables[count] != NULL) {
        count++;
    }
    return count;
}

/* Whether it is among the first n: learners one inside the other may add the same curve. */
static bool is_listed(const eg_variable *const *list, size_t n, const eg_variable *variable)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == variable) {
            return true;
        }
    }
    return false;
}

eg_status eg_trial_variables(const eg_variable ***out, size_t *count, const eg_settings *settings)
{
    eg_outline outline = eg_outline_of(settings);
    const eg_measure_scope scope = eg_outline_scope(&outline);
    const eg_variable *const *added[NESTED_MAX];
    size_t added_count = chosen_variables(added, &outline.root);
    const eg_measure_kind **kinds = NULL;
    const eg_variable **list = NULL;
    size_t kind_count = 0;
    EG_TRY(eg_measures_list(&kinds, &kind_count, &scope));
    size_t most = 1;
    for (size_t a = 0; a < added_count; a++) {
        most += count_of(added[a]);
    }
    for (size_t k = 0; k < kind_count; k++) {
        most += count_of(kinds[k]->variables);
    }
    eg_status status = eg_alloc(&list, most, sizeof(const eg_variable *));
    size_t n = 0;
    for (size_t k = 0; k < kind_count && status.code == EG_OK; k++) {
        for (const eg_variable *const *v = kinds[k]->variables; *v != NULL; v++) {
            list[n] = *v;
            n += eg_measure_records(kinds[k], &scope, *v) ? 1 : 0;
        }
    }
    for (size_t a = 0; a < added_count && status.code == EG_OK; a++) {
        for (const eg_variable *const *v = added[a]; *v != NULL; v++) {
            list[n] = *v;
            n += is_listed(list, n, *v) ? 0 : 1;
        }
    }
    eg_free(kinds);
    EG_TRY(status);
    list[n] = NULL;
    *out = list;
    *count = n;
    return status;
}

static bool has(const eg_variable *const *variables, const eg_variable *variable)
{
    while (*variables != NULL && *variables != variable) {
        variables++;
    }
    return *variables != NULL;
}

bool eg_trial_records(const eg_settings *settings, const eg_variable *variable)
{
    eg_outline outline = eg_outline_of(settings);
    const eg_measure_scope scope = eg_outline_scope(&outline);
    for (size_t m = 0; m < eg_measure_family.member_count; m++) {
        const eg_component *member = eg_measure_family.members[m];
        const eg_measure_kind *kind = (const eg_measure_kind *)(const void *)member;
        if (has(kind->variables, variable)) {
            return eg_measure_is_chosen(kind, &scope) && eg_measure_records(kind, &scope, variable);
        }
    }
    const eg_variable *const *added[NESTED_MAX];
    size_t added_count = chosen_variables(added, &outline.root);
    bool recorded = false;
    for (size_t a = 0; a < added_count && !recorded; a++) {
        recorded = has(added[a], variable);
    }
    return recorded;
}

static bool lacks_any(const eg_record *record, const eg_measure_kind *kind,
                      const eg_measure_scope *scope)
{
    bool lacks = false;
    for (const eg_variable *const *v = kind->variables; *v != NULL && !lacks; v++) {
        lacks = eg_measure_records(kind, scope, *v) && eg_record_find(record, (*v)->name) == NULL;
    }
    return lacks;
}

bool eg_trial_lacks(const eg_settings *settings, const eg_record *record)
{
    eg_outline outline = eg_outline_of(settings);
    const eg_measure_scope scope = eg_outline_scope(&outline);
    const eg_value *chosen = eg_view_value(&outline.root, "measures");
    bool lacks = false;
    for (size_t i = 0; i < chosen->count && !lacks; i++) {
        const eg_component *member = eg_measure_family.members[chosen->items[i]];
        const eg_measure_kind *kind = (const eg_measure_kind *)(const void *)member;
        lacks = record == NULL ? kind->variables[0] != NULL : lacks_any(record, kind, &scope);
    }
    return lacks;
}

static const eg_variable *find(const eg_variable *const *variables, const char *name)
{
    while (*variables != NULL && strcmp((*variables)->name, name) != 0) {
        variables++;
    }
    return *variables;
}

const eg_variable *eg_trial_variable(const char *name)
{
    const eg_variable *found = NULL;
    for (size_t m = 0; m < eg_measure_family.member_count && found == NULL; m++) {
        const eg_component *member = eg_measure_family.members[m];
        found = find(((const eg_measure_kind *)(const void *)member)->variables, name);
    }
    for (size_t m = 0; m < eg_learner_family.member_count && found == NULL; m++) {
        found = find(learner_variables(eg_learner_family.members[m]), name);
    }
    return found;
}
