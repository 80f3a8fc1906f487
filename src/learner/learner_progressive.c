/** Progressive networks: every task has a column of units of its own, which read those of earlier
 *  columns, too.
 *
 *  Every hidden layer of the model is divided into a column per task, in the order of its units:
 *  column 0 has the share `first` of them, each later one the share `later`, rounded at their ends.
 *  A unit of column t reads the network's inputs, or the units of the layer before that are in
 *  columns 0 … t; the outputs of task t do, too. The other weights do not exist: they are 0 for
 *  good. Task t learns the parameters of column t and of its outputs, and everything else is
 *  fixed, so earlier tasks predict the same to the last bit. Where a unit reads m units of n, its
 *  initial weights are multiplied by sqrt(n/m), for sums as large as those of a unit that reads
 *  all.
 *
 *  Source: Rusu et al. 2016, arXiv 1606.04671. There all columns are as wide, and lateral
 *  connections go through adapters (a learned scale and a projection with a nonlinearity of its
 *  own); here they are weights as any other, and there are no adapters. */
#include "engram/memory.h"
#include "learner/capacity.h"
#include "learner/obstacle.h"
#include "learner/subnetwork.h"
#include "learner/wiring.h"

#include <math.h>
#include <string.h>

/* What capacity is a percentage of; the order is that of the names. */
typedef enum base_of { BASE_MODEL, BASE_FIRST } base_of;

static const char *const base_names[] = {[BASE_MODEL] = "model", [BASE_FIRST] = "first", NULL};

typedef struct progressive {
    eg_subnetwork base;
    eg_wiring wiring;
    size_t tasks;
    uint32_t *column; /* [units] tasks: of none */
    uint32_t *owner;  /* [param_count] the task that learns a parameter; tasks: there is none */
    base_of base_of;
} progressive;

static void progressive_free(eg_learner *learner)
{
    progressive *self = (progressive *)learner;
    eg_wiring_clear(&self->wiring);
    eg_free(self->column);
    eg_free(self->owner);
    eg_subnetwork_clear(&self->base);
    eg_free(self);
}

static void weights(eg_subnetwork *base, size_t task, bool learning, eg_real *theta)
{
    (void)task, (void)learning;
    memcpy(theta, base->raw, base->gradient.net->param_count * sizeof *theta);
}

static void fix(const eg_subnetwork *base, uint8_t *fixed)
{
    const progressive *self = (const progressive *)base;
    for (size_t i = 0; i < base->gradient.net->param_count; i++) {
        if (self->owner[i] != base->phase) {
            fixed[i] = 1;
        }
    }
}

static const eg_subnetwork_rule rule = {.name = "progressive", .weights = weights, .fix = fix};

/* The first unit of column t in a layer of n; the number of units in columns for t = tasks. */
static size_t column_begin(size_t n, double first, double later, size_t t)
{
    return t == 0 ? 0 : (size_t)floor((double)n * (first + (double)(t - 1) * later) + 0.5);
}

static eg_status divide_layer(progressive *self, size_t h, double first, double later)
{
    size_t n = self->wiring.first[h + 1] - self->wiring.first[h];
    for (size_t t = 0; t < self->tasks; t++) {
        size_t begin = column_begin(n, first, later, t);
        size_t end = column_begin(n, first, later, t + 1);
        end = end < n ? end : n;
        if (begin >= end) {
            return eg_fail_setting("", "learner model",
                                   "learner progressive: hidden layer %zu has %zu units, and task "
                                   "%zu of %zu gets none of them",
                                   h + 1, n, t + 1, self->tasks);
        }
        for (size_t u = begin; u < end; u++) {
            self->column[self->wiring.first[h] + u] = (uint32_t)t;
        }
    }
    return eg_ok();
}

static eg_status divide(progressive *self, const eg_view *view)
{
    double first = eg_view_real(view, "first");
    double later = eg_view_real(view, "later");
    size_t more = self->tasks - 1;
    if (later == 0 && more > 0) {
        later = (1 - first) / (double)more;
    }
    if (first + (double)more * later > 1 + 1e-9) {
        return eg_fail_setting(view->prefix, "first later",
                               "%sfirst = %g and %zu times %slater = %g are more than the network; "
                               "expected 1 at most",
                               view->prefix, first, more, view->prefix, later);
    }
    for (size_t u = 0; u < self->wiring.units; u++) {
        self->column[u] = (uint32_t)self->tasks;
    }
    for (size_t h = 0; h < self->wiring.layers; h++) {
        EG_TRY(divide_layer(self, h, first, later));
    }
    return eg_ok();
}

/* Parameters of the output belong to the first task that has it. */
static void own_output(progressive *self, const eg_node *head, size_t output)
{
    uint32_t task = 0;
    for (; task < self->tasks; task++) {
        const eg_active *active = eg_stream_phase(self->base.gradient.stream, task).active;
        if (active == NULL || eg_active_place(active, (uint32_t)output) < active->count) {
            break;
        }
    }
    eg_unit_run run;
    for (size_t k = 0; head->layer.ops->unit_run(&head->layer, EG_UNIT_INCOMING, output, k, &run);
         k++) {
        size_t at = head->offset[run.block] + run.first;
        for (size_t i = 0; i < run.count; i++) {
            self->owner[at + i * run.stride] = task;
        }
    }
}

/* Who makes a unit or an output owns what it is made of, unless that comes from later columns. */
static void own(progressive *self)
{
    const eg_net *net = self->base.gradient.net;
    const eg_wiring *wiring = &self->wiring;
    for (size_t i = 0; i < net->param_count; i++) {
        uint32_t to = wiring->to[i];
        self->owner[i] = to != EG_NO_UNIT ? self->column[to] : (uint32_t)self->tasks;
    }
    for (size_t j = 0; j < net->outputs; j++) {
        own_output(self, &net->nodes[net->hidden[wiring->layers - 1].reader], j);
    }
    for (size_t i = 0; i < net->param_count; i++) {
        uint32_t from = wiring->from[i];
        if (from != EG_NO_UNIT && self->column[from] > self->owner[i]) {
            self->owner[i] = (uint32_t)self->tasks;
        }
    }
}

/* Weights that do not exist. */
static void clear_absent(progressive *self)
{
    for (size_t i = 0; i < self->base.gradient.net->param_count; i++) {
        self->base.raw[i] = self->owner[i] < self->tasks ? self->base.raw[i] : 0;
    }
}

/* Of the units of layer h, n, those in columns 0 … task, m: sqrt(n/m). */
static double growth_of(const progressive *self, size_t h, size_t task)
{
    size_t m = 0;
    for (size_t u = self->wiring.first[h]; u < self->wiring.first[h + 1]; u++) {
        m += self->column[u] <= task ? 1 : 0;
    }
    return sqrt((double)(self->wiring.first[h + 1] - self->wiring.first[h]) / (double)m);
}

static void grow_layer(progressive *self, size_t h)
{
    const eg_wiring *wiring = &self->wiring;
    for (size_t t = 0; t < self->tasks; t++) {
        eg_real factor = (eg_real)growth_of(self, h, t);
        for (size_t i = 0; i < self->base.gradient.net->param_count; i++) {
            bool reads = self->owner[i] == t && wiring->from[i] != EG_NO_UNIT &&
                         wiring->from[i] >= wiring->first[h] &&
                         wiring->from[i] < wiring->first[h + 1];
            self->base.raw[i] *= reads ? factor : 1;
        }
    }
}

static bool progressive_capacity(const eg_learner *learner, size_t learned,
                                 eg_learner_capacity *out)
{
    const progressive *self = (const progressive *)learner;
    double stored = 0;
    double first = 0;
    for (size_t i = 0; i < self->base.gradient.net->param_count; i++) {
        uint32_t from = self->wiring.from[i];
        bool head = self->wiring.to[i] == EG_NO_UNIT;
        bool narrow = from == EG_NO_UNIT || self->column[from] == 0;
        stored += self->owner[i] < learned ? 1 : 0;
        first += self->owner[i] < (head ? learned : 1) && narrow ? 1 : 0;
    }
    (void)eg_gradient_learner_capacity(learner, learned, out);
    out->stored = stored;
    out->base = self->base_of == BASE_FIRST ? first : out->base;
    return true;
}

static eg_status progressive_weights(eg_learner *learner, eg_weights_pass *pass)
{
    progressive *self = (progressive *)learner;
    EG_TRY(eg_subnetwork_weights(learner, pass));
    if (pass->into_learner) {
        clear_absent(self);
        eg_subnetwork_changed(&self->base);
    }
    return eg_ok();
}

static const eg_learner_ops progressive_ops = {
    EG_SUBNETWORK_OPS,
    .free = progressive_free,
    .begin_phase = eg_subnetwork_begin_phase,
    .step = eg_subnetwork_step,
    .freeze = eg_subnetwork_freeze,
    .capacity = progressive_capacity,
    .write = eg_subnetwork_write,
    .read = eg_subnetwork_read,
    .weights = progressive_weights,
};

static const char *obstacle_in(size_t count, const eg_node *nodes)
{
    const char *why = eg_obstacle_moving(count, nodes);
    why = why != NULL ? why : eg_wiring_node_obstacle(count, nodes);
    for (size_t n = 0; n < count && why == NULL; n++) {
        if (nodes[n].layer.mixes_units) {
            why = "it has an activation or a local response in which units depend on others, "
                  "also on those of later columns";
        }
    }
    return why;
}

static eg_status set_up(progressive *self, const eg_view *view, const eg_learner_setup *setup)
{
    self->tasks = setup->shape.phases;
    self->base_of = (base_of)eg_view_name(view, "base");
    EG_TRY(eg_subnetwork_init(&self->base, setup, &rule));
    const eg_net *net = self->base.gradient.net;
    const char *obstacle = eg_wiring_obstacle(net);
    EG_TRY(obstacle != NULL ? eg_obstacle_refuse(setup->root, rule.name, obstacle) : eg_ok());
    EG_TRY(eg_wiring_init(&self->wiring, net));
    EG_TRY(eg_alloc(&self->column, self->wiring.units, sizeof *self->column));
    EG_TRY(eg_alloc(&self->owner, net->param_count, sizeof *self->owner));
    EG_TRY(divide(self, view));
    own(self);
    clear_absent(self);
    for (size_t h = 0; h < self->wiring.layers; h++) {
        grow_layer(self, h);
    }
    return eg_ok();
}

static eg_status progressive_create(eg_learner **out, const eg_view *view,
                                    const eg_learner_setup *setup)
{
    progressive *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.gradient.base.ops = &progressive_ops;
    eg_status status = set_up(self, view, setup);
    if (!eg_is_ok(&status)) {
        progressive_free(&self->base.gradient.base);
        return status;
    }
    *out = &self->base.gradient.base;
    return status;
}

static const eg_param params[] = {
    {.name = "first",
     .type = EG_TYPE_REAL,
     .default_text = "0.5",
     .min = 0,
     .max = 1,
     .doc = "share of every hidden layer's units that the column of the first task has"},
    {.name = "later",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 1,
     .doc = "the same of each later one; 0: they divide what the first one leaves"},
    {.name = "base",
     .type = EG_TYPE_NAME,
     .default_text = "model",
     .names = base_names,
     .doc = "what capacity is a percentage of: the model as it is set, or the network that its "
            "first column is"},
};

const eg_learner_kind eg_learner_progressive = {
    .component = {.name = "progressive",
                  .doc = "progressive networks: a column of units per task, which reads those of "
                         "earlier tasks and leaves them as they are; without adapters",
                  .source = "Rusu et al. 2016, arXiv 1606.04671",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .uses_task_boundaries = true,
    .uses_task_ids = true,
    .own_weights = true,
    .obstacle = obstacle_in,
    .create = progressive_create,
};
