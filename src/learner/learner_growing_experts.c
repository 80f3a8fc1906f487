/** A transformer whose Switch layers get more experts: the growing mixture of the language model,
 *  which is flat.
 *
 *  Growth comes before anything of phase k > 0 with k mod grow_every = 0 is learned. In every
 *  Switch layer alone
 *
 *      L_e = sum of the losses of the tokens that chose expert e
 *
 *  over the held-out examples that are new in the phase, in evaluation mode; the `add` experts with
 *  the largest L_e are copied with their rows of the router, of which each number is multiplied by
 *  1 + 0.01 z, z standard normal: with equal rows the copy would never be chosen. The two share the
 *  probability that one had, so the loss jumps: its mean over those examples before and after is
 *  recorded. The optimizer begins anew.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, on language modelling; the noise is our choice. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/gradient_learner.h"
#include "learner/growth_losses.h"
#include "learner/held_out.h"
#include "learner/past_costs.h"
#include "nn/shared/switch_layers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOSS_BEFORE, LOSS_AFTER, EXPERTS, CURVES };

static const eg_variable variables[CURVES] = {
    [LOSS_BEFORE] = {.name = "growth_loss_before",
                     .dims = {"eval"},
                     .unit = "nat",
                     .doc = "mean loss of a token of the held-out examples of the phase, in "
                            "evaluation mode, before the last growth; nan before the first"},
    [LOSS_AFTER] = {.name = "growth_loss_after",
                    .dims = {"eval"},
                    .unit = "nat",
                    .doc = "the same after it, before anything was learned"},
    [EXPERTS] = {.name = "experts",
                 .dims = {"eval"},
                 .unit = "1",
                 .doc = "experts of every Switch layer"},
};

static const eg_variable *const listed[] = {&variables[LOSS_BEFORE], &variables[LOSS_AFTER],
                                            &variables[EXPERTS], NULL};

typedef struct growing {
    eg_gradient_learner base;
    eg_learner_setup setup; /* for networks to come */
    eg_view root, model;    /* its own */
    size_t every, add;
    size_t experts, layers; /* of every Switch layer now; Switch layers */
    eg_cursor *cursor;      /* for held-out examples, a minibatch together */
    double loss_before, loss_after;
    eg_past_costs past;
} growing;

static void growing_free(eg_learner *learner)
{
    growing *self = (growing *)learner;
    eg_cursor_close(self->cursor);
    eg_gradient_learner_clear(&self->base);
    eg_free(self);
}

static size_t batch_of(const growing *self)
{
    return self->setup.shape.batch;
}

static eg_status build(eg_net **out, const growing *self, size_t experts)
{
    const eg_stream_shape *shape = &self->setup.shape;
    eg_graph *graph = NULL;
    *out = NULL;
    EG_TRY(
        eg_switch_graph(&graph, &self->model, experts, shape->input, shape->outputs, shape->batch));
    return eg_net_build(out, graph, self->setup.seed);
}

/* The network `net`, which it takes, comes in the place of the one that has learned so far. */
static eg_status follow(growing *self, eg_net *net, size_t experts)
{
    const bool frozen = self->base.optimizer == NULL;
    eg_learner_costs costs = {.parameters = 0};
    (void)eg_gradient_learner_costs(&self->base.base, &costs);
    eg_past_costs_settle(&self->past, self->base.net, self->base.learned, costs.train_macs,
                         costs.train_flops);
    self->base.learned = 0;
    self->experts = experts;
    EG_TRY(eg_gradient_learner_put(&self->base, &self->setup, net, batch_of(self), false));
    if (frozen) {
        eg_gradient_learner_freeze(&self->base.base);
    }
    return eg_ok();
}

/* Growth --------------------------------------------------------------------------------------- */

static eg_status copy_experts(growing *self, const eg_growth_losses *losses, size_t *source,
                              size_t phase)
{
    eg_rng rng = eg_rng_make(self->setup.seed, EG_PURPOSE_GROWTH, phase);
    eg_net *net = NULL;
    for (size_t l = 0; l < self->layers; l++) {
        eg_growth_losses_choose(losses->sum + l * self->experts, self->experts, self->add,
                                source + l * self->add);
    }
    EG_TRY(build(&net, self, self->experts + self->add));
    eg_switch_copy(net, self->base.net, source, self->add, eg_rng_u64(&rng));
    return follow(self, net, self->experts + self->add);
}

/* The mean loss of a token; work on the examples that it takes counts as training. */
static eg_status look(growing *self, size_t phase, eg_growth_losses *losses, double *mean)
{
    EG_TRY(eg_growth_losses_init(losses, &self->base, &self->setup.shape));
    eg_growth_losses_add(losses, self->cursor, phase);
    self->past.train_flops += 2 * eg_net_macs(self->base.net).forward * losses->examples;
    self->base.extra_flops += eg_net_flops(self->base.net) * losses->examples;
    *mean = losses->loss / losses->rows;
    return eg_ok();
}

static eg_status grow(growing *self, size_t phase)
{
    eg_growth_losses before = {.sum = NULL};
    eg_growth_losses after = {.sum = NULL};
    size_t *source = NULL;
    eg_status status = eg_alloc(&source, self->layers, self->add * sizeof *source);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, look(self, phase, &before, &self->loss_before));
    EG_TRY_DONE(status, copy_experts(self, &before, source, phase));
    status = look(self, phase, &after, &self->loss_after);
done:
    eg_growth_losses_clear(&before);
    eg_growth_losses_clear(&after);
    eg_free(source);
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

/* The rest ------------------------------------------------------------------------------------- */

static eg_status declare(eg_learner *learner, eg_record *record, size_t evals)
{
    (void)learner;
    const size_t extent[EG_RANK_MAX] = {evals};
    for (size_t i = 0; i < CURVES; i++) {
        eg_array *array = NULL;
        EG_TRY(eg_record_declare(record, &variables[i], extent, &array));
    }
    return eg_ok();
}

static eg_status measure(eg_learner *learner, eg_record *record, size_t eval)
{
    const growing *self = (const growing *)learner;
    const double value[CURVES] = {[LOSS_BEFORE] = self->loss_before,
                                  [LOSS_AFTER] = self->loss_after,
                                  [EXPERTS] = (double)self->experts};
    for (size_t i = 0; i < CURVES; i++) {
        eg_record_find(record, variables[i].name)->data[eval] = value[i];
    }
    return eg_ok();
}

static double extra_flops(const eg_learner *learner)
{
    const growing *self = (const growing *)learner;
    return eg_gradient_learner_extra_flops(learner) -
           eg_past_costs_spared(&self->past, self->base.net);
}

static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const growing *self = (const growing *)learner;
    out->train_macs += self->past.train_macs;
    out->train_flops += self->past.train_flops;
    return eg_gradient_learner_costs(learner, out);
}

/* Experts first: the network of all else has them. */
static void growing_write(const eg_learner *learner, eg_writer *writer)
{
    const growing *self = (const growing *)learner;
    eg_write_u64(writer, self->experts);
    eg_write_f64(writer, self->loss_before);
    eg_write_f64(writer, self->loss_after);
    eg_write_u64(writer, self->past.examples);
    eg_write_f64(writer, self->past.forwards);
    eg_write_f64(writer, self->past.train_macs);
    eg_write_f64(writer, self->past.train_flops);
    eg_gradient_learner_write(learner, writer);
}

/* A network of so many experts, if they are others; its values are still to come. */
static eg_status resize(growing *self, uint64_t experts, const char *what)
{
    const size_t first = eg_view_size(&self->model, "experts");
    eg_net *net = NULL;
    if (experts == self->experts) {
        return eg_ok();
    }
    if (experts < first || experts > EG_SWITCH_EXPERTS_MAX || (experts - first) % self->add != 0) {
        return eg_fail(EG_INVALID,
                       "%s: %llu experts, %zu and %zu more at every growth are expected", what,
                       (unsigned long long)experts, first, self->add);
    }
    EG_TRY(build(&net, self, (size_t)experts));
    return follow(self, net, (size_t)experts);
}

static eg_status growing_read(eg_learner *learner, eg_reader *reader)
{
    growing *self = (growing *)learner;
    const uint64_t experts = eg_read_u64(reader);
    EG_TRY(eg_reader_status(reader, false));
    EG_TRY(resize(self, experts, "saved network"));
    self->loss_before = eg_read_f64(reader);
    self->loss_after = eg_read_f64(reader);
    self->past.examples = eg_read_u64(reader);
    self->past.forwards = eg_read_f64(reader);
    self->past.train_macs = eg_read_f64(reader);
    self->past.train_flops = eg_read_f64(reader);
    EG_TRY(eg_reader_status(reader, false));
    EG_TRY(eg_past_costs_possible(&self->past)
               ? eg_ok()
               : eg_fail(EG_INVALID, "saved network: costs below 0 or not a number"));
    return eg_gradient_learner_read(learner, reader);
}

/* As many experts as the first router has rows. */
static eg_status take_experts(growing *self, const eg_weights_pass *pass)
{
    char name[2 * EG_WEIGHTS_NAME_SIZE + EG_NODE_NAME_SIZE];
    const eg_switch_layer first = eg_switch_layer_at(self->base.net, 0);
    (void)snprintf(name, sizeof name, "%snetwork/%s.router", pass->prefix,
                   self->base.net->nodes[first.node].name);
    const eg_weights_array *array = eg_weights_find(pass->weights, name);
    return array != NULL ? resize(self, array->extent[0], "weights") : eg_ok();
}

static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    EG_TRY(pass->into_learner && !pass->again ? take_experts((growing *)learner, pass) : eg_ok());
    return eg_gradient_learner_weights(learner, pass);
}

static const eg_learner_ops ops = {
    .free = growing_free,
    .begin_phase = begin_phase,
    .step = eg_gradient_learner_step,
    .predict = eg_gradient_learner_predict,
    .activity = eg_gradient_learner_activity,
    .declare = declare,
    .measure = measure,
    .network = eg_gradient_learner_network,
    .flops = eg_gradient_learner_flops,
    .freeze = eg_gradient_learner_freeze,
    .rest = eg_gradient_learner_rest,
    .extra_flops = extra_flops,
    .costs = costs,
    .write = growing_write,
    .read = growing_read,
    .weights = weights,
};

static eg_status check(const eg_view *view)
{
    const eg_view root = eg_settings_root(view->settings);
    const eg_view model = eg_view_inside(&root, "model");
    const char *name = eg_view_component(&root, "model")->name;
    if (strcmp(name, "switch_transformer") != 0) {
        return eg_fail_setting("", "learner model",
                               "model = %s has no Switch layers that get more experts; "
                               "switch_transformer has",
                               name);
    }
    const size_t experts = eg_view_size(&model, "experts");
    const size_t add = eg_view_size(view, "add");
    return experts >= 2 && add <= experts
               ? eg_ok()
               : eg_fail_setting(view->prefix, "add",
                                 "%sadd = %zu: there must be as many experts that can be copied, "
                                 "at least 2, and model.experts = %zu",
                                 view->prefix, add, experts);
}

static eg_status open_all(growing *self, const eg_view *view, const eg_learner_setup *setup)
{
    eg_learner_setup_keep(&self->setup, &self->root, setup);
    self->model = eg_view_inside(&self->root, "model");
    self->every = eg_view_size(view, "grow_every");
    self->add = eg_view_size(view, "add");
    self->experts = eg_view_size(&self->model, "experts");
    self->loss_before = (double)NAN;
    self->loss_after = (double)NAN;
    EG_TRY(eg_held_out_needed(setup->stream, "growing_experts"));
    EG_TRY(eg_gradient_learner_init(&self->base, &self->setup, batch_of(self), false));
    self->layers = eg_switch_layer_count(self->base.net);
    if (self->layers == 0) {
        return eg_fail_setting("", "learner model.mixtures model.depth",
                               "learner growing_experts: the model has no layer that is a mixture");
    }
    const eg_cursor_setup reading = {.member = setup->member, .block = batch_of(self)};
    return eg_cursor_open(&self->cursor, setup->stream, &reading);
}

static eg_status growing_create(eg_learner **out, const eg_view *view,
                                const eg_learner_setup *setup)
{
    growing *self = NULL;
    EG_TRY(check(view));
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.base.ops = &ops;
    eg_status status = open_all(self, view, setup);
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
     .doc = "experts are copied when phase number grow_every, 2 grow_every, … begins (the first is "
            "number 0)"},
    {.name = "add",
     .type = EG_TYPE_INT,
     .default_text = "2",
     .min = 1,
     .max = 128,
     .doc = "experts of every Switch layer that are copied: those with the largest sum, over the "
            "tokens of new held-out examples that chose them, of the loss"},
};

static bool needs_held_out(const eg_view *view)
{
    (void)view;
    return true;
}

/* Every growth looks at the held-out examples twice. A token goes through one expert, however many
 * there are. */
static double work_of(const eg_view *view, const eg_learner_work *work)
{
    const double growths = floor((work->phases - 1) / (double)eg_view_size(view, "grow_every"));
    return 2 * growths * work->phase_held_out * work->forward;
}

const eg_learner_kind eg_learner_growing_experts = {
    .component = {.name = "growing_experts",
                  .doc = "Switch layers get copies of their worst experts when a phase begins; the "
                         "optimizer then begins anew",
                  .source = "Caccia et al. 2022, arXiv 2106.09563",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .variables = listed,
    .needs_classes = true,
    .takes_positions = true,
    .reshapes = true,
    .check = check,
    .needs_held_out = needs_held_out,
    .extra_flops = work_of,
    .create = growing_create,
};
