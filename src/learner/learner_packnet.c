/** PackNet: every task gets some of the weights that earlier ones left free, by pruning.
 *
 *  Task t learns with all weights of the trunk; those that earlier tasks kept are fixed. Then, in
 *  every layer alone, the share `prune` of the weights that were free before it is set to 0: the
 *  round(prune*n) of the n that are smallest by magnitude, the last ones of equal ones. What is
 *  left learns on for retrain_epochs, the last ones of the phase, and is fixed for good. The freed
 *  weights begin the next task at 0. Task t predicts with the weights of tasks up to t, its own
 *  head, and the trunk's biases, scales and shifts, which are fixed after the first task.
 *
 *  Source: Mallya and Lazebnik 2018, arXiv 1711.05769, and its program, arunmallya/packnet. There
 *  the first network is one trained on ImageNet, and pruned once by another share; retraining comes
 *  on top of the epochs of a task; of weights exactly as large as the largest pruned one all go. */
#include "engram/memory.h"
#include "learner/obstacle.h"
#include "learner/subnetwork.h"
#include "learner/task_masks.h"

#include <math.h>
#include <string.h>

typedef struct packnet {
    eg_subnetwork base;
    eg_task_masks masks;
    uint64_t *taken;  /* [words] weights of other tasks, for one call */
    uint64_t *free;   /* [words] the others */
    eg_real *scratch; /* [param_count] */
    double share;
    size_t retrain, epochs; /* of a phase */
} packnet;

static void packnet_free(eg_learner *learner)
{
    packnet *self = (packnet *)learner;
    eg_task_masks_clear(&self->masks);
    eg_free(self->taken);
    eg_free(self->free);
    eg_free(self->scratch);
    eg_subnetwork_clear(&self->base);
    eg_free(self);
}

static bool is_pruned(const packnet *self)
{
    return self->masks.known[self->base.phase] != 0;
}

/* While a task learns, raw weights are what it learns with: pruned ones are 0. */
static void weights(eg_subnetwork *base, size_t task, bool learning, eg_real *theta)
{
    const packnet *self = (const packnet *)base;
    size_t count = base->gradient.net->param_count;
    if (learning || self->masks.known[task] == 0) {
        memcpy(theta, base->raw, count * sizeof *theta);
    } else {
        eg_mask_apply(count, eg_task_mask(&self->masks, task), base->raw, theta);
    }
}

/* Weights of earlier tasks, and pruned ones; after the first task everything that has no mask. */
static void fix(const eg_subnetwork *base, uint8_t *fixed)
{
    const packnet *self = (const packnet *)base;
    const uint64_t *mask = eg_task_mask(&self->masks, base->phase);
    eg_task_masks_fix(&self->masks, base->gradient.net, base->phase, self->taken, fixed);
    for (size_t i = 0; is_pruned(self) && i < self->masks.count; i++) {
        if (!eg_mask_has(mask, i)) {
            fixed[i] = 1;
        }
    }
}

static const eg_subnetwork_rule rule = {.name = "packnet", .weights = weights, .fix = fix};

/* The task's own weights of a block into its mask. */
static void prune_block(packnet *self, const eg_parameter_block *block, uint64_t *mask)
{
    const eg_mask_choice choice = {.block = block,
                                   .among = self->free,
                                   .score = self->base.raw,
                                   .magnitude = true,
                                   .scratch = self->scratch};
    size_t n = eg_mask_candidates(&choice);
    size_t pruned = (size_t)floor(self->share * (double)n + 0.5);
    eg_mask_choose(&choice, n - pruned, mask);
}

static void prune(packnet *self)
{
    const eg_net *net = self->base.gradient.net;
    const eg_task_masks *masks = &self->masks;
    uint64_t *mask = eg_task_mask(masks, self->base.phase);
    (void)eg_task_masks_others(masks, self->base.phase, self->taken);
    for (size_t k = 0; k < masks->words; k++) {
        mask[k] = ~masks->maskable[k] | self->taken[k];
        self->free[k] = ~mask[k];
    }
    for (size_t b = 0; b < net->table.block_count; b++) {
        if (eg_mask_takes(&net->table.blocks[b])) {
            prune_block(self, &net->table.blocks[b], mask);
        }
    }
    eg_mask_apply(masks->count, mask, self->base.raw, self->base.raw);
    masks->known[self->base.phase] = 1;
    eg_subnetwork_changed(&self->base);
}

static eg_status packnet_begin_phase(eg_learner *learner, size_t phase)
{
    packnet *self = (packnet *)learner;
    self->masks.known[phase] = 0; /* of loaded weights: the task is learned anew */
    return eg_subnetwork_begin_phase(learner, phase);
}

static eg_status packnet_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    packnet *self = (packnet *)learner;
    (void)phase;
    *enough = false;
    if (epoch + 1 + self->retrain == self->epochs) {
        prune(self);
    }
    return eg_ok();
}

/* A phase that ended before its time is pruned now. */
static eg_status packnet_end_phase(eg_learner *learner, size_t phase)
{
    packnet *self = (packnet *)learner;
    (void)phase;
    if (!is_pruned(self)) {
        prune(self);
    }
    return eg_ok();
}

static void packnet_write(const eg_learner *learner, eg_writer *writer)
{
    eg_task_masks_write(&((const packnet *)learner)->masks, writer);
    eg_subnetwork_write(learner, writer);
}

static eg_status packnet_read(eg_learner *learner, eg_reader *reader)
{
    EG_TRY(eg_task_masks_read(&((packnet *)learner)->masks, reader));
    return eg_subnetwork_read(learner, reader);
}

static eg_status packnet_weights(eg_learner *learner, eg_weights_pass *pass)
{
    packnet *self = (packnet *)learner;
    EG_TRY(eg_subnetwork_weights(learner, pass));
    EG_TRY(eg_task_masks_weights(&self->masks, pass, self->base.gradient.net, self->base.phase));
    if (pass->into_learner) {
        eg_subnetwork_changed(&self->base);
    }
    return eg_ok();
}

static bool packnet_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    const packnet *self = (const packnet *)learner;
    const eg_gradient_learner *gradient = &self->base.gradient;
    eg_task_masks_capacity(&self->masks, gradient->net, gradient->stream, learned, out);
    return true;
}

static const eg_learner_ops packnet_ops = {
    EG_SUBNETWORK_OPS,
    .free = packnet_free,
    .capacity = packnet_capacity,
    .begin_phase = packnet_begin_phase,
    .step = eg_subnetwork_step,
    .end_epoch = packnet_end_epoch,
    .end_phase = packnet_end_phase,
    .write = packnet_write,
    .read = packnet_read,
    .weights = packnet_weights,
    .freeze = eg_subnetwork_freeze,
};

static eg_status set_up(packnet *self, const eg_view *view, const eg_learner_setup *setup)
{
    self->share = eg_view_real(view, "prune");
    self->retrain = eg_view_size(view, "retrain_epochs");
    self->epochs = setup->shape.epochs;
    if (self->retrain >= self->epochs) {
        return eg_fail_setting(view->prefix, "retrain_epochs",
                               "%sretrain_epochs = %zu are part of the epochs of a phase, and "
                               "stream.epochs = %zu; expected fewer than these",
                               view->prefix, self->retrain, self->epochs);
    }
    EG_TRY(eg_subnetwork_init(&self->base, setup, &rule));
    const eg_net *net = self->base.gradient.net;
    EG_TRY(eg_task_masks_init(&self->masks, net, setup->shape.phases));
    EG_TRY(eg_alloc(&self->taken, self->masks.words, sizeof *self->taken));
    EG_TRY(eg_alloc(&self->free, self->masks.words, sizeof *self->free));
    return eg_alloc(&self->scratch, net->param_count, sizeof *self->scratch);
}

static eg_status packnet_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    packnet *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.gradient.base.ops = &packnet_ops;
    eg_status status = set_up(self, view, setup);
    if (!eg_is_ok(&status)) {
        packnet_free(&self->base.gradient.base);
        return status;
    }
    *out = &self->base.gradient.base;
    return status;
}

static const eg_param params[] = {
    {.name = "prune",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .doc = "share of the weights that were free before a task which are free again after it, in "
            "every layer: T tasks leave prune^T of the network"},
    {.name = "retrain_epochs",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e6,
     .unit = "epochs",
     .doc =
         "the last ones of a phase, for which the weights that a task keeps learn on; a third "
         "of the epochs in the paper. Early stopping around it that keeps one of the last epochs "
         "is to look at no more than these"},
};

const eg_learner_kind eg_learner_packnet = {
    .component = {.name = "packnet",
                  .doc = "every task keeps the largest of the weights that are free and fixes "
                         "them; the others are for later ones",
                  .source = "Mallya and Lazebnik 2018, arXiv 1711.05769",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .own_weights = true,
    .obstacle = eg_obstacle_moving,
    .create = packnet_create,
};
