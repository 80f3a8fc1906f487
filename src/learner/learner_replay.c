/** Experience replay: every minibatch is joined by examples drawn from a reservoir of all that came
 *  before it; the loss is the mean over both.
 *
 *  Source: Chaudhry et al. 2019, "On tiny episodic memories in continual learning", arXiv
 * 1902.10486, algorithm 1 with reservoir sampling: examples are drawn first, then the minibatch is
 * offered to the memory. Drawn with replacement. */
#include "engram/memory.h"
#include "learner/gradient_learner.h"
#include "learner/reservoir.h"

#include <string.h>

typedef struct replay {
    eg_gradient_learner base;
    eg_reservoir memory;
    size_t replayed; /* examples drawn per minibatch */
    uint64_t seed;
    uint32_t *label;   /* [minibatch + replayed] */
    eg_real *x;        /* [minibatch + replayed, features], for minibatches that are not sparse */
    eg_sparse *sparse; /* [minibatch + replayed, features], for those that are; or NULL */
    eg_real *row;      /* [features] */
} replay;

static void replay_free(eg_learner *learner)
{
    replay *self = (replay *)learner;
    eg_reservoir_clear(&self->memory);
    eg_free(self->x);
    eg_free(self->row);
    eg_free(self->label);
    eg_sparse_free(self->sparse);
    eg_gradient_learner_clear(&self->base);
    eg_free(self);
}

/* Lists what differs from the background as row `row`, after the rows before it. */
static void compress(eg_sparse *sparse, size_t row, const eg_real *restrict x)
{
    uint32_t *start = sparse->start + row * sparse->blocks;
    uint32_t n = *start;
    eg_real background = sparse->background;
    for (size_t block = 0; block < sparse->blocks; block++) {
        size_t first = block * sparse->block;
        size_t left = sparse->columns - first;
        size_t end = first + (left < sparse->block ? left : sparse->block);
        for (size_t i = first; i < end; i++) {
            /* Written in any case and kept if it counts: cheaper than an unpredictable branch. */
            sparse->column[n] = (uint32_t)i;
            sparse->value[n] = x[i] - background;
            n += x[i] != background ? 1 : 0;
        }
        start[block + 1] = n;
    }
}

/* Example i of a minibatch, dense. */
static const eg_real *example(replay *self, const eg_batch *batch, size_t i)
{
    size_t features = self->memory.features;
    if (batch->x != NULL) {
        return batch->x + i * features;
    }
    const eg_sparse *sparse = batch->sparse;
    for (size_t k = 0; k < features; k++) {
        self->row[k] = sparse->background;
    }
    for (size_t k = eg_sparse_row(sparse, i); k < eg_sparse_row_end(sparse, i); k++) {
        self->row[sparse->column[k]] = sparse->background + sparse->value[k];
    }
    return self->row;
}

/* The minibatch and what is drawn from memory, in the learner's own arrays. */
static eg_batch join(replay *self, const eg_batch *batch, eg_rng *rng)
{
    size_t features = self->memory.features;
    size_t more = self->memory.seen > 0 ? self->replayed : 0;
    bool is_sparse = batch->sparse != NULL && self->sparse != NULL;
    const eg_active *active = batch->active;
    memcpy(self->label, batch->label, batch->size * sizeof *self->label);
    if (is_sparse) {
        eg_sparse_copy(batch->sparse, self->sparse);
        self->sparse->rows = batch->size + more;
    } else {
        memcpy(self->x, batch->x, batch->size * features * sizeof *self->x);
    }
    for (size_t row = batch->size; row < batch->size + more; row++) {
        size_t drawn = eg_reservoir_draw(&self->memory, rng);
        const eg_real *x = self->memory.x + drawn * features;
        self->label[row] = self->memory.label[drawn];
        if (active != NULL && eg_active_place(active, self->label[row]) == active->count) {
            active = NULL; /* a minibatch that mixes tasks has all outputs */
        }
        if (is_sparse) {
            compress(self->sparse, row, x);
        } else {
            memcpy(self->x + row * features, x, features * sizeof *x);
        }
    }
    return (eg_batch){.size = batch->size + more,
                      .x = is_sparse ? NULL : self->x,
                      .sparse = is_sparse ? self->sparse : NULL,
                      .label = self->label,
                      .task = more > 0 ? EG_NO_TASK : batch->task,
                      .active = active,
                      .phase = batch->phase,
                      .step = batch->step};
}

static eg_status replay_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    replay *self = (replay *)learner;
    if (batch->label == NULL) {
        return eg_fail(EG_INVALID, "learner replay needs classes to learn");
    }
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_LEARNER, self->base.net->step);
    eg_batch joined = join(self, batch, &rng);
    EG_TRY(eg_gradient_learner_step(learner, &joined, out));
    self->base.extra_flops +=
        3.0 * (double)(joined.size - batch->size) * eg_net_flops(self->base.net);
    for (size_t i = 0; i < batch->size; i++) {
        eg_reservoir_offer(&self->memory, &rng, example(self, batch, i), batch->label[i]);
    }
    return eg_ok();
}

static void replay_write(const eg_learner *learner, eg_writer *writer)
{
    eg_gradient_learner_write(learner, writer);
    eg_reservoir_write(&((const replay *)learner)->memory, writer);
}

static eg_status replay_read(eg_learner *learner, eg_reader *reader)
{
    replay *self = (replay *)learner;
    EG_TRY(eg_gradient_learner_read(learner, reader));
    return eg_reservoir_read(&self->memory, self->base.net->outputs, reader);
}

static const eg_learner_ops replay_ops = {
    .free = replay_free,
    .step = replay_step,
    .begin_phase = eg_gradient_learner_begin_phase,
    .predict = eg_gradient_learner_predict,
    .activity = eg_gradient_learner_activity,
    .network = eg_gradient_learner_network,
    .freeze = eg_gradient_learner_freeze,
    .rest = eg_gradient_learner_rest,
    .flops = eg_gradient_learner_flops,
    .extra_flops = eg_gradient_learner_extra_flops,
    .costs = eg_gradient_learner_costs,
    .capacity = eg_gradient_learner_capacity,
    .write = replay_write,
    .read = replay_read,
    .weights = eg_gradient_learner_weights,
};

static eg_status replay_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    size_t features = setup->shape.features;
    replay *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.base.ops = &replay_ops;
    self->replayed = eg_view_size(view, "batch");
    self->seed = setup->seed;
    size_t rows = setup->shape.batch + self->replayed;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_gradient_learner_init(&self->base, setup, rows, false));
    EG_TRY_DONE(status, eg_reservoir_init(&self->memory, eg_view_size(view, "capacity"), features));
    EG_TRY_DONE(status, eg_alloc(&self->x, rows, features * sizeof *self->x));
    EG_TRY_DONE(status, eg_alloc(&self->row, features, sizeof *self->row));
    EG_TRY_DONE(status, eg_alloc(&self->label, rows, sizeof *self->label));
    if (eg_net_takes_sparse(self->base.net)) {
        EG_TRY_DONE(status, eg_sparse_create(&self->sparse, rows, features));
    }
    *out = &self->base.base;
    return status;
done:
    replay_free(&self->base.base);
    return status;
}

static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    return 3.0 * work->forward * work->steps * (double)eg_view_size(view, "batch");
}

static const eg_param params[] = {
    {.name = "capacity",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 1e8,
     .unit = "examples",
     .doc = "size of the memory, a uniform sample of everything learned so far"},
    {.name = "batch",
     .type = EG_TYPE_INT,
     .default_text = "64",
     .min = 1,
     .max = 1e6,
     .unit = "examples",
     .doc = "examples from the memory that join each minibatch"},
};

const eg_learner_kind eg_learner_replay = {
    .component = {.name = "replay",
                  .doc = "experience replay from a reservoir of earlier examples",
                  .source = "Chaudhry et al. 2019, arXiv 1902.10486; Vitter 1985",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .needs_classes = true,
    .create = replay_create,
    .extra_flops = extra_flops,
};
