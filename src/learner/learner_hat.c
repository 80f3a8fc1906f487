/** Hard attention to the task: every task has a number for every hidden unit, by which what the
 *  unit gives to the next layer is multiplied.
 *
 *      a_t = sigmoid(s e_t),   h'_u = a_t[u] h_u,   theta[i] = a_t[from(i)] W[i]
 *
 *  The weights that read a unit are multiplied instead of the unit, which is the same whatever the
 *  activation. s goes from 1/s_max to s_max within every epoch, and predictions have s_max. With
 *  before[u] the largest attention of earlier tasks to a unit, at s_max, the loss has the term
 *
 *      lambda sum_u a_t[u] (1 - before[u]) / sum_u (1 - before[u])
 *
 *  for units that the task takes for itself, and the gradient of the weight from unit v to unit u
 *  is multiplied by 1 - min(before[u], before[v]), of the first layer and of biases by
 *  1 - before[u]. The gradient of e_t is compensated for s (learner/hat.h), and e_t stays between
 *  -6 and 6. Where the factor of a gradient is 0, weights are fixed, to the last bit; where it is
 *  nearly 0, weight decay and momentum of the optimizer still move them. Layers that mix units
 *  (local response, some activations) let units that are free change those that are not, a little.
 *
 *  The optimizer of the settings updates weights and e_t, each with its own bound on the norm.
 *  Source: Serra et al. 2018, arXiv 1801.01423, and its program, joansj/hat, in which s of the last
 *  minibatch is a little less than s_max. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/capacity.h"
#include "learner/hat.h"
#include "learner/obstacle.h"
#include "learner/subnetwork.h"
#include "learner/wiring.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double embedding_bound = 6;

typedef struct hat {
    eg_subnetwork base;
    eg_wiring wiring;
    size_t tasks, stride;   /* numbers of a task's e, with padding to whole cache lines */
    eg_real *e;             /* [tasks, stride] */
    eg_real *e_gradient;    /* [stride] */
    uint8_t *known;         /* [tasks] 1: the task is learned */
    double *attention;      /* [units] of the step or prediction under way */
    double *before;         /* [units] 0 while no other task is learned */
    double *slope;          /* [units] gradient of what is to be minimised by the attention */
    eg_optimizer *attender; /* NULL once it is frozen */
    double s_max, lambda;
    double s; /* of the step under way */
} hat;

static void hat_free(eg_learner *learner)
{
    hat *self = (hat *)learner;
    eg_wiring_clear(&self->wiring);
    eg_free(self->e);
    eg_free(self->e_gradient);
    eg_free(self->known);
    eg_free(self->attention);
    eg_free(self->before);
    eg_free(self->slope);
    eg_optimizer_free(self->attender);
    eg_subnetwork_clear(&self->base);
    eg_free(self);
}

static void weights(eg_subnetwork *base, size_t task, bool learning, eg_real *theta)
{
    hat *self = (hat *)base;
    double s = learning ? self->s : self->s_max;
    for (size_t u = 0; u < self->wiring.units; u++) {
        self->attention[u] = eg_hat_attention(s, (double)self->e[task * self->stride + u]);
    }
    for (size_t i = 0; i < base->gradient.net->param_count; i++) {
        uint32_t from = self->wiring.from[i];
        theta[i] =
            from != EG_NO_UNIT ? (eg_real)self->attention[from] * base->raw[i] : base->raw[i];
    }
}

/* Of a parameter of the trunk. What reads the network's inputs goes by the unit it makes. */
static double gate_of(const hat *self, size_t i)
{
    uint32_t to = self->wiring.to[i];
    uint32_t from = self->wiring.from[i];
    return to == EG_NO_UNIT
               ? 1
               : eg_hat_gate(self->before[to], from != EG_NO_UNIT ? self->before[from] : 1);
}

/* e of the phase's task, by slope[u] = dL/da_u. */
static void learn_attention(hat *self)
{
    eg_real *e = self->e + self->base.phase * self->stride;
    for (size_t u = 0; u < self->wiring.units; u++) {
        double at = (double)e[u];
        self->e_gradient[u] = (eg_real)(self->slope[u] * eg_hat_slope(self->s, at) *
                                        eg_hat_compensation(self->s_max, self->s, at));
    }
    eg_optimizer_step(self->attender, e, self->e_gradient);
    for (size_t u = 0; u < self->wiring.units; u++) {
        e[u] = (eg_real)fmin(fmax((double)e[u], -embedding_bound), embedding_bound);
    }
}

static void pull(eg_subnetwork *base, const eg_batch *batch, eg_real *g)
{
    hat *self = (hat *)base;
    (void)batch;
    (void)eg_hat_penalty(self->wiring.units, self->attention, self->before, self->slope);
    for (size_t u = 0; u < self->wiring.units; u++) {
        self->slope[u] *= self->lambda;
    }
    for (size_t i = 0; i < base->gradient.net->param_count; i++) {
        uint32_t from = self->wiring.from[i];
        if (from != EG_NO_UNIT) {
            self->slope[from] += (double)g[i] * (double)base->raw[i];
            g[i] *= (eg_real)self->attention[from];
        }
        g[i] *= (eg_real)gate_of(self, i);
    }
    learn_attention(self);
}

static void fix(const eg_subnetwork *base, uint8_t *fixed)
{
    const hat *self = (const hat *)base;
    for (size_t u = 0; u < self->wiring.units; u++) {
        self->before[u] = 0;
        for (size_t t = 0; t < self->tasks; t++) {
            double a = eg_hat_attention(self->s_max, (double)self->e[t * self->stride + u]);
            bool counts = t != base->phase && self->known[t] != 0;
            self->before[u] = counts ? fmax(self->before[u], a) : self->before[u];
        }
    }
    for (size_t i = 0; i < base->gradient.net->param_count; i++) {
        if (gate_of(self, i) <= 0) {
            fixed[i] = 1;
        }
    }
}

static const eg_subnetwork_rule rule = {
    .name = "hat", .weights = weights, .pull = pull, .fix = fix};

static eg_status hat_begin_phase(eg_learner *learner, size_t phase)
{
    hat *self = (hat *)learner;
    const eg_phase about = eg_stream_phase(self->base.gradient.stream, phase);
    self->known[phase] = 0; /* of loaded weights: the task is learned anew */
    eg_optimizer_begin_phase(self->attender, phase, about.steps);
    eg_optimizer_reset(self->attender, 0, self->stride, 1); /* it was another task's */
    return eg_subnetwork_begin_phase(learner, phase);
}

static eg_status hat_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    hat *self = (hat *)learner;
    const eg_phase about = eg_stream_phase(self->base.gradient.stream, batch->phase);
    self->s = eg_hat_scale(self->s_max, batch->step % about.steps, about.steps);
    return eg_subnetwork_step(learner, batch, out);
}

static eg_status hat_end_phase(eg_learner *learner, size_t phase)
{
    ((hat *)learner)->known[phase] = 1;
    return eg_ok();
}

static void hat_freeze(eg_learner *learner)
{
    hat *self = (hat *)learner;
    eg_subnetwork_freeze(learner);
    eg_optimizer_free(self->attender);
    self->attender = NULL;
}

static bool hat_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out)
{
    const hat *self = (const hat *)learner;
    (void)eg_gradient_learner_capacity(learner, learned, out);
    out->stored += (double)learned * (double)self->wiring.units;
    return true;
}

static void hat_write(const eg_learner *learner, eg_writer *writer)
{
    const hat *self = (const hat *)learner;
    for (size_t t = 0; t < self->tasks; t++) {
        eg_write_u8(writer, self->known[t]);
    }
    eg_write_reals(writer, self->tasks * self->stride, self->e);
    if (self->attender != NULL) {
        eg_optimizer_write(self->attender, writer);
    }
    eg_subnetwork_write(learner, writer);
}

static eg_status hat_read(eg_learner *learner, eg_reader *reader)
{
    hat *self = (hat *)learner;
    for (size_t t = 0; t < self->tasks; t++) {
        self->known[t] = eg_read_u8(reader) != 0 ? 1 : 0;
    }
    EG_TRY(eg_read_reals(reader, self->tasks * self->stride, self->e, "attention"));
    EG_TRY(self->attender != NULL ? eg_optimizer_read(self->attender, reader) : eg_ok());
    return eg_subnetwork_read(learner, reader);
}

/* e of a task, as task003/layer1.attention …, by the layers that make the units. */
static eg_status pass_task(hat *self, eg_weights_pass *pass, size_t task)
{
    const eg_net *net = self->base.gradient.net;
    for (size_t h = 0; h < self->wiring.layers; h++) {
        const char *maker = net->nodes[net->hidden[h].maker].name;
        char name[EG_WEIGHTS_NAME_SIZE];
        (void)snprintf(name, sizeof name, "task%03zu/%s.attention", task, maker);
        /* The one under way has some, too, and stays under way. */
        bool under_way = task == self->base.phase && (pass->again || !pass->into_learner);
        if (h == 0 && pass->into_learner && !under_way) {
            self->known[task] = eg_weights_has(pass, name) ? 1 : 0;
        }
        bool passes = self->known[task] != 0 || under_way;
        if (passes) {
            eg_real *e = self->e + task * self->stride + self->wiring.first[h];
            EG_TRY(eg_weights_reals(pass, name, "buffer", 1, &net->hidden[h].units, e));
        }
    }
    return eg_ok();
}

static eg_status hat_weights(eg_learner *learner, eg_weights_pass *pass)
{
    hat *self = (hat *)learner;
    EG_TRY(eg_subnetwork_weights(learner, pass));
    for (size_t t = 0; t < self->tasks; t++) {
        EG_TRY(pass_task(self, pass, t));
    }
    if (pass->into_learner) {
        eg_subnetwork_changed(&self->base);
    }
    return eg_ok();
}

static const eg_learner_ops hat_ops = {
    EG_SUBNETWORK_OPS,        .free = hat_free,           .begin_phase = hat_begin_phase,
    .step = hat_step,         .end_phase = hat_end_phase, .freeze = hat_freeze,
    .capacity = hat_capacity, .write = hat_write,         .read = hat_read,
    .weights = hat_weights,
};

/* Standard normal, as the program's. */
static void draw_attention(hat *self)
{
    for (size_t t = 0; t < self->tasks; t++) {
        eg_rng rng = eg_rng_make(self->base.gradient.net->seed, EG_PURPOSE_LEARNER, t);
        for (size_t u = 0; u < self->wiring.units; u++) {
            double e = fmin(fmax(eg_rng_normal(&rng), -embedding_bound), embedding_bound);
            self->e[t * self->stride + u] = (eg_real)e;
        }
    }
}

static eg_status create_attender(hat *self, const eg_learner_setup *setup)
{
    eg_parameter_block block = {.name = "attention",
                                .role = EG_ROLE_SCALE,
                                .count = self->stride,
                                .units = self->wiring.units,
                                .fan_in = 1,
                                .lanes = 1};
    const eg_parameter_table table = {.count = self->stride, .block_count = 1, .blocks = &block};
    EG_TRY(eg_optimizer_create(&self->attender, setup->root, &table, false, setup->seed));
    eg_optimizer_profile(self->attender, setup->profile);
    return eg_ok();
}

static const char *obstacle_in(size_t count, const eg_node *nodes)
{
    const char *why = eg_obstacle_moving(count, nodes);
    return why != NULL ? why : eg_wiring_node_obstacle(count, nodes);
}

static eg_status set_up(hat *self, const eg_view *view, const eg_learner_setup *setup)
{
    const size_t line = EG_ALIGNMENT / sizeof(eg_real);
    self->s_max = eg_view_real(view, "s_max");
    self->s = self->s_max;
    self->lambda = eg_view_real(view, "lambda");
    self->tasks = setup->shape.phases;
    EG_TRY(eg_subnetwork_init(&self->base, setup, &rule));
    const char *obstacle = eg_wiring_obstacle(self->base.gradient.net);
    EG_TRY(obstacle != NULL ? eg_obstacle_refuse(setup->root, rule.name, obstacle) : eg_ok());
    EG_TRY(eg_wiring_init(&self->wiring, self->base.gradient.net));
    size_t units = self->wiring.units;
    self->stride = (units + line - 1) / line * line;
    EG_TRY(eg_alloc(&self->e, self->tasks * self->stride, sizeof *self->e));
    EG_TRY(eg_alloc(&self->e_gradient, self->stride, sizeof *self->e_gradient));
    EG_TRY(eg_alloc(&self->known, self->tasks, sizeof *self->known));
    EG_TRY(eg_alloc(&self->attention, units, sizeof *self->attention));
    EG_TRY(eg_alloc(&self->before, units, sizeof *self->before));
    EG_TRY(eg_alloc(&self->slope, units, sizeof *self->slope));
    EG_TRY(create_attender(self, setup));
    draw_attention(self);
    return eg_ok();
}

static eg_status hat_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    hat *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.gradient.base.ops = &hat_ops;
    eg_status status = set_up(self, view, setup);
    if (!eg_is_ok(&status)) {
        hat_free(&self->base.gradient.base);
        return status;
    }
    *out = &self->base.gradient.base;
    return status;
}

static const eg_param params[] = {
    {.name = "s_max",
     .type = EG_TYPE_REAL,
     .default_text = "400",
     .min = 1,
     .max = 1e6,
     .doc =
         "slope of the attention in predictions and at the end of every epoch, which begins with "
         "1/s_max: how hard it is"},
    {.name = "lambda",
     .type = EG_TYPE_REAL,
     .default_text = "0.75",
     .min = 0,
     .max = INFINITY,
     .doc = "factor of the term for units that no earlier task attends to: how much a task is held "
            "to using few new ones"},
};

const eg_learner_kind eg_learner_hat = {
    .component = {.name = "hat",
                  .doc = "hard attention to the task: a task's attention to hidden units is "
                         "learned, and later tasks change little of what it uses",
                  .source = "Serra et al. 2018, arXiv 1801.01423",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .own_weights = true,
    .obstacle = obstacle_in,
    .create = hat_create,
};
