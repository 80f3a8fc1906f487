/** An ensemble: several learners of any kind, each with initial weights and an order of examples of
 *  its own, that predict together. Member 0 is what the learner would be alone, so an ensemble of
 *  one is that.
 *
 *      p = mean over members of softmax(scores) over the active outputs   (average = probabilities)
 *      p = mean over members of scores                                         (average = scores)
 *
 *  Curves of the members are not recorded: a curve of a learner is of one network, and has no
 *  dimension for members. */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/elementary.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What is averaged; the order is that of the names. */
typedef enum average { AVERAGE_PROBABILITIES, AVERAGE_SCORES } average;

static const char *const average_names[] = {
    [AVERAGE_PROBABILITIES] = "probabilities", [AVERAGE_SCORES] = "scores", NULL};

typedef struct ensemble {
    eg_learner base;
    size_t count;
    eg_learner **member;
    eg_cursor *
        *cursor;  /* [count] minibatches of the members; NULL of member 0, which gets the trial's */
    bool *enough; /* [count] the phase has ended for this member */
    /* Members whose end_epoch, end_phase has been made, while an epoch or a phase is being ended:
     * if one is stopped, those before it are not ended again. */
    size_t epoch_ended, phase_ended;
    average average;
    eg_real *scores; /* [block, outputs] of one member */
    double *share;   /* [hidden layers] of one member */
    size_t outputs;
} ensemble;

static void ensemble_free(eg_learner *learner)
{
    ensemble *self = (ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        /* Either table may be missing in a half-built ensemble. */
        eg_learner_free(self->member != NULL ? self->member[m] : NULL);
        eg_cursor_close(self->cursor != NULL ? self->cursor[m] : NULL);
    }
    eg_free(self->member);
    eg_free(self->cursor);
    eg_free(self->enough);
    eg_free(self->scores);
    eg_free(self->share);
    eg_free(self);
}

static eg_status begin_phase(eg_learner *learner, size_t phase)
{
    ensemble *self = (ensemble *)learner;
    self->phase_ended = 0;
    for (size_t m = 0; m < self->count; m++) {
        self->enough[m] = false;
        EG_TRY(eg_learner_begin_phase(self->member[m], phase));
    }
    return eg_ok();
}

/* The loss is the mean over the members that learn, each on its own minibatch. Together they have
 * no outputs before the update: there is no minibatch that all of them see. */
static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    ensemble *self = (ensemble *)learner;
    double sum = 0;
    size_t learning = 0;
    for (size_t m = 0; m < self->count; m++) {
        eg_batch own = *batch;
        eg_step_outcome outcome = {.loss = 0};
        if (self->enough[m]) {
            continue;
        }
        if (self->cursor[m] != NULL) {
            eg_cursor_get(self->cursor[m], batch->phase, batch->step, &own);
        }
        EG_TRY(self->member[m]->ops->step(self->member[m], &own, &outcome));
        sum += outcome.loss;
        out->outputs = self->count == 1 ? outcome.outputs : NULL;
        learning++;
    }
    out->loss = sum / (double)learning;
    return eg_ok();
}

static eg_status end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough)
{
    ensemble *self = (ensemble *)learner;
    for (; self->epoch_ended < self->count; self->epoch_ended++) {
        size_t m = self->epoch_ended;
        if (!self->enough[m]) {
            EG_TRY(eg_learner_end_epoch(self->member[m], phase, epoch, &self->enough[m]));
        }
    }
    self->epoch_ended = 0;
    *enough = true;
    for (size_t m = 0; m < self->count; m++) {
        *enough = *enough && self->enough[m];
    }
    return eg_ok();
}

static eg_status end_phase(eg_learner *learner, size_t phase)
{
    ensemble *self = (ensemble *)learner;
    for (; self->phase_ended < self->count; self->phase_ended++) {
        EG_TRY(eg_learner_end_phase(self->member[self->phase_ended], phase));
    }
    return eg_ok();
}

static size_t end_epoch_polls(const eg_learner *learner, size_t phase)
{
    const ensemble *self = (const ensemble *)learner;
    size_t polls = 0;
    for (size_t m = 0; m < self->count; m++) {
        polls += eg_learner_end_epoch_polls(self->member[m], phase);
    }
    return polls;
}

static size_t end_phase_polls(const eg_learner *learner, size_t phase)
{
    const ensemble *self = (const ensemble *)learner;
    size_t polls = 0;
    for (size_t m = 0; m < self->count; m++) {
        polls += eg_learner_end_phase_polls(self->member[m], phase);
    }
    return polls;
}

/* y <- softmax over the active outputs; the others become 0. */
static void soften(size_t n, const eg_active *active, eg_real *y)
{
    size_t count = active != NULL ? active->count : n;
    eg_real top = -(eg_real)INFINITY;
    eg_real sum = 0;
    for (size_t k = 0; k < count; k++) {
        size_t j = active != NULL ? active->output[k] : k;
        top = y[j] > top ? y[j] : top;
    }
    for (size_t j = 0; j < n; j++) {
        bool takes_part = active == NULL || eg_active_place(active, (uint32_t)j) < active->count;
        y[j] = takes_part ? eg_exp(y[j] - top) : 0;
        sum += y[j];
    }
    for (size_t j = 0; j < n; j++) {
        y[j] /= sum;
    }
}

static eg_status predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    ensemble *self = (ensemble *)learner;
    size_t n = self->outputs;
    if (self->count == 1) {
        return self->member[0]->ops->predict(self->member[0], batch, scores);
    }
    memset(scores, 0, batch->size * n * sizeof *scores);
    for (size_t m = 0; m < self->count; m++) {
        EG_TRY(self->member[m]->ops->predict(self->member[m], batch, self->scores));
        for (size_t b = 0; self->average == AVERAGE_PROBABILITIES && b < batch->size; b++) {
            soften(n, batch->active, self->scores + b * n);
        }
        for (size_t k = 0; k < batch->size * n; k++) {
            scores[k] += self->scores[k] / (eg_real)self->count;
        }
    }
    return eg_ok();
}

static void activity(const eg_learner *learner, double *out)
{
    const ensemble *self = (const ensemble *)learner;
    memset(out, 0, learner->hidden_layers * sizeof *out);
    for (size_t m = 0; m < self->count; m++) {
        eg_learner_activity(self->member[m], self->share);
        for (size_t i = 0; i < learner->hidden_layers; i++) {
            out[i] += self->share[i] / (double)self->count;
        }
    }
}

static bool network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    ensemble *self = (ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        eg_learner *member = self->member[m];
        size_t own = 0;
        while (member->ops->network != NULL && member->ops->network(member, own, out)) {
            if (index-- == 0) {
                return true;
            }
            own++;
        }
    }
    return false;
}

static bool replaced(const eg_learner *learner, double *counts)
{
    const ensemble *self = (const ensemble *)learner;
    bool any = false;
    for (size_t m = 0; m < self->count; m++) {
        any = eg_learner_replaced(self->member[m], counts) || any;
    }
    return any;
}

static const double *epoch_scores(const eg_learner *learner, size_t index, size_t *count)
{
    const ensemble *self = (const ensemble *)learner;
    const double *found = NULL;
    *count = 0;
    for (size_t m = 0; m < self->count && found == NULL; m++) {
        size_t own = 0;
        found = eg_learner_epoch_scores(self->member[m], 0, count);
        while (found != NULL && index > 0) {
            index--;
            found = eg_learner_epoch_scores(self->member[m], ++own, count);
        }
    }
    return found;
}

static double flops(const eg_learner *learner)
{
    const ensemble *self = (const ensemble *)learner;
    double sum = 0;
    for (size_t m = 0; m < self->count; m++) {
        sum += self->member[m]->ops->flops(self->member[m]);
    }
    return sum;
}

static double extra_flops(const eg_learner *learner)
{
    const ensemble *self = (const ensemble *)learner;
    double sum = 0;
    for (size_t m = 0; m < self->count; m++) {
        sum += eg_learner_extra_flops(self->member[m]);
    }
    return sum;
}

static bool costs(const eg_learner *learner, eg_learner_costs *out)
{
    const ensemble *self = (const ensemble *)learner;
    bool counts = true;
    for (size_t m = 0; m < self->count; m++) {
        counts = eg_learner_add_costs(self->member[m], out) && counts;
    }
    return counts;
}

static void ensemble_write(const eg_learner *learner, eg_writer *writer)
{
    const ensemble *self = (const ensemble *)learner;
    eg_write_u64(writer, self->epoch_ended);
    eg_write_u64(writer, self->phase_ended);
    for (size_t m = 0; m < self->count; m++) {
        eg_write_u8(writer, self->enough[m] ? 1 : 0);
        self->member[m]->ops->write(self->member[m], writer);
    }
}

static eg_status ensemble_read(eg_learner *learner, eg_reader *reader)
{
    ensemble *self = (ensemble *)learner;
    uint64_t epoch_ended = eg_read_u64(reader);
    uint64_t phase_ended = eg_read_u64(reader);
    if (epoch_ended > self->count || phase_ended > self->count) {
        return eg_fail(
            EG_INVALID,
            "saved ensemble: %llu and %llu members ended an epoch and a phase, there are %zu",
            (unsigned long long)epoch_ended, (unsigned long long)phase_ended, self->count);
    }
    self->epoch_ended = (size_t)epoch_ended;
    self->phase_ended = (size_t)phase_ended;
    for (size_t m = 0; m < self->count; m++) {
        self->enough[m] = eg_read_u8(reader) != 0;
        EG_TRY(self->member[m]->ops->read(self->member[m], reader));
    }
    return eg_ok();
}

/* Those of member 2 stand in group member2. */
static eg_status weights(eg_learner *learner, eg_weights_pass *pass)
{
    ensemble *self = (ensemble *)learner;
    for (size_t m = 0; m < self->count; m++) {
        eg_weights_pass own = *pass;
        int length = snprintf(own.prefix, sizeof own.prefix, "%smember%zu/", pass->prefix, m);
        if (length < 0 || (size_t)length >= sizeof own.prefix) {
            return eg_fail(EG_INVALID, "weights: ensembles are nested too deeply");
        }
        EG_TRY(eg_learner_weights(self->member[m], &own));
    }
    return eg_ok();
}

static const eg_learner_ops ensemble_ops = {
    .free = ensemble_free,
    .begin_phase = begin_phase,
    .step = step,
    .end_epoch = end_epoch,
    .end_epoch_polls = end_epoch_polls,
    .end_phase = end_phase,
    .end_phase_polls = end_phase_polls,
    .predict = predict,
    .activity = activity,
    .network = network,
    .replaced = replaced,
    .epoch_scores = epoch_scores,
    .flops = flops,
    .extra_flops = extra_flops,
    .costs = costs,
    .write = ensemble_write,
    .read = ensemble_read,
    .weights = weights,
};

static eg_status open_member(ensemble *self, size_t m, const eg_view *view,
                             const eg_learner_setup *setup)
{
    eg_learner_setup own = *setup;
    own.member = setup->member * self->count + m; /* members of members have orders of their own */
    own.seed = eg_member_seed(setup->seed, m);
    EG_TRY(eg_learner_create_inside(&self->member[m], view, &own));
    if (m == 0) {
        return eg_ok();
    }
    const eg_cursor_setup reading = {
        .member = own.member, .trains = true, .sparse_only = self->member[m]->reads_sparse};
    return eg_cursor_open(&self->cursor[m], setup->stream, &reading);
}

static eg_status ensemble_create(eg_learner **out, const eg_view *view,
                                 const eg_learner_setup *setup)
{
    ensemble *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = &ensemble_ops;
    self->count = eg_view_size(view, "members");
    self->average = (average)eg_view_name(view, "average");
    self->outputs = setup->shape.outputs;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&self->member, self->count, sizeof *self->member));
    EG_TRY_DONE(status, eg_alloc(&self->cursor, self->count, sizeof *self->cursor));
    EG_TRY_DONE(status, eg_alloc(&self->enough, self->count, sizeof *self->enough));
    EG_TRY_DONE(status,
                eg_alloc(&self->scores, setup->block, self->outputs * sizeof *self->scores));
    for (size_t m = 0; m < self->count; m++) {
        EG_TRY_DONE(status, open_member(self, m, view, setup));
    }
    self->base.hidden_layers = self->member[0]->hidden_layers;
    self->base.reads_sparse = self->member[0]->reads_sparse;
    EG_TRY_DONE(status, eg_alloc(&self->share, self->base.hidden_layers + 1, sizeof *self->share));
    *out = &self->base;
    return status;
done:
    ensemble_free(&self->base);
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "members",
     .type = EG_TYPE_INT,
     .default_text = "3",
     .min = 1,
     .max = 1000,
     .doc = "how many; each has initial weights and an order of examples of its own"},
    {.name = "average",
     .type = EG_TYPE_NAME,
     .default_text = "probabilities",
     .names = average_names,
     .doc = "what the members' predictions are the mean of: the softmax of their scores, or the "
            "scores"},
};

static double work_of(const eg_view *view, const eg_learner_work *work)
{
    double members = (double)eg_view_size(view, "members");
    return (members - 1) * work->ordinary + members * eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_ensemble = {
    .component = {.name = "ensemble",
                  .doc = "several learners that predict together, each with initial weights and an "
                         "order of examples of its own; curves of a member are not recorded",
                  .source = "Lakshminarayanan et al. 2017, arXiv 1612.01474",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .check = eg_learner_check_inside,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = work_of,
    .create = ensemble_create,
};
