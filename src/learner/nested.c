/** For learners around another one; see the end of engram/learner.h. */
#include "engram/learner.h"

#include <math.h>
#include <string.h>

/* A component is the first member of its descriptor. */
static const eg_learner_kind *kind_of(const eg_view *view)
{
    return (const eg_learner_kind *)(const void *)eg_view_component(view, "of");
}

bool eg_learner_uses(const eg_learner_kind *kind, const char *setting)
{
    bool uses = true;
    for (size_t i = 0; kind->unused != NULL && kind->unused[i] != NULL && uses; i++) {
        uses = strcmp(kind->unused[i], setting) != 0;
    }
    return uses;
}

eg_status eg_learner_create_inside(eg_learner **out, const eg_view *view,
                                   const eg_learner_setup *setup)
{
    *out = NULL;
    eg_view inside = eg_view_inside(view, "of");
    return kind_of(view)->create(out, &inside, setup);
}

eg_status eg_learner_check_inside(const eg_view *view)
{
    eg_view inside = eg_view_inside(view, "of");
    return kind_of(view)->check != NULL ? kind_of(view)->check(&inside) : eg_ok();
}

static bool grows(const eg_learner_kind *kind)
{
    return kind->grows;
}

static bool reshapes(const eg_learner_kind *kind)
{
    return kind->reshapes;
}

eg_status eg_learner_check_followed_inside(const eg_view *view)
{
    const char *name = kind_of(view)->component.name;
    const eg_component *growing = eg_learner_find(view, "of", grows);
    if (!eg_learner_uses(kind_of(view), "model")) {
        return eg_fail_setting(view->prefix, "of", "%sof = %s: learner %s has no network",
                               view->prefix, name, name);
    }
    if (growing != NULL) {
        return eg_fail_setting(view->prefix, "of",
                               "%sof = %s: the networks of %s become more, and the learner around "
                               "it would not know; put that one inside %s",
                               view->prefix, name, growing->name, growing->name);
    }
    return eg_learner_check_inside(view);
}

eg_status eg_learner_check_network_inside(const eg_view *view)
{
    const char *name = kind_of(view)->component.name;
    const eg_component *other = eg_learner_find(view, "of", reshapes);
    if (other != NULL) {
        return eg_fail_setting(view->prefix, "of",
                               "%sof = %s: the network of %s changes its shape, and the learner "
                               "around it would not know; early_stopping does",
                               view->prefix, name, other->name);
    }
    return eg_learner_check_followed_inside(view);
}

bool eg_learner_needs_held_out_inside(const eg_view *view)
{
    eg_view inside = eg_view_inside(view, "of");
    return kind_of(view)->needs_held_out != NULL && kind_of(view)->needs_held_out(&inside);
}

double eg_learner_extra_flops_inside(const eg_view *view, const eg_learner_work *work)
{
    eg_view inside = eg_view_inside(view, "of");
    return kind_of(view)->extra_flops != NULL ? kind_of(view)->extra_flops(&inside, work) : 0;
}

eg_status eg_learner_begin_phase(eg_learner *learner, size_t phase)
{
    return learner->ops->begin_phase != NULL ? learner->ops->begin_phase(learner, phase) : eg_ok();
}

size_t eg_learner_begin_phase_polls(const eg_learner *learner, size_t phase)
{
    return learner->ops->begin_phase_polls != NULL ? learner->ops->begin_phase_polls(learner, phase)
                                                   : 0;
}

eg_status eg_learner_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    return learner->ops->end_epoch != NULL ? learner->ops->end_epoch(learner, phase, epoch, enough)
                                           : eg_ok();
}

size_t eg_learner_end_epoch_polls(const eg_learner *learner, size_t phase)
{
    return learner->ops->end_epoch_polls != NULL ? learner->ops->end_epoch_polls(learner, phase)
                                                 : 0;
}

eg_status eg_learner_end_phase(eg_learner *learner, size_t phase)
{
    return learner->ops->end_phase != NULL ? learner->ops->end_phase(learner, phase) : eg_ok();
}

size_t eg_learner_end_phase_polls(const eg_learner *learner, size_t phase)
{
    return learner->ops->end_phase_polls != NULL ? learner->ops->end_phase_polls(learner, phase)
                                                 : 0;
}

eg_status eg_learner_declare(eg_learner *learner, eg_record *record, size_t evals)
{
    return learner->ops->declare != NULL ? learner->ops->declare(learner, record, evals) : eg_ok();
}

eg_status eg_learner_measure(eg_learner *learner, eg_record *record, size_t eval)
{
    return learner->ops->measure != NULL ? learner->ops->measure(learner, record, eval) : eg_ok();
}

void eg_learner_freeze(eg_learner *learner)
{
    if (learner->ops->freeze != NULL) {
        learner->ops->freeze(learner);
    }
}

void eg_learner_rest(eg_learner *learner)
{
    if (learner->ops->rest != NULL) {
        learner->ops->rest(learner);
    }
}

double eg_learner_extra_flops(const eg_learner *learner)
{
    return learner->ops->extra_flops != NULL ? learner->ops->extra_flops(learner) : 0;
}

eg_scores eg_learner_scores(const eg_learner *learner)
{
    return learner->ops->scores != NULL ? learner->ops->scores(learner) : EG_SCORES_LOGITS;
}

void eg_learner_activity(const eg_learner *learner, double *out)
{
    for (size_t i = 0; i < learner->hidden_layers; i++) {
        out[i] = (double)NAN;
    }
    if (learner->ops->activity != NULL) {
        learner->ops->activity(learner, out);
    }
}

bool eg_learner_replaced(const eg_learner *learner, double *counts)
{
    return learner->ops->replaced != NULL && learner->ops->replaced(learner, counts);
}

const double *eg_learner_epoch_scores(const eg_learner *learner, size_t index, size_t *count)
{
    *count = 0;
    return learner->ops->epoch_scores != NULL ? learner->ops->epoch_scores(learner, index, count)
                                              : NULL;
}

bool eg_learner_add_costs(const eg_learner *learner, eg_learner_costs *out)
{
    return learner->ops->costs != NULL && learner->ops->costs(learner, out);
}

bool eg_learner_get_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    return learner->ops->capacity != NULL && learner->ops->capacity(learner, learned, out);
}

eg_status eg_learner_needs_network(eg_learner *learner, const char *around)
{
    eg_learner_network first;
    if (learner->ops->network == NULL || !learner->ops->network(learner, 0, &first)) {
        return eg_fail(EG_INVALID, "learner %s: the learner inside has no network", around);
    }
    return eg_ok();
}
