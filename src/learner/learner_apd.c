/** Additive parameter decomposition; see learner/apd.h. One network holds the effective weights of
 *  whichever task learns or is asked for; all of a task's are put together anew when that, or what
 *  they are made of, has changed. */
#include "engram/memory.h"
#include "learner/apd.h"
#include "learner/apd_proximal.h"
#include "learner/capacity.h"
#include "learner/obstacle.h"

#include <math.h>
#include <string.h>

static const char *const l1_names[] = {
    [EG_APD_SUBGRADIENT] = "subgradient", [EG_APD_PROXIMAL] = "proximal", NULL};
static const char *const start_names[] = {
    [EG_APD_FROM_SIGMA] = "sigma", [EG_APD_FROM_ZERO] = "zero", NULL};
static const char *const first_names[] = {
    [EG_APD_FIRST_MASKED] = "masked", [EG_APD_FIRST_PLAIN] = "plain", NULL};
static const char *const centre_names[] = {
    [EG_APD_MIDPOINT] = "midpoint", [EG_APD_MEAN] = "mean", NULL};

static void apd_free(eg_learner *learner)
{
    eg_apd *self = (eg_apd *)learner;
    eg_apd_close_learning(self);
    for (size_t t = 0; self->task != NULL && t < self->phases; t++) {
        self->task[t].plane = EG_APD_NONE;
        eg_apd_drop(self, t);
    }
    for (size_t p = 0; self->groups != NULL && p < self->layout.part_count; p++) {
        eg_apd_groups_clear(&self->groups[p], self->phases);
    }
    eg_free(self->task);
    eg_free(self->groups);
    eg_free(self->all);
    eg_free(self->start);
    eg_free(self->scratch);
    eg_apd_layout_clear(&self->layout);
    eg_gradient_learner_clear(&self->base);
    eg_free(self);
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    eg_apd *self = (eg_apd *)learner;
    return eg_apd_begin(self, phase, eg_stream_phase(self->base.stream, phase).steps);
}

static eg_status end_phase(eg_learner *learner, size_t phase)
{
    (void)phase;
    return eg_apd_end((eg_apd *)learner);
}

/* Operations of the retroactive term per weight of an old task: theta 3, e 2, the gradient of sigma
 * 2, of the mask 2, of tau 2. What is done once for all weights of the network does not count, as
 * elsewhere updates and penalties do not. */
enum { RETROACTIVE_FLOPS = 11 };

static double retroactive_flops(const eg_apd *self)
{
    size_t old = 0;
    for (size_t t = 0; self->settings.retroactive && t < self->phases; t++) {
        old += self->task[t].known && t != self->current ? 1 : 0;
    }
    double weights = (double)eg_trunk_size(self->base.net, EG_ROLE_WEIGHT);
    return RETROACTIVE_FLOPS * (double)old * weights;
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    eg_apd *self = (eg_apd *)learner;
    eg_gradient_learner *base = &self->base;
    eg_apd_show(self, self->current, true);
    out->outputs = eg_net_forward(base->net, base->training, EG_MODE_TRAIN, batch->size, batch->x,
                                  batch->sparse);
    out->loss = eg_gradient_learner_loss(base, batch, out->outputs);
    if (isfinite(out->loss)) {
        const eg_gradient_consumer consumer = eg_apd_update_begin(self);
        eg_net_backward(base->net, base->training, base->dy, &consumer);
        eg_apd_update_end(self);
        eg_net_updated(base->net, base->training);
        base->learned += batch->size;
        base->extra_flops += retroactive_flops(self);
    }
    return eg_ok();
}

/* What is selected while a task is learned is its network as it is; what is tested has lost the
 * small numbers. */
static eg_status predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_apd *self = (eg_apd *)learner;
    size_t task = batch->task < self->phases ? batch->task : self->current;
    eg_apd_show(self, task, self->learning && task == self->current);
    return eg_gradient_learner_predict(learner, batch, scores);
}

/* Whoever looks at it sees the task that is learned, or was last, whatever was asked for before. */
static bool network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    eg_apd *self = (eg_apd *)learner;
    eg_apd_show(self, self->current, self->learning);
    return eg_gradient_learner_network(learner, index, out);
}

static eg_status forget(eg_learner *learner, size_t task)
{
    return eg_apd_forget((eg_apd *)learner, task);
}

static const eg_learner_ops apd_ops = {
    .free = apd_free,
    .begin_phase = begin_phase,
    .step = step,
    .end_phase = end_phase,
    .predict = predict,
    .activity = eg_gradient_learner_activity,
    .declare = eg_apd_declare,
    .measure = eg_apd_measure,
    .network = network,
    .flops = eg_gradient_learner_flops,
    .extra_flops = eg_gradient_learner_extra_flops,
    .costs = eg_gradient_learner_costs,
    .capacity = eg_apd_capacity,
    .write = eg_apd_write,
    .read = eg_apd_read,
    .weights = eg_apd_weights,
    .forget = forget,
};

static eg_apd_settings read_settings(const eg_view *view)
{
    return (eg_apd_settings){
        .retroactive = eg_view_bool(view, "retroactive"),
        .masks = eg_view_bool(view, "masks"),
        .retro_masks = eg_view_bool(view, "retro_masks"),
        .freeze_shared = eg_view_bool(view, "freeze_shared"),
        .lambda1 = eg_view_real(view, "lambda1"),
        .lambda2 = eg_view_real(view, "lambda2"),
        .weight_decay = eg_view_real(view, "weight_decay"),
        .mask_l1 = eg_view_real(view, "mask_l1"),
        .beta = eg_view_real(view, "beta"),
        .l1 = (eg_apd_l1)eg_view_name(view, "l1"),
        .tau_start = (eg_apd_start)eg_view_name(view, "tau_start"),
        .first_task = (eg_apd_first)eg_view_name(view, "first_task"),
        .centre = (eg_apd_centre)eg_view_name(view, "centre"),
        .every = eg_view_size(view, "consolidate_every"),
        .centroids = eg_view_size(view, "centroids"),
    };
}

static eg_status check(const eg_view *view)
{
    const eg_view root = eg_settings_root(view->settings);
    const eg_view optimizer = eg_view_inside(&root, "optimizer");
    const char *prefix = view->prefix;
    if (eg_view_real(&optimizer, "weight_decay") > 0) {
        return eg_fail_setting("", "optimizer.weight_decay learner",
                               "optimizer.weight_decay = %g: learner apd decays some of what it "
                               "learns by %sweight_decay; expected 0",
                               eg_view_real(&optimizer, "weight_decay"), prefix);
    }
    return eg_view_name(view, "l1") == EG_APD_PROXIMAL ? eg_apd_proximal_check(&root, prefix)
                                                       : eg_ok();
}

/* Parameters belong to one task, or are shared in one way. */
static const char *obstacle_in(size_t count, const eg_node *nodes)
{
    const char *why = eg_obstacle_moving(count, nodes);
    for (size_t i = 0; i < count && why == NULL; i++) {
        why = nodes[i].shared ? "it has layers with the same parameters" : NULL;
    }
    return why;
}

static eg_status open_all(eg_apd *self, const eg_view *view, const eg_learner_setup *setup)
{
    self->settings = read_settings(view);
    self->root = *setup->root;
    self->seed = setup->seed;
    self->profile = setup->profile;
    self->phases = setup->shape.phases;
    self->current = EG_APD_NONE;
    self->shown = EG_APD_NONE;
    EG_TRY(eg_gradient_learner_init(&self->base, setup, setup->shape.batch, false));
    /* Its own is of other parameters. */
    eg_optimizer_free(self->base.optimizer);
    self->base.optimizer = NULL;
    EG_TRY(eg_learner_check_nodes(setup->root, self->base.net->node_count, self->base.net->nodes));
    EG_TRY(eg_apd_layout_init(&self->layout, self->base.net));
    const eg_apd_layout *layout = &self->layout;
    size_t most = layout->own > layout->units ? layout->own : layout->units;
    EG_TRY(eg_alloc(&self->scratch, most, sizeof *self->scratch));
    EG_TRY(eg_alloc(&self->start, layout->own, sizeof *self->start));
    eg_apd_own_get(layout, NULL, self->base.net->params, self->start);
    EG_TRY(eg_alloc(&self->task, self->phases, sizeof *self->task));
    for (size_t t = 0; t < self->phases; t++) {
        self->task[t].plane = EG_APD_NONE;
    }
    EG_TRY(eg_alloc(&self->groups, layout->part_count, sizeof *self->groups));
    EG_TRY(eg_apd_resize(self, 0));
    for (size_t p = 0; p < layout->part_count; p++) {
        const eg_parameter_block *block = layout->parts[p].block;
        memcpy(self->all + layout->parts[p].at, self->base.net->params + block->offset,
               block->count * sizeof *self->all);
        EG_TRY(eg_apd_groups_init(&self->groups[p], self->phases));
    }
    return eg_ok();
}

static eg_status apd_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    EG_TRY(check(view));
    eg_apd *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.base.ops = &apd_ops;
    eg_status status = open_all(self, view, setup);
    if (!eg_is_ok(&status)) {
        apd_free(&self->base.base);
        return status;
    }
    *out = &self->base.base;
    return status;
}

/* Half as many old tasks as tasks, in the mean. A weight takes two operations of a forward, more in
 * convolutions. */
static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    double old = eg_view_bool(view, "retroactive") ? (work->phases - 1) / 2 : 0;
    return work->steps * RETROACTIVE_FLOPS * old * work->forward / 2;
}

static const eg_param params[] = {
    {.name = "retroactive",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc =
         "old tasks keep their effective weights while the shared ones change: their own weights "
         "and masks learn, too (objective 2); false: these stay, and the shared weights are "
         "held where they were (objective 1, APD-Fixed)"},
    {.name = "lambda1",
     .type = EG_TYPE_REAL,
     .default_text = "4e-4",
     .min = 0,
     .max = INFINITY,
     .doc = "factor of the L1 term of the tasks' own weights; what is not above it is left out in "
            "tests and in capacity"},
    {.name = "lambda2",
     .type = EG_TYPE_REAL,
     .default_text = "100",
     .min = 0,
     .max = INFINITY,
     .doc = "factor of half the squared change of effective weights of old tasks or, without "
            "retroactive, of shared weights"},
    {.name = "freeze_shared",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc = "shared weights do not change after the first task, as if lambda2 were infinite "
            "without retroactive: old tasks predict what they did"},
    {.name = "weight_decay",
     .type = EG_TYPE_REAL,
     .default_text = "1e-4",
     .min = 0,
     .max = INFINITY,
     .doc = "factor of half the squares of the current task's own weights and mask parameters, and "
            "of shared weights in the first task"},
    {.name = "mask_l1",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "factor of the L1 term of the current task's mask parameters"},
    {.name = "l1",
     .type = EG_TYPE_NAME,
     .default_text = "subgradient",
     .names = l1_names,
     .doc = "the L1 term as part of the gradient, or as a step of its own after the update, "
            "tau <- sign(tau) max(0, |tau| - lambda1 s), where s is how far the optimizer moves "
            "that weight per gradient: lr/(sqrt(v') + epsilon) with adam (lr alone would do next "
            "to nothing). The weights of old tasks are spared in the first update of a task, "
            "where v' is 0 and all would go (proximal)"},
    {.name = "masks",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .added_later = true,
     .doc = "tasks see the shared weights through masks of their own; false: as they are, M = 1 (a "
            "task then starts with twice these weights, or with tau_start = zero with these)"},
    {.name = "retro_masks",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc = "retroactive: masks of old tasks learn, too"},
    {.name = "tau_start",
     .type = EG_TYPE_NAME,
     .default_text = "sigma",
     .names = start_names,
     .doc = "a task's own weights start as a copy of the shared ones, or as 0"},
    {.name = "first_task",
     .type = EG_TYPE_NAME,
     .default_text = "masked",
     .names = first_names,
     .doc = "the first task has a mask and weights of its own like any other, or uses the shared "
            "weights as they are, with weights of its own, from 0, once it is an old one (plain)"},
    {.name = "consolidate_every",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e9,
     .unit = "tasks",
     .doc = "after every so many tasks, those that are alike in a layer share what is alike "
            "(objective 3); 0: never"},
    {.name = "centroids",
     .type = EG_TYPE_INT,
     .default_text = "2",
     .min = 1,
     .max = 1e6,
     .unit = "clusters",
     .doc = "consolidation: so many more clusters every time"},
    {.name = "beta",
     .type = EG_TYPE_REAL,
     .default_text = "1e-2",
     .min = 0,
     .max = INFINITY,
     .doc = "consolidation: weights that differ by at most so much in a cluster are shared"},
    {.name = "centre",
     .type = EG_TYPE_NAME,
     .default_text = "midpoint",
     .names = centre_names,
     .doc = "consolidation: what is shared is the middle between the smallest and the largest, so "
            "that no weight changes by more than beta/2, or the mean"},
};

const eg_learner_kind eg_learner_apd = {
    .component = {.name = "apd",
                  .doc = "additive parameter decomposition: shared weights under a mask per task, "
                         "and sparse weights per task; needs the task in predictions",
                  .source = "Yoon et al. 2020, arXiv 1902.09432, and the program of its authors",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .needs_classes = true,
    .variables = eg_apd_variables,
    .own_weights = true,
    .reshapes = true, /* its network is another one with every task, as far as others can tell */
    .check = check,
    .obstacle = obstacle_in,
    .extra_flops = extra_flops,
    .create = apd_create,
};
