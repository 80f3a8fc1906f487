/** Head reset: at the start of each phase but the first, the last layer of any learner's network is
 *  drawn from its initial distribution. What the optimizer remembers stays, as in the program of
 *  Dohare et al. 2024, shibhansh/loss-of-plasticity; learner reset with what = head forgets it. */
#include "learner/renewal.h"

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    ((eg_renewal *)around)->rule = (eg_renewal_rule){
        .what = EG_RENEWED_HEAD, .keeps_state = !eg_view_bool(view, "reset_momentum")};
    return eg_renewal_open(around, setup);
}

static eg_status head_reset_create(eg_learner **out, const eg_view *view,
                                   const eg_learner_setup *setup)
{
    static const eg_around_method method = EG_RENEWAL_METHOD("head_reset", read_settings);
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "reset_momentum",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "the optimizer forgets what it remembers of the last layer, momentum, means and "
            "counts (published: it does not)"},
};

const eg_learner_kind eg_learner_head_reset = {
    .component = {.name = "head_reset",
                  .doc = "any learner; the last layer of its network gets new initial weights when "
                         "a phase starts",
                  .source = "Dohare et al. 2024, Nature 632, 768-774, and its program",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    EG_RENEWAL_KIND,
    .takes_positions = true,
    .create = head_reset_create,
};
