/** Creating and releasing learners; see engram/learner.h. */
#include "engram/learner.h"

eg_status eg_learner_create(eg_learner **out, const eg_learner_setup *setup)
{
    *out = NULL;
    /* A component is the first member of its descriptor. */
    const eg_learner_kind *kind =
        (const eg_learner_kind *)(const void *)eg_view_component(setup->root, "learner");
    eg_view view = eg_view_inside(setup->root, "learner");
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
