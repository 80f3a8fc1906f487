/** Creating and releasing learners; see engram/learner.h. */
#include "engram/learner.h"

#include "engram/loss.h"

#include <string.h>

static bool is_around_another(const eg_component *learner)
{
    bool around = false;
    for (size_t i = 0; i < learner->param_count && !around; i++) {
        around = strcmp(learner->params[i].name, "of") == 0;
    }
    return around;
}

static bool needs_classes(const eg_learner_kind *kind)
{
    return kind->needs_classes;
}

static bool has_no_network(const eg_learner_kind *kind)
{
    return !eg_learner_uses(kind, "model");
}

static bool uses_task_ids(const eg_learner_kind *kind)
{
    return kind->uses_task_ids;
}

const eg_component *eg_learner_find(const eg_view *view, const char *name,
                                    bool (*is)(const eg_learner_kind *kind))
{
    const eg_component *learner = eg_view_component(view, name);
    if (is((const eg_learner_kind *)(const void *)learner)) {
        return learner;
    }
    eg_view inside = eg_view_inside(view, name);
    return is_around_another(learner) ? eg_learner_find(&inside, "of", is) : NULL;
}

eg_learner_growth eg_learner_growth_of(const eg_view *view, const char *name, size_t phase)
{
    const eg_component *component = eg_view_component(view, name);
    const eg_learner_kind *kind = (const eg_learner_kind *)(const void *)component;
    const eg_view inside = eg_view_inside(view, name);
    eg_learner_growth growth = {.train = 1, .predict = 1};
    if (is_around_another(component)) {
        growth = eg_learner_growth_of(&inside, "of", phase);
    }
    if (kind->growth != NULL) {
        const eg_learner_growth own = kind->growth(&inside, phase);
        growth.train *= own.train;
        growth.predict *= own.predict;
        growth.begin += own.begin;
    }
    return growth;
}

eg_status eg_learner_check_targets(const eg_view *root, bool regression)
{
    const eg_component *learner = eg_learner_find(root, "learner", needs_classes);
    const eg_component *loss = eg_view_component(root, "loss");
    if (regression && learner != NULL) {
        return eg_fail_setting("", "learner stream",
                               "learner %s needs classes, and the stream has targets",
                               learner->name);
    }
    if (regression && !((const eg_loss *)(const void *)loss)->takes_targets) {
        return eg_fail_setting(
            "", "loss stream",
            "loss = %s needs classes, and the stream has targets (try squared_error)", loss->name);
    }
    return eg_ok();
}

eg_status eg_learner_check_outputs(const eg_view *root, bool changes)
{
    const eg_component *learner = eg_learner_find(root, "learner", has_no_network);
    return !changes || learner == NULL
               ? eg_ok()
               : eg_fail_setting("", "learner stream",
                                 "learner %s has no network, and stream = %s changes the outputs "
                                 "of the network when a phase begins",
                                 learner->name, eg_view_component(root, "stream")->name);
}

eg_status eg_learner_check_tasks(const eg_view *root, bool tells, bool tasks_are_phases)
{
    const eg_component *learner = eg_learner_find(root, "learner", uses_task_ids);
    const char *stream = eg_view_component(root, "stream")->name;
    if (learner != NULL && !tells) {
        return eg_fail_setting("", "learner stream",
                               "learner %s predicts for a task that it is told, and stream = %s "
                               "does not tell it (split: use stream.active = task)",
                               learner->name, stream);
    }
    return learner == NULL || tasks_are_phases
               ? eg_ok()
               : eg_fail_setting("", "learner stream",
                                 "learner %s learns a task in every phase, and stream = %s teaches "
                                 "several in one",
                                 learner->name, stream);
}

static bool has_one_position(const eg_learner_kind *kind)
{
    return !kind->takes_positions;
}

eg_status eg_learner_check_positions(const eg_view *root, size_t positions)
{
    const eg_component *learner = eg_learner_find(root, "learner", has_one_position);
    return positions <= 1 || learner == NULL
               ? eg_ok()
               : eg_fail_setting("", "learner stream",
                                 "learner %s learns examples with one label, and those of stream = "
                                 "%s have %zu",
                                 learner->name, eg_view_component(root, "stream")->name, positions);
}

static bool uses_boundaries(const eg_learner_kind *kind)
{
    return kind->uses_task_boundaries;
}

eg_status eg_learner_check_boundaries(const eg_view *root, bool hidden)
{
    const eg_component *learner = eg_learner_find(root, "learner", uses_boundaries);
    return !hidden || learner == NULL
               ? eg_ok()
               : eg_fail_setting("", "learner stream",
                                 "learner %s does something where a task begins or ends, and "
                                 "stream = %s announces no such boundary",
                                 learner->name, eg_view_component(root, "stream")->name);
}

eg_status eg_learner_create(eg_learner **out, const eg_learner_setup *setup)
{
    *out = NULL;
    /* A component is the first member of its descriptor. */
    const eg_learner_kind *kind =
        (const eg_learner_kind *)(const void *)eg_view_component(setup->root, "learner");
    eg_view view = eg_view_inside(setup->root, "learner");
    EG_TRY(eg_learner_check_targets(setup->root, setup->shape.regression));
    EG_TRY(eg_learner_check_outputs(setup->root, setup->shape.changes_outputs));
    EG_TRY(eg_learner_check_positions(setup->root, setup->shape.positions));
    EG_TRY(eg_learner_check_tasks(setup->root, setup->shape.tells_task,
                                  setup->shape.tasks_are_phases));
    return kind->create(out, &view, setup);
}

void eg_learner_free(eg_learner *learner)
{
    if (learner != NULL) {
        learner->ops->free(learner);
    }
}

eg_status eg_learner_weights(eg_learner *learner, eg_weights_pass *pass)
{
    if (learner->ops->weights == NULL) {
        return eg_fail(EG_INVALID, "this learner has no weights that could be saved or loaded");
    }
    return learner->ops->weights(learner, pass);
}

static eg_status pass_over(eg_learner *learner, eg_weights *weights, bool into_learner)
{
    eg_weights_pass pass = {.weights = weights, .into_learner = into_learner};
    return eg_learner_weights(learner, &pass);
}

eg_status eg_learner_get_weights(eg_weights *out, eg_learner *learner)
{
    *out = (eg_weights){0};
    eg_status status = pass_over(learner, out, false);
    if (!eg_is_ok(&status)) {
        eg_weights_clear(out);
    }
    return status;
}

static eg_status fill_all(eg_learner *learner, eg_weights *weights)
{
    for (size_t i = 0; i < weights->count; i++) {
        weights->arrays[i].used = false;
    }
    EG_TRY(pass_over(learner, weights, true));
    for (size_t i = 0; i < weights->count; i++) {
        if (!weights->arrays[i].used) {
            return eg_fail(EG_INVALID, "there is %s, which this learner does not have",
                           weights->arrays[i].name);
        }
    }
    return eg_ok();
}

eg_status eg_learner_set_weights(eg_learner *learner, eg_weights *weights)
{
    return eg_status_wrap(fill_all(learner, weights), "%s",
                          weights->source != NULL ? weights->source : "the weights");
}

eg_status eg_learner_forget(eg_learner *learner, size_t task)
{
    if (learner->ops->forget == NULL) {
        return eg_fail(EG_INVALID,
                       "this learner cannot forget a task: it keeps nothing that is of one alone");
    }
    return learner->ops->forget(learner, task);
}
