/** What learners cannot do with in a network; see learner/obstacle.h. */
#include "learner/obstacle.h"

#include <string.h>

const char *eg_obstacle_moving(size_t count, const eg_node *nodes)
{
    for (size_t i = 0; i < count; i++) {
        const eg_layer *layer = &nodes[i].layer;
        if (layer->buffer_count > 0) {
            return "it has running averages (batch or online normalisation, counts of units), "
                   "which "
                   "every task would move, and old tasks would predict otherwise";
        }
        if (layer->ops->after_update != NULL) {
            return "its layers change weights after an update, also those that old tasks need";
        }
    }
    return NULL;
}

/* Whether setting model.norm is there and chooses something. */
static bool normalises(const eg_view *root)
{
    const eg_component *model = eg_view_component(root, "model");
    const eg_view view = eg_view_inside(root, "model");
    bool has = false;
    for (size_t i = 0; i < model->param_count && !has; i++) {
        has = strcmp(model->params[i].name, "norm") == 0;
    }
    return has && strcmp(eg_view_value(&view, "norm")->text, "none") != 0;
}

eg_status eg_obstacle_refuse(const eg_view *root, const char *name, const char *why)
{
    const char *model = eg_view_component(root, "model")->name;
    if (normalises(root)) {
        const eg_view view = eg_view_inside(root, "model");
        return eg_fail_setting("", "model.norm learner",
                               "learner %s does not go with model = %s, model.norm = %s: %s", name,
                               model, eg_view_value(&view, "norm")->text, why);
    }
    return eg_fail_setting("", "model learner", "learner %s does not go with model = %s: %s", name,
                           model, why);
}

static bool has_obstacles(const eg_learner_kind *kind)
{
    return kind->obstacle != NULL;
}

bool eg_learner_looks_at_nodes(const eg_view *root)
{
    return eg_learner_find(root, "learner", has_obstacles) != NULL;
}

eg_status eg_learner_check_nodes(const eg_view *root, size_t count, const eg_node *nodes)
{
    const eg_component *learner = eg_learner_find(root, "learner", has_obstacles);
    if (learner == NULL) {
        return eg_ok();
    }
    const char *why = ((const eg_learner_kind *)(const void *)learner)->obstacle(count, nodes);
    return why == NULL ? eg_ok() : eg_obstacle_refuse(root, learner->name, why);
}
