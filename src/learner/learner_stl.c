/** Single-task learning: a network for every task, and nothing shared. When a phase begins the one
 *  before is frozen and a new one comes, with initial values of its own; predictions for task t are
 *  those of network t. Of a task that is yet to come they are those of the newest network, which
 *  knows nothing of it.
 *
 *      network t     any learner `of`, as member t of an ensemble starts; it sees phase t of the
 *                    trial's stream, and no other
 *
 *  What its networks do has nothing to do with the order of tasks but for these initial values: it
 *  is the upper reference of accuracy, and the noise floor of what orders change. Of the frozen
 *  ones only that which was asked last has memory for more than its parameters. Curves of the
 *  learners inside are not recorded. */
#include "engram/memory.h"
#include "learner/growing.h"

#include <stdio.h>

typedef struct stl {
    eg_growing base;
    size_t asked; /* the network of the last predict */
} stl;

static eg_learner *newest(const stl *self)
{
    return self->base.ensemble.member[self->base.ensemble.count - 1];
}

/* A network with initial values of its own; the others are frozen. */
static eg_status grow(eg_growing *base)
{
    EG_TRY(eg_growing_make(base, base->ensemble.count, base->setup.member));
    eg_growing_freeze(base);
    return eg_ok();
}

/* One that was stopped after a network had come is begun again with it. */
static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    stl *self = (stl *)learner;
    if (self->base.ensemble.count <= phase) {
        EG_TRY(grow(&self->base));
    }
    if (self->base.ensemble.count != phase + 1) {
        return eg_fail(EG_INVALID,
                       "learner stl: there are networks of %zu tasks when task %zu (from 0) "
                       "begins; a trial can go on with the weights of one task",
                       self->base.ensemble.count, phase);
    }
    return eg_ensemble_begin_phase(learner, phase);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_learner *learns = newest((const stl *)learner);
    return learns->ops->step(learns, batch, out);
}

static eg_status predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    stl *self = (stl *)learner;
    size_t count = self->base.ensemble.count;
    size_t asked = batch->task < count ? batch->task : count - 1;
    if (asked != self->asked) {
        eg_learner_rest(self->base.ensemble.member[self->asked]);
    }
    self->asked = asked;
    eg_learner *own = self->base.ensemble.member[self->asked];
    return own->ops->predict(own, batch, scores);
}

static void activity(const eg_learner *learner, double *out)
{
    const stl *self = (const stl *)learner;
    eg_learner_activity(self->base.ensemble.member[self->asked], out);
}

static double flops(const eg_learner *learner)
{
    const eg_learner *one = newest((const stl *)learner);
    return one->ops->flops(one);
}

/* All are kept, and one predicts. */
static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const stl *self = (const stl *)learner;
    const double others = out->predict_macs;
    bool counts = true;
    for (size_t m = 0; m < self->base.ensemble.count; m++) {
        out->predict_macs = others;
        counts = eg_learner_add_costs(self->base.ensemble.member[m], out) && counts;
    }
    return counts;
}

/* What a network keeps for its own task: all but the heads of the others. */
static bool add_own(const stl *self, size_t task, double *stored)
{
    const eg_learner *own = self->base.ensemble.member[task];
    eg_learner_capacity without = {.stored = 0};
    eg_learner_capacity before = {.stored = 0};
    eg_learner_capacity with = {.stored = 0};
    bool counts = eg_learner_get_capacity(own, 0, &without) &&
                  eg_learner_get_capacity(own, task, &before) &&
                  eg_learner_get_capacity(own, task + 1, &with);
    *stored += without.stored + (with.stored - before.stored);
    return counts;
}

static bool capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    const stl *self = (const stl *)learner;
    double stored = 0;
    bool counts = eg_learner_get_capacity(self->base.ensemble.member[0], learned, out);
    for (size_t t = 0; t < learned && t < self->base.ensemble.count; t++) {
        counts = add_own(self, t, &stored) && counts;
    }
    out->stored = stored;
    return counts;
}

static void stl_write(const eg_learner *learner, eg_writer *writer)
{
    eg_growing_write(&((const stl *)learner)->base, writer);
}

static eg_status stl_read(eg_learner *learner, eg_reader *reader)
{
    return eg_growing_read(&((stl *)learner)->base, reader, grow);
}

static void name_task(char *out, size_t size, size_t task)
{
    (void)snprintf(out, size, "task%03zu", task);
}

/* As many networks as the last task needs of which there are weights. */
static eg_status grow_to(stl *self, const eg_weights_pass *pass)
{
    char group[32];
    for (size_t t = self->base.ensemble.count; t < self->base.setup.shape.phases; t++) {
        name_task(group, sizeof group, t);
        while (eg_growing_has_group(pass, group) && self->base.ensemble.count <= t) {
            EG_TRY(grow(&self->base));
        }
    }
    return eg_ok();
}

/* The weights of a task that was forgotten are not there: its network stays as it is made. */
static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    stl *self = (stl *)learner;
    char group[32];
    EG_TRY(pass->into_learner ? grow_to(self, pass) : eg_ok());
    for (size_t m = 0; m < self->base.ensemble.count; m++) {
        name_task(group, sizeof group, m);
        bool forgotten = pass->into_learner && self->base.ensemble.count > 1 &&
                         !eg_growing_has_group(pass, group);
        EG_TRY(forgotten ? eg_ok() : eg_ensemble_weights_of(&self->base.ensemble, m, group, pass));
    }
    return eg_ok();
}

static const eg_learner_ops ops = {
    .free = eg_growing_free,
    .begin_phase = begin_phase,
    .begin_phase_polls = eg_ensemble_begin_phase_polls,
    .step = step,
    .end_epoch = eg_ensemble_end_epoch,
    .end_epoch_polls = eg_ensemble_end_epoch_polls,
    .end_phase = eg_ensemble_end_phase,
    .end_phase_polls = eg_ensemble_end_phase_polls,
    .predict = predict,
    .activity = activity,
    .network = eg_ensemble_network,
    .replaced = eg_ensemble_replaced,
    .epoch_scores = eg_ensemble_epoch_scores,
    .freeze = eg_ensemble_freeze,
    .rest = eg_ensemble_rest,
    .flops = flops,
    .extra_flops = eg_ensemble_extra_flops,
    .costs = costs,
    .capacity = capacity,
    .write = stl_write,
    .read = stl_read,
    .weights = weights,
};

/* Predictions are of one network: how several would predict together does not matter. */
static eg_status open_all(stl *self, const eg_view *view, const eg_learner_setup *setup)
{
    EG_TRY(eg_growing_init(&self->base, &ops, EG_COMBINATION_SCORES, view, setup, 1));
    return eg_growing_make(&self->base, 0, setup->member);
}

static eg_status stl_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    stl *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        eg_growing_free(&self->base.ensemble.base);
        return status;
    }
    *out = &self->base.ensemble.base;
    return status;
}

static const eg_param params[] = {EG_LEARNER_OF};

const eg_learner_kind eg_learner_stl = {
    .component = {.name = "stl",
                  .doc =
                      "single-task learning: any learner, a new one for every task; each predicts "
                      "for its own task, and the others are frozen",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .grows = true,
    .check = eg_learner_check_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .create = stl_create,
};
