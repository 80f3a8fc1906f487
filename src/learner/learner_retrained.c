/** Retrained: at the start of each phase but the first, all parameters of any learner's network are
 *  drawn from their initial distributions. In full, running statistics and what the optimizer
 *  remembers begin anew, too; that is learner reset with what = network. In the program of Dohare
 *  et al. 2024, shibhansh/loss-of-plasticity, both stay as they are. */
#include "learner/renewal.h"

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    bool full = eg_view_bool(view, "full");
    ((eg_renewal *)around)->rule = (eg_renewal_rule){
        .what = EG_RENEWED_NETWORK, .keeps_state = !full, .keeps_statistics = !full};
    return eg_renewal_open(around, setup);
}

static eg_status retrained_create(eg_learner **out, const eg_view *view,
                                  const eg_learner_setup *setup)
{
    static const eg_around_method method = EG_RENEWAL_METHOD("retrained", read_settings);
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "full",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "running statistics, the count of updates and what the optimizer remembers begin anew, "
            "too; false: they stay, as in the released program"},
};

const eg_learner_kind eg_learner_retrained = {
    .component = {.name = "retrained",
                  .doc = "any learner; all of its network gets new initial weights when a phase "
                         "starts: what learning from scratch reaches",
                  .source = "Dohare et al. 2024, Nature 632, 768-774, and its program",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    EG_RENEWAL_KIND,
    .takes_positions = true,
    .create = retrained_create,
};
