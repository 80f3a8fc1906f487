/** Reset: at the start of each phase but the first, a part of the network of any learner gets new
 *  initial values, and the optimizer fresh state for it. */
#include "learner/renewal.h"

static const char *const what_names[] = {[EG_RENEWED_HEAD] = "head",
                                         [EG_RENEWED_NEW_OUTPUTS] = "new_outputs",
                                         [EG_RENEWED_NETWORK] = "network",
                                         NULL};

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    ((eg_renewal *)around)->rule.what = (eg_renewed)eg_view_name(view, "what");
    return eg_renewal_open(around, setup);
}

static eg_status reset_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = EG_RENEWAL_METHOD("reset", read_settings);
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "what",
     .type = EG_TYPE_NAME,
     .default_text = "head",
     .names = what_names,
     .doc =
         "what starts anew: the last layer (head); of it the outputs that become active with the "
         "phase, as stream.active says (new_outputs: a growing head); or all of the network, which "
         "papers call reset all, retrained or trained from scratch"},
};

const eg_learner_kind eg_learner_reset = {
    .component = {.name = "reset",
                  .doc = "any learner; a part of its network gets new initial weights, and fresh "
                         "optimizer state, when a phase starts",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    EG_RENEWAL_KIND,
    .takes_positions = true,
    .create = reset_create,
};
