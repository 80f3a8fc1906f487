/** FlyModel: no network, no optimizer, no gradients; see learner/flymodel.h. */
#include "engram/learner.h"

#include "engram/memory.h"
#include "learner/flymodel.h"

typedef struct flymodel {
    eg_learner base;
    eg_flymodel *fly;
    eg_real *scores;           /* [minibatch, outputs] */
    size_t evaluated, winners; /* examples of the last predict, and all their active units */
} flymodel;

static void flymodel_free(eg_learner *learner)
{
    flymodel *self = (flymodel *)learner;
    eg_flymodel_free(self->fly);
    eg_free(self->scores);
    eg_free(self);
}

static size_t best_of(size_t n, const eg_real *scores)
{
    size_t best = 0;
    for (size_t c = 1; c < n; c++) {
        best = scores[c] > scores[best] ? c : best;
    }
    return best;
}

/* The loss is the share of examples that were wrong before they were learned. */
static eg_status flymodel_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    flymodel *self = (flymodel *)learner;
    const eg_flymodel_shape *shape = &self->fly->shape;
    if (batch->label == NULL) {
        return eg_fail(EG_INVALID, "learner flymodel needs classes to learn");
    }
    size_t wrong = 0;
    for (size_t b = 0; b < batch->size; b++) {
        eg_real *scores = self->scores + b * shape->classes;
        eg_flymodel_code(self->fly, batch->x + b * shape->inputs);
        eg_flymodel_score(self->fly, scores);
        wrong += best_of(shape->classes, scores) != batch->label[b] ? 1 : 0;
        eg_flymodel_associate(self->fly, batch->label[b]);
    }
    *out = (eg_step_outcome){.loss = (double)wrong / (double)batch->size, .outputs = self->scores};
    return eg_ok();
}

static eg_status flymodel_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    flymodel *self = (flymodel *)learner;
    const eg_flymodel_shape *shape = &self->fly->shape;
    self->evaluated = batch->size;
    self->winners = 0;
    for (size_t b = 0; b < batch->size; b++) {
        eg_flymodel_code(self->fly, batch->x + b * shape->inputs);
        eg_flymodel_score(self->fly, scores + b * shape->classes);
        self->winners += self->fly->count;
    }
    return eg_ok();
}

static void flymodel_activity(const eg_learner *learner, double *out)
{
    const flymodel *self = (const flymodel *)learner;
    out[0] = (double)self->winners / (double)(self->evaluated * self->fly->shape.units);
}

static double flymodel_flops(const eg_learner *learner)
{
    const eg_flymodel_shape *s = &((const flymodel *)learner)->fly->shape;
    double winners = s->active * (double)s->units;
    return (double)s->units * (double)s->ones + 2.0 * (double)s->classes * winners;
}

static void flymodel_write(const eg_learner *learner, eg_writer *writer)
{
    eg_flymodel_write(((const flymodel *)learner)->fly, writer);
}

static eg_status flymodel_read(eg_learner *learner, eg_reader *reader)
{
    return eg_flymodel_read(((flymodel *)learner)->fly, reader);
}

static eg_status flymodel_weights(eg_learner *learner, eg_weights_pass *pass)
{
    return eg_flymodel_weights(((flymodel *)learner)->fly, pass);
}

/* Overlaps of codes. */
static eg_scores flymodel_scores(const eg_learner *learner)
{
    (void)learner;
    return EG_SCORES_OTHER;
}

static const eg_learner_ops ops = {
    .free = flymodel_free,
    .step = flymodel_step,
    .predict = flymodel_predict,
    .scores = flymodel_scores,
    .activity = flymodel_activity,
    .flops = flymodel_flops,
    .write = flymodel_write,
    .read = flymodel_read,
    .weights = flymodel_weights,
};

static eg_status flymodel_create(eg_learner **out, const eg_view *view,
                                 const eg_learner_setup *setup)
{
    const eg_flymodel_shape shape = {
        .inputs = setup->shape.features,
        .units = eg_view_size(view, "units"),
        .classes = setup->shape.outputs,
        .ones = eg_view_size(view, "ones"),
        .active = eg_view_real(view, "active"),
        .rate = eg_view_real(view, "rate"),
    };
    if (shape.ones > shape.inputs) {
        return eg_fail_setting(view->prefix, "ones",
                               "%sones = %zu; expected at most %zu, the inputs there are",
                               view->prefix, shape.ones, shape.inputs);
    }
    flymodel *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = &ops;
    self->base.hidden_layers = 1;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_flymodel_create(&self->fly, &shape, setup->seed));
    EG_TRY_DONE(status,
                eg_alloc(&self->scores, setup->shape.batch, shape.classes * sizeof *self->scores));
    *out = &self->base;
    return status;
done:
    flymodel_free(&self->base);
    return status;
}

static const eg_param params[] = {
    {.name = "units",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 1e6,
     .unit = "units",
     .doc = "units of the expansion"},
    {.name = "ones",
     .type = EG_TYPE_INT,
     .default_text = "64",
     .min = 1,
     .max = 1e6,
     .doc = "inputs of a unit; at most all"},
    {.name = "active",
     .type = EG_TYPE_REAL,
     .default_text = "0.01",
     .min = 0,
     .max = 1,
     .above_min = true,
     .doc = "share of the units that win"},
    {.name = "rate",
     .type = EG_TYPE_REAL,
     .default_text = "0.005",
     .min = 0,
     .max = 1,
     .above_min = true,
     .doc = "what an example adds to the association of the strongest unit with its class"},
};

static const char *const unused[] = {"model", "loss", "optimizer", NULL};

const eg_learner_kind eg_learner_flymodel = {
    .component = {.name = "flymodel",
                  .doc = "sparse random expansion, winners take all, one association per example; "
                         "model, loss and optimizer are not used",
                  .source = "Shen, Dasgupta and Navlakha 2023, Neural Computation 35",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .unused = unused,
    .needs_classes = true,
    .create = flymodel_create,
};
