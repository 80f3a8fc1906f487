/** A growing ensemble: new members join when a phase begins, and only the newest learn. Those from
 *  before are frozen and go on predicting with them (learner/combination.h).
 *
 *      phase      0            every            2 every
 *      members    add          2 add            3 add
 *      learn      0 … add - 1  add … 2 add - 1
 *
 *  A warm new member is the newest one in all that it remembers, and what is frozen is the copy: so
 *  with add = 1 members are what the learner alone was after each phase, bit for bit. One from
 *  scratch has initial weights of its own. Both see the orders of examples of members 0 to add - 1
 *  of an ensemble. After the first phase it is an ensemble of `add` members.
 *
 *  Every member that learns has room for a minibatch, those that are frozen have not. Curves of the
 *  members are not recorded. */
#include "engram/memory.h"
#include "learner/growing.h"

#include <stdio.h>

/* The order is that of the names. */
typedef enum start { START_WARM, START_SCRATCH } start;

static const char *const start_names[] = {[START_WARM] = "warm", [START_SCRATCH] = "scratch", NULL};

typedef struct growing {
    eg_growing base;
    size_t every;
    start start;
    uint64_t examples; /* learned */
    double learned;    /* operations per forward of these examples, of the members that learned */
} growing;

/* Everything that one remembers, into another one just made. */
static eg_status copy(const eg_learner *from, eg_learner *to)
{
    eg_writer writer = {0};
    from->ops->write(from, &writer);
    eg_status status = eg_writer_status(&writer);
    EG_TRY_DONE(status, status);
    eg_reader reader = eg_reader_make(writer.data, writer.size);
    EG_TRY_DONE(status, to->ops->read(to, &reader));
    status = eg_reader_status(&reader, true);
done:
    eg_writer_clear(&writer);
    return status;
}

static eg_status make(growing *self, size_t slot)
{
    eg_growing *base = &self->base;
    size_t seed = self->start == START_WARM ? slot : base->ensemble.count;
    return eg_growing_make(base, seed, base->setup.member * base->add + slot);
}

/* New members come. `continues`: warm ones begin as the newest. */
static eg_status grow(growing *self, bool continues)
{
    const eg_ensemble *ensemble = &self->base.ensemble;
    for (size_t slot = 0; slot < self->base.add; slot++) {
        EG_TRY(make(self, slot));
        if (continues && self->start == START_WARM) {
            EG_TRY(copy(ensemble->member[ensemble->first + slot],
                        ensemble->member[ensemble->count - 1]));
        }
    }
    eg_growing_freeze(&self->base);
    return eg_ok();
}

static eg_status grow_empty(eg_growing *base)
{
    return grow((growing *)base, false);
}

/* One that was stopped after new members had come is begun again with them. */
static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    growing *self = (growing *)learner;
    if (self->base.ensemble.count < self->base.add * (1 + phase / self->every)) {
        EG_TRY(grow(self, true));
    }
    return eg_ensemble_begin_phase(learner, phase);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    growing *self = (growing *)learner;
    const eg_ensemble *ensemble = &self->base.ensemble;
    for (size_t m = ensemble->first; m < ensemble->count; m++) {
        const eg_learner *member = ensemble->member[m];
        self->learned += (double)batch->size * member->ops->flops(member);
    }
    self->examples += batch->size;
    return eg_ensemble_step(learner, batch, out);
}

/* The first of the members whose counts since the start add up to all: warm ones have taken over
 * those of the members they began as. */
static size_t first_counted(const growing *self)
{
    return self->start == START_WARM ? self->base.ensemble.first : 0;
}

static bool replaced(const eg_learner *learner, double *counts)
{
    const growing *self = (const growing *)learner;
    bool any = false;
    for (size_t m = first_counted(self); m < self->base.ensemble.count; m++) {
        any = eg_learner_replaced(self->base.ensemble.member[m], counts) || any;
    }
    return any;
}

/* Of what is learned, those that are frozen make no forward and backward. */
static double extra_flops(const eg_learner *learner)
{
    const growing *self = (const growing *)learner;
    double all = (double)self->examples * eg_ensemble_flops(learner);
    double sum = 3 * (self->learned - all);
    for (size_t m = first_counted(self); m < self->base.ensemble.count; m++) {
        sum += eg_learner_extra_flops(self->base.ensemble.member[m]);
    }
    return sum;
}

/* All predict; what was done is counted as above. */
static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const growing *self = (const growing *)learner;
    bool counts = true;
    for (size_t m = 0; m < self->base.ensemble.count; m++) {
        eg_learner_costs all = *out;
        counts = eg_learner_add_costs(self->base.ensemble.member[m], &all) && counts;
        if (m < first_counted(self)) {
            out->parameters = all.parameters;
            out->predict_macs = all.predict_macs;
        } else {
            *out = all;
        }
    }
    return counts;
}

static void growing_write(const eg_learner *learner, eg_writer *writer)
{
    const growing *self = (const growing *)learner;
    eg_growing_write(&self->base, writer);
    eg_write_u64(writer, self->examples);
    eg_write_f64(writer, self->learned);
}

static eg_status growing_read(eg_learner *learner, eg_reader *reader)
{
    growing *self = (growing *)learner;
    EG_TRY(eg_growing_read(&self->base, reader, grow_empty));
    self->examples = eg_read_u64(reader);
    self->learned = eg_read_f64(reader);
    return eg_reader_status(reader, false);
}

/* Whether there are arrays of member m. */
static bool has_member(const eg_weights_pass *pass, size_t m)
{
    char group[32];
    (void)snprintf(group, sizeof group, "member%zu", m);
    return eg_growing_has_group(pass, group);
}

/* As many members as there are weights of. */
static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    growing *self = (growing *)learner;
    while (pass->into_learner && has_member(pass, self->base.ensemble.count)) {
        EG_TRY(grow(self, false));
    }
    return eg_ensemble_weights(learner, pass);
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
    .predict = eg_ensemble_predict,
    .scores = eg_ensemble_scores,
    .activity = eg_ensemble_activity,
    .network = eg_ensemble_network,
    .replaced = replaced,
    .epoch_scores = eg_ensemble_epoch_scores,
    .freeze = eg_ensemble_freeze,
    .rest = eg_ensemble_rest,
    .flops = eg_ensemble_flops,
    .extra_flops = extra_flops,
    .costs = costs,
    .write = growing_write,
    .read = growing_read,
    .weights = weights,
};

static eg_status open_all(growing *self, const eg_view *view, const eg_learner_setup *setup)
{
    eg_growing *base = &self->base;
    size_t add = eg_view_size(view, "add");
    self->every = eg_view_size(view, "grow_every");
    self->start = (start)eg_view_name(view, "start");
    EG_TRY(eg_growing_init(base, &ops, (eg_combination)eg_view_name(view, "average"), view, setup,
                           add));
    for (size_t slot = 0; slot < add; slot++) {
        EG_TRY(make(self, slot));
        EG_TRY(eg_ensemble_open_cursor(&base->ensemble, setup, slot, setup->member * add + slot));
    }
    return eg_ok();
}

static eg_status growing_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    growing *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        eg_growing_free(&self->base.ensemble.base);
        return status;
    }
    *out = &self->base.ensemble.base;
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "add",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1000,
     .unit = "members",
     .doc = "it begins with so many, and so many join each time; they alone learn from then on"},
    {.name = "grow_every",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e9,
     .unit = "phases",
     .doc = "new members join when phase number grow_every, 2 grow_every, … begins (the first is "
            "number 0)"},
    {.name = "start",
     .type = EG_TYPE_NAME,
     .default_text = "warm",
     .names = start_names,
     .doc =
         "what new members start as: the newest members, in all that these remember (so "
         "optimizer.restart = phase for fresh optimizers), or with initial weights of their own"},
    EG_COMBINATION_PARAM,
};

static double work_of(const eg_view *view, const eg_learner_work *work)
{
    const double add = (double)eg_view_size(view, "add");
    return (add - 1) * work->ordinary + add * eg_learner_extra_flops_inside(view, work);
}

/* As many members learn all the time; predictions are of all that there are. */
static eg_learner_growth growth_of(const eg_view *view, size_t phase)
{
    const size_t growths = phase / eg_view_size(view, "grow_every");
    return (eg_learner_growth){.train = 1, .predict = 1 + (double)growths};
}

const eg_learner_kind eg_learner_growing_ensemble = {
    .component = {.name = "growing_ensemble",
                  .doc = "an ensemble of any learner that gets new members when a phase begins: "
                         "these alone learn, those from before are frozen and predict with them",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params),
                  .alias = "gens"},
    .uses_task_boundaries = true,
    .grows = true,
    .check = eg_learner_check_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = work_of,
    .growth = growth_of,
    .takes_positions = true,
    .create = growing_create,
};
