/** An ensemble: several learners of any kind, each with initial weights and an order of examples of
 *  its own, that predict together (learner/combination.h). Member m is what the learner would be
 *  alone with the seed and the order of examples of member m; those of member 0 are the trial's, so
 *  an ensemble of one is that learner.
 *
 *  Curves of the members are not recorded: a curve of a learner is of one network, and has no
 *  dimension for members. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/ensemble.h"

static void ensemble_free(eg_learner *learner)
{
    eg_ensemble_clear((eg_ensemble *)learner);
    eg_free(learner);
}

static void ensemble_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_ensemble *self = (const eg_ensemble *)learner;
    eg_ensemble_write_ends(self, writer);
    for (size_t m = 0; m < self->count; m++) {
        eg_ensemble_write_member(self, m, writer);
    }
}

static eg_status ensemble_read(eg_learner *learner, eg_reader *reader)
{
    eg_ensemble *self = (eg_ensemble *)learner;
    EG_TRY(eg_ensemble_read_ends(self, reader));
    for (size_t m = 0; m < self->count; m++) {
        EG_TRY(eg_ensemble_read_member(self, m, reader));
    }
    return eg_ok();
}

static const eg_learner_ops ops = {
    .free = ensemble_free,
    .begin_phase = eg_ensemble_begin_phase,
    .begin_phase_polls = eg_ensemble_begin_phase_polls,
    .step = eg_ensemble_step,
    .end_epoch = eg_ensemble_end_epoch,
    .end_epoch_polls = eg_ensemble_end_epoch_polls,
    .end_phase = eg_ensemble_end_phase,
    .end_phase_polls = eg_ensemble_end_phase_polls,
    .predict = eg_ensemble_predict,
    .scores = eg_ensemble_scores,
    .activity = eg_ensemble_activity,
    .network = eg_ensemble_network,
    .replaced = eg_ensemble_replaced,
    .epoch_scores = eg_ensemble_epoch_scores,
    .freeze = eg_ensemble_freeze,
    .rest = eg_ensemble_rest,
    .flops = eg_ensemble_flops,
    .extra_flops = eg_ensemble_extra_flops,
    .costs = eg_ensemble_costs,
    .write = ensemble_write,
    .read = ensemble_read,
    .weights = eg_ensemble_weights,
};

static eg_status open_all(eg_ensemble *self, const eg_view *view, const eg_learner_setup *setup)
{
    size_t members = eg_view_size(view, "members");
    eg_combination average = (eg_combination)eg_view_name(view, "average");
    EG_TRY(eg_ensemble_init(self, &ops, average, setup, members));
    for (size_t m = 0; m < members; m++) {
        /* Members of members have orders of their own. */
        size_t order = setup->member * members + m;
        EG_TRY(eg_ensemble_add(self, view, setup, eg_member_seed(setup->seed, m), order));
        EG_TRY(eg_ensemble_open_cursor(self, setup, m, order));
    }
    return eg_ok();
}

static eg_status ensemble_create(eg_learner **out, const eg_view *view,
                                 const eg_learner_setup *setup)
{
    eg_ensemble *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        ensemble_free(&self->base);
        return status;
    }
    *out = &self->base;
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "members",
     .type = EG_TYPE_INT,
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .doc = "how many; each has initial weights and an order of examples of its own"},
    EG_COMBINATION_PARAM,
};

static double work_of(const eg_view *view, const eg_learner_work *work)
{
    double members = (double)eg_view_size(view, "members");
    return (members - 1) * work->ordinary + members * eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_ensemble = {
    .component = {.name = "ensemble",
                  .doc = "several learners that predict together, each with initial weights and an "
                         "order of examples of its own; curves of a member are not recorded",
                  .source = "Lakshminarayanan et al. 2017, arXiv 1612.01474",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .check = eg_learner_check_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = work_of,
    .takes_positions = true,
    .create = ensemble_create,
};
