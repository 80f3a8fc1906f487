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
