/** A growing mixture of experts: the parts of the model are trees of experts (engram/mixture.h),
 *  and when a phase begins one expert of every part is split in two.
 *
 *  Growth comes before anything of phase k > 0 with k mod grow_every = 0 is learned, in every part
 *  alone:
 *
 *      L_j = sum_i p_j(x_i) l_i         split_by = loss
 *      L_j = sum_i p_j(x_i)             split_by = usage
 *
 *  over the held-out examples x_i that are new in the phase, with l_i the loss of example i and p_j
 *  the probability of expert j, in evaluation mode. The first of the experts with the largest L_j
 *  becomes a gate with initial values of its own and two experts that are both what it was, running
 *  statistics of normalisation included. So outputs stay what they were. The optimizer begins anew.
 *
 *  Gates and experts learn together, by the gradient through the mixture; there is no term that
 *  balances experts. With one expert at the start, it is learner plain until it grows, bit for bit.
 *  Source: Caccia et al. 2022, arXiv 2106.09563. */
#include "engram/memory.h"
#include "engram/mixture.h"
#include "learner/gradient_learner.h"
#include "learner/growth_scores.h"
#include "learner/held_out.h"
#include "learner/mixture_costs.h"

#include <math.h>
#include <stdio.h>

/* The orders are those of the names. */
typedef enum beginning { START_ONE, START_INDEPENDENT, START_COPIES } beginning;
typedef enum split_by { SPLIT_BY_LOSS, SPLIT_BY_USAGE } split_by;

static const char *const start_names[] = {
    [START_ONE] = "one", [START_INDEPENDENT] = "independent", [START_COPIES] = "copies", NULL};
static const char *const split_by_names[] = {
    [SPLIT_BY_LOSS] = "loss", [SPLIT_BY_USAGE] = "usage", NULL};

typedef struct growing {
    eg_gradient_learner base;
    eg_mixture mixture;
    eg_mixture_costs costs;
    eg_learner_setup setup; /* for networks to come */
    eg_view root;           /* its own */
    size_t every;
    split_by by;
    eg_cursor *cursor; /* for held-out examples, a minibatch together */
    double *weight;    /* [minibatch] of these */
    size_t layers;     /* hidden ones of the model */
} growing;

static void growing_free(eg_learner *learner)
{
    growing *self = (growing *)learner;
    eg_cursor_close(self->cursor);
    eg_free(self->weight);
    eg_mixture_costs_clear(&self->costs);
    eg_mixture_clear(&self->mixture);
    eg_gradient_learner_clear(&self->base);
    eg_free(self);
}

static size_t batch_of(const growing *self)
{
    return self->setup.shape.batch;
}

static eg_mixture_setup mixture_setup(const growing *self)
{
    const eg_stream_shape *shape = &self->setup.shape;
    return (eg_mixture_setup){.root = &self->root,
                              .input = shape->input,
                              .outputs = shape->outputs,
                              .batch = batch_of(self),
                              .seed = self->setup.seed};
}

/* The network of the trees as they are now takes the place of the one there was; `continues`: with
 * its values. */
static eg_status rebuild(growing *self, bool continues)
{
    const eg_mixture_setup setup = mixture_setup(self);
    const bool frozen = self->base.optimizer == NULL;
    eg_net *net = NULL;
    EG_TRY(eg_mixture_build(&net, &self->mixture, &setup));
    if (continues) {
        eg_mixture_copy(&self->mixture, net, self->base.net);
    }
    EG_TRY(eg_gradient_learner_put(&self->base, &self->setup, net, batch_of(self), false));
    self->base.base.hidden_layers = self->layers;
    if (frozen) {
        eg_gradient_learner_freeze(&self->base.base);
    }
    return eg_ok();
}

/* Growth --------------------------------------------------------------------------------------- */

/* What example b of a block counts. */
static double weight_of(growing *self, const eg_batch *block, const eg_real *y, size_t b)
{
    const size_t outputs = self->base.net->outputs;
    eg_batch one = *block;
    if (self->by == SPLIT_BY_USAGE) {
        return 1;
    }
    one.size = 1;
    one.label = block->label != NULL ? block->label + b : NULL;
    one.target = block->target != NULL ? block->target + b * outputs : NULL;
    return eg_gradient_learner_loss(&self->base, &one, y + b * outputs);
}

static void add_block(growing *self, const eg_batch *block, eg_growth_scores *scores)
{
    eg_net *net = self->base.net;
    const eg_real *y = eg_net_forward(net, self->base.training, EG_MODE_PROBE, block->size,
                                      block->x, block->sparse);
    for (size_t b = 0; b < block->size; b++) {
        self->weight[b] = weight_of(self, block, y, b);
    }
    eg_growth_scores_add(scores, net, self->base.training, self->weight);
    eg_mixture_costs_shown(&self->costs, net, block->size);
    self->base.extra_flops += (double)block->size * eg_net_flops(net);
}

/* All held-out examples that are new in the phase. */
static void add_all(growing *self, size_t phase, eg_growth_scores *scores)
{
    const eg_stream *stream = self->base.stream;
    const eg_held_out_sets sets = eg_held_out_of(stream, phase);
    const eg_phase about = eg_stream_phase(stream, phase);
    for (size_t set = sets.first; set < sets.end; set++) {
        const size_t count = eg_stream_count(stream, EG_SUBSET_VALIDATION, set);
        for (size_t first = about.held_out_before; first < count; first += batch_of(self)) {
            const size_t left = count - first;
            const size_t size = left < batch_of(self) ? left : batch_of(self);
            eg_batch block;
            eg_cursor_examples(self->cursor, EG_SUBSET_VALIDATION, set, first, size, &block);
            block.active = block.active != NULL ? block.active : about.active;
            add_block(self, &block, scores);
        }
    }
}

static eg_status split(growing *self, const eg_growth_scores *scores)
{
    /* From the last: the scores of a part stand behind those of the parts before it. */
    for (size_t p = self->mixture.part_count; p-- > 0;) {
        uint64_t place = eg_growth_scores_choice(scores, p);
        EG_TRY(eg_expert_tree_split(&self->mixture.part[p].tree, place));
    }
    return rebuild(self, true);
}

static eg_status grow(growing *self, size_t phase)
{
    eg_growth_scores scores;
    eg_status status = eg_growth_scores_init(&scores, &self->mixture, batch_of(self));
    if (eg_is_ok(&status)) {
        add_all(self, phase, &scores);
        eg_mixture_costs_settle(&self->costs, self->base.net);
        status = split(self, &scores);
    }
    eg_growth_scores_clear(&scores);
    return status;
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    growing *self = (growing *)learner;
    if (phase > 0 && phase % self->every == 0) {
        EG_TRY(grow(self, phase));
    }
    return eg_gradient_learner_begin_phase(learner, phase);
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    growing *self = (growing *)learner;
    EG_TRY(eg_gradient_learner_step(learner, batch, out));
    if (isfinite(out->loss)) {
        eg_mixture_costs_learned(&self->costs, self->base.net, self->base.training, batch->size);
    }
    return eg_ok();
}

/* The rest ------------------------------------------------------------------------------------- */

/* Which hidden layer of the model this one is: they are in the order of the model's nodes. */
static size_t layer_of(const eg_net *net, size_t hidden)
{
    const size_t number = net->nodes[net->hidden[hidden].seen].number;
    size_t layer = 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_node *node = &net->nodes[net->hidden[h].seen];
        bool first = true;
        for (size_t earlier = 0; earlier < h && first; earlier++) {
            first = net->nodes[net->hidden[earlier].seen].number != node->number;
        }
        layer += first && node->number < number ? 1 : 0;
    }
    return layer;
}

/* Of a hidden layer the mean over its experts. */
static void activity(const eg_learner *learner, double *out)
{
    const growing *self = (const growing *)learner;
    const eg_net *net = self->base.net;
    for (size_t layer = 0; layer < self->layers; layer++) {
        double sum = 0;
        size_t count = 0;
        for (size_t h = 0; h < net->hidden_count; h++) {
            bool is = layer_of(net, h) == layer;
            sum += is ? self->base.active[h] : 0;
            count += is ? 1 : 0;
        }
        out[layer] = sum / (double)count;
    }
}

static double extra_flops(const eg_learner *learner)
{
    const growing *self = (const growing *)learner;
    return eg_gradient_learner_extra_flops(learner) -
           eg_past_costs_spared(&self->costs.past, self->base.net);
}

static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const growing *self = (const growing *)learner;
    eg_mixture_costs_add(&self->costs, self->base.net, out);
    return true;
}

static void growing_write(const eg_learner *learner, eg_writer *writer)
{
    const growing *self = (const growing *)learner;
    eg_mixture_write(&self->mixture, writer);
    eg_mixture_costs_write(&self->costs, writer);
    eg_gradient_learner_write(learner, writer);
}

static eg_status growing_read(eg_learner *learner, eg_reader *reader)
{
    growing *self = (growing *)learner;
    EG_TRY(eg_mixture_read(&self->mixture, reader));
    EG_TRY(eg_mixture_costs_read(&self->costs, reader));
    EG_TRY(rebuild(self, false));
    return eg_gradient_learner_read(learner, reader);
}

/* Splits the experts where there are weights of gates: a tree as that of who wrote them. */
static eg_status split_as(growing *self, const eg_weights_pass *pass, size_t part)
{
    eg_expert_tree *tree = &self->mixture.part[part].tree;
    eg_expert_tree_clear(tree);
    uint64_t place = eg_expert_tree_first(tree);
    while (place != 0) {
        char gate[EG_NODE_NAME_SIZE];
        char name[EG_WEIGHTS_NAME_SIZE];
        EG_TRY(eg_mixture_gate_name(gate, &self->mixture, part, place));
        (void)snprintf(name, sizeof name, "network/%s.weight", gate);
        if (eg_weights_has(pass, name)) {
            EG_TRY(eg_expert_tree_split(tree, place));
            place *= 2;
        } else {
            place = eg_expert_tree_next(tree, place);
        }
    }
    return eg_ok();
}

static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    growing *self = (growing *)learner;
    bool made_anew = pass->into_learner && !pass->again;
    for (size_t p = 0; made_anew && p < self->mixture.part_count; p++) {
        EG_TRY(split_as(self, pass, p));
    }
    EG_TRY(made_anew ? rebuild(self, false) : eg_ok());
    return eg_gradient_learner_weights(learner, pass);
}

static const eg_learner_ops ops = {
    .free = growing_free,
    .begin_phase = begin_phase,
    .step = step,
    .predict = eg_gradient_learner_predict,
    .activity = activity,
    .network = eg_gradient_learner_network,
    .freeze = eg_gradient_learner_freeze,
    .rest = eg_gradient_learner_rest,
    .flops = eg_gradient_learner_flops,
    .extra_flops = extra_flops,
    .costs = costs,
    .write = growing_write,
    .read = growing_read,
    .weights = weights,
};

static eg_status split_all(growing *self)
{
    for (size_t p = 0; p < self->mixture.part_count; p++) {
        EG_TRY(eg_expert_tree_split(&self->mixture.part[p].tree, 1));
    }
    return eg_ok();
}

static eg_status open_network(growing *self, beginning start)
{
    const eg_mixture_setup setup = mixture_setup(self);
    eg_net *net = NULL;
    EG_TRY(start == START_INDEPENDENT ? split_all(self) : eg_ok());
    EG_TRY(eg_mixture_build(&net, &self->mixture, &setup));
    EG_TRY(eg_gradient_learner_init_with(&self->base, &self->setup, net, batch_of(self), false));
    for (size_t h = 0; h < net->hidden_count; h++) {
        const size_t layer = layer_of(net, h);
        self->layers = layer + 1 > self->layers ? layer + 1 : self->layers;
    }
    self->base.base.hidden_layers = self->layers;
    if (start == START_COPIES) {
        EG_TRY(split_all(self));
        EG_TRY(rebuild(self, true));
    }
    return eg_ok();
}

static eg_status set_up(growing *self, const eg_view *view, const eg_learner_setup *setup)
{
    eg_learner_setup_keep(&self->setup, &self->root, setup);
    self->every = eg_view_size(view, "grow_every");
    self->by = (split_by)eg_view_name(view, "split_by");
    const eg_mixture_setup of = mixture_setup(self);
    EG_TRY(eg_held_out_needed(setup->stream, "growing_mixture"));
    EG_TRY(eg_mixture_init(&self->mixture, &of, (eg_gating)eg_view_name(view, "gate")));
    EG_TRY(eg_mixture_costs_init(&self->costs, &self->mixture, batch_of(self)));
    EG_TRY(eg_alloc(&self->weight, batch_of(self), sizeof *self->weight));
    EG_TRY(open_network(self, (beginning)eg_view_name(view, "start")));
    const eg_cursor_setup reading = {.member = setup->member,
                                     .block = batch_of(self),
                                     .sparse_only = self->base.base.reads_sparse};
    return eg_cursor_open(&self->cursor, setup->stream, &reading);
}

static eg_status growing_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    growing *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.base.ops = &ops;
    eg_status status = set_up(self, view, setup);
    if (!eg_is_ok(&status)) {
        growing_free(&self->base.base);
        return status;
    }
    *out = &self->base.base;
    return status;
}

static const eg_param params[] = {
    {.name = "grow_every",
     .type = EG_TYPE_INT,
     .default_text = "1",
     .min = 1,
     .max = 1e9,
     .unit = "phases",
     .doc = "an expert of every part is split when phase number grow_every, 2 grow_every, … begins "
            "(the first is number 0)"},
    {.name = "split_by",
     .type = EG_TYPE_NAME,
     .default_text = "loss",
     .names = split_by_names,
     .doc = "which expert: the one with the largest sum, over new held-out examples, of its "
            "probability times the loss, or of its probability"},
    {.name = "start",
     .type = EG_TYPE_NAME,
     .default_text = "one",
     .names = start_names,
     .doc = "experts of every part at the start: one, as the model alone, or two behind a gate, "
            "each with its own initial weights (independent) or both with the same (copies)"},
    {.name = "gate",
     .type = EG_TYPE_NAME,
     .default_text = "soft",
     .names = eg_gating_names,
     .doc = "soft: outputs are means of all experts, by the gates' probabilities; hard: that of "
            "one, each gate drawing a child in training, with a straight-through gradient, and "
            "else taking the more probable one. Hard ones count the way that is taken alone, "
            "though all experts are run, on whole minibatches"},
};

static eg_status check(const eg_view *view)
{
    const eg_view root = eg_settings_root(view->settings);
    const eg_view model = eg_view_inside(&root, "model");
    const eg_component *component = eg_view_component(&root, "model");
    const eg_model_kind *kind = (const eg_model_kind *)(const void *)component;
    return kind->parts != NULL && kind->parts(&model) > 0
               ? eg_ok()
               : eg_fail_setting("", "learner model",
                                 "model = %s has no parts to make experts of: hidden layers of "
                                 "mlp and blocks of vgg, but the first, are parts",
                                 component->name);
}

static bool needs_held_out(const eg_view *view)
{
    (void)view;
    return true;
}

static double first_experts(const eg_view *view)
{
    return eg_view_name(view, "start") == START_ONE ? 1 : 2;
}

/* As if all of the network were parts. */
static double work_of(const eg_view *view, const eg_learner_work *work)
{
    const double growths = floor((work->phases - 1) / (double)eg_view_size(view, "grow_every"));
    const double experts = first_experts(view) + growths / 2;
    return (first_experts(view) - 1) * work->ordinary +
           growths * experts * work->phase_held_out * work->forward;
}

static eg_learner_growth growth_of(const eg_view *view, size_t phase)
{
    const size_t growths = phase / eg_view_size(view, "grow_every");
    const double times = 1 + (double)growths / first_experts(view);
    return (eg_learner_growth){.train = times, .predict = times};
}

const eg_learner_kind eg_learner_growing_mixture = {
    .component = {.name = "growing_mixture",
                  .doc = "hidden layers (mlp) or blocks (vgg) are trees of experts with gates, and "
                         "one expert of each is split when a phase begins; the optimizer then "
                         "begins anew",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params),
                  .alias = "gmoe"},
    .uses_task_boundaries = true,
    .reshapes = true,
    .check = check,
    .needs_held_out = needs_held_out,
    .extra_flops = work_of,
    .growth = growth_of,
    .create = growing_create,
};
