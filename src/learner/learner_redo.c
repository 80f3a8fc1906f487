/** ReDo, recycling of dormant neurons, around any learner: now and then the hidden units that
 *  hardly do anything, measured by the mean of their layer, are reset.
 *
 *      after update n, if n mod period = 0 and start <= n < end, for every hidden layer of m units:
 *          a_i = mean |h_i| over the last examples, all places and parts of the unit
 *          s_i = a_i / (sum_k a_k / m + 1e-9)
 *          dormant: s_i <= tau;    with rate > 0: the round(m rate cos(pi/2 n/end)) lowest, at least one
 *      all dormant units are reset (learner/unit_reset.h)
 *
 *  Activations are those of the forwards before the updates. The 1e-9 makes a layer in which
 *  nothing happens dormant as a whole. Scores average 1 over a layer; where the paper says that
 *  they sum to 1 its program does not. Sources: Sokar et al. 2023, arXiv 2302.12902; program
 *  google/dopamine, labs/redo. */
#include "engram/memory.h"
#include "engram/units.h"
#include "learner/resetting.h"

#include <math.h>

/* Of one network. */
typedef struct redo_part {
    double *sum;       /* [units of all hidden layers] of |h| since the window began */
    uint64_t examples; /* in it */
    double *score;     /* [units of the largest layer] */
} redo_part;

typedef struct redo {
    eg_resetting rule;
    uint64_t period, start, end; /* in updates; end UINT64_MAX: never */
    uint64_t window;             /* in minibatches */
    double tau, rate;
    redo_part *part; /* [network_count] */
} redo;

static void redo_free(eg_learner *learner)
{
    redo *self = (redo *)learner;
    for (size_t n = 0; self->part != NULL && n < self->rule.around.network_count; n++) {
        eg_free(self->part[n].sum);
        eg_free(self->part[n].score);
    }
    eg_free(self->part);
    eg_resetting_clear(&self->rule);
    eg_free(self);
}

/* Adds |h| of the minibatch [B, positions, parts*units] to the sums of a layer. */
static void add_layer(const eg_hidden_layer *layer, size_t rows, const eg_real *h, double *sum)
{
    for (size_t row = 0; row < rows * layer->parts; row++) {
        for (size_t i = 0; i < layer->units; i++) {
            sum[i] += fabs((double)h[row * layer->units + i]);
        }
    }
}

static void add_minibatch(redo *self, size_t n)
{
    const eg_learner_network *at = &self->rule.around.network[n].at;
    const eg_unit_reset *reset = &self->rule.reset[n];
    redo_part *part = &self->part[n];
    size_t batch = eg_workspace_batch(at->training);
    for (size_t h = 0; h < at->net->hidden_count; h++) {
        const eg_hidden_layer *layer = &at->net->hidden[h];
        add_layer(layer, batch * layer->positions, eg_workspace_hidden(at->training, at->net, h),
                  part->sum + reset->first[h]);
    }
    part->examples += batch;
}

/* score [units] <- s of a layer. */
static void score_layer(const redo_part *part, const eg_hidden_layer *layer, const double *sum)
{
    double count = (double)part->examples * (double)(layer->positions * layer->parts);
    double mean = 0;
    for (size_t i = 0; i < layer->units; i++) {
        part->score[i] = sum[i] / count;
        mean += part->score[i] / (double)layer->units;
    }
    for (size_t i = 0; i < layer->units; i++) {
        part->score[i] /= mean + 1e-9;
    }
}

static void choose_dormant(const redo *self, size_t n, size_t hidden)
{
    eg_unit_reset *reset = &self->rule.reset[n];
    for (size_t i = 0; i < reset->at.net->hidden[hidden].units; i++) {
        if (self->part[n].score[i] <= self->tau) {
            eg_unit_reset_choose(reset, hidden, i);
        }
    }
}

/* The `count` lowest scores, the first of several. */
static void choose_lowest(const redo *self, size_t n, size_t hidden, size_t count)
{
    eg_unit_reset *reset = &self->rule.reset[n];
    double *score = self->part[n].score;
    size_t units = reset->at.net->hidden[hidden].units;
    for (size_t k = 0; k < count; k++) {
        size_t least = 0;
        for (size_t i = 1; i < units; i++) {
            least = score[i] < score[least] ? i : least;
        }
        score[least] = INFINITY;
        eg_unit_reset_choose(reset, hidden, least);
    }
}

/* How many units of a layer are reset by the schedule. */
static size_t scheduled(const redo *self, uint64_t update, size_t units)
{
    static const double half_pi = 1.57079632679489661923;
    double share = self->rate * cos(half_pi * (double)update / (double)self->end);
    double count = round((double)units * share);
    return count < 1.0 ? 1 : (size_t)count;
}

static void recycle(redo *self, size_t n)
{
    uint64_t update = self->rule.around.network[n].updates;
    eg_unit_reset *reset = &self->rule.reset[n];
    const eg_net *net = reset->at.net;
    redo_part *part = &self->part[n];
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        if (!eg_unit_reset_takes(reset, h)) {
            continue;
        }
        score_layer(part, layer, part->sum + reset->first[h]);
        if (self->rate > 0) {
            choose_lowest(self, n, h, scheduled(self, update, layer->units));
        } else {
            choose_dormant(self, n, h);
        }
    }
    (void)eg_unit_reset_apply(reset, update);
}

static void begin_window(redo *self, size_t n)
{
    redo_part *part = &self->part[n];
    for (size_t i = 0; i < self->rule.reset[n].units; i++) {
        part->sum[i] = 0;
    }
    part->examples = 0;
}

static void follow(redo *self, size_t n)
{
    uint64_t update = self->rule.around.network[n].updates;
    uint64_t next = (update + self->period - 1) / self->period * self->period;
    if (next < self->start || next >= self->end || next - update >= self->window) {
        return;
    }
    add_minibatch(self, n);
    if (update == next) {
        recycle(self, n);
        begin_window(self, n);
    }
}

static eg_status step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out)
{
    redo *self = (redo *)learner;
    EG_TRY(eg_around_step(learner, batch, out));
    eg_profile_part before = eg_profile_enter(self->rule.profile, EG_PROFILE_UPDATE);
    for (size_t n = 0; n < self->rule.around.network_count; n++) {
        if (self->rule.around.network[n].updated) {
            follow(self, n);
        }
    }
    (void)eg_profile_enter(self->rule.profile, before);
    return eg_ok();
}

static void redo_write(const eg_learner *learner, eg_writer *writer)
{
    const redo *self = (const redo *)learner;
    for (size_t n = 0; n < self->rule.around.network_count; n++) {
        const redo_part *part = &self->part[n];
        eg_write_u64(writer, part->examples);
        for (size_t i = 0; i < self->rule.reset[n].units; i++) {
            eg_write_f64(writer, part->sum[i]);
        }
    }
    eg_resetting_write(learner, writer);
}

static eg_status redo_read(eg_learner *learner, eg_reader *reader)
{
    redo *self = (redo *)learner;
    for (size_t n = 0; n < self->rule.around.network_count; n++) {
        redo_part *part = &self->part[n];
        part->examples = eg_read_u64(reader);
        for (size_t i = 0; i < self->rule.reset[n].units; i++) {
            part->sum[i] = eg_read_f64(reader);
            if (!(part->sum[i] >= 0)) {
                return eg_fail(EG_INVALID, "saved learner: a sum of %g, expected 0 or more",
                               part->sum[i]);
            }
        }
    }
    return eg_resetting_read(learner, reader);
}

static const eg_learner_ops redo_ops = {
    .free = redo_free,
    .begin_phase = eg_around_begin_phase,
    .step = step,
    .end_epoch = eg_around_end_epoch,
    .end_epoch_polls = eg_around_end_epoch_polls,
    .end_phase = eg_around_end_phase,
    .end_phase_polls = eg_around_end_phase_polls,
    .predict = eg_around_predict,
    .activity = eg_around_activity,
    .declare = eg_around_declare,
    .measure = eg_around_measure,
    .network = eg_around_network_at,
    .replaced = eg_resetting_replaced,
    .flops = eg_around_flops,
    .extra_flops = eg_around_extra_flops,
    .write = redo_write,
    .read = redo_read,
    .weights = eg_resetting_weights,
};

static eg_status open_part(redo_part *part, const eg_unit_reset *reset)
{
    size_t largest = 0;
    for (size_t h = 0; h < reset->at.net->hidden_count; h++) {
        size_t units = reset->at.net->hidden[h].units;
        largest = units > largest ? units : largest;
    }
    EG_TRY(eg_alloc(&part->sum, reset->units, sizeof *part->sum));
    return eg_alloc(&part->score, largest, sizeof *part->score);
}

static eg_status redo_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_reset_published published = {.momentum = EG_RESET_STATE_WEIGHTS,
                                                 .means = EG_RESET_STATE_WEIGHTS};
    redo *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->period = eg_view_size(view, "period");
    self->start = eg_view_size(view, "start");
    self->end = eg_view_size(view, "end") > 0 ? eg_view_size(view, "end") : UINT64_MAX;
    self->tau = eg_view_real(view, "tau");
    self->rate = eg_view_real(view, "rate");
    size_t batch = setup->shape.batch;
    self->window = (eg_view_size(view, "window") + batch - 1) / batch;
    eg_around *around = &self->rule.around;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_resetting_init(&self->rule, &redo_ops, view, setup, "redo", published));
    EG_TRY_DONE(status, eg_alloc(&self->part, around->network_count, sizeof *self->part));
    for (size_t n = 0; n < around->network_count; n++) {
        EG_TRY_DONE(status, open_part(&self->part[n], &self->rule.reset[n]));
    }
    *out = &around->base;
    return status;
done:
    redo_free(&self->rule.around.base);
    return status;
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "tau",
     .type = EG_TYPE_REAL,
     .default_text = "0.1",
     .min = 0,
     .max = INFINITY,
     .doc = "a unit is dormant whose mean activation is at most this share of the mean of its "
            "layer (published: 0.1 everywhere, 0.025 in the default setting of its program)"},
    {.name = "period",
     .type = EG_TYPE_INT,
     .default_text = "1000",
     .min = 1,
     .max = 1e12,
     .unit = "updates",
     .doc = "how often dormant units are looked for"},
    {.name = "start",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e15,
     .unit = "updates",
     .doc = "before this update no unit is reset"},
    {.name = "end",
     .type = EG_TYPE_INT,
     .default_text = "0",
     .min = 0,
     .max = 1e15,
     .unit = "updates",
     .doc = "from this update on none is either; 0: it goes on"},
    {.name = "window",
     .type = EG_TYPE_INT,
     .default_text = "512",
     .min = 1,
     .max = 1e9,
     .unit = "examples",
     .doc = "over how many of the last examples, in whole minibatches, activations are averaged; "
            "1: the last minibatch"},
    {.name = "rate",
     .type = EG_TYPE_REAL,
     .default_text = "0",
     .min = 0,
     .max = 1,
     .doc = "instead of all below tau, this share of every layer, the lowest, which falls to 0 at "
            "`end` as a quarter of a cosine does (published: 0.3); 0: by tau"},
    EG_UNIT_RESET_PARAMS(
        "draw", "draw", "zero",
        "what the optimizer forgets of a unit that is reset: nothing, its incoming "
        "and outgoing weights, its bias too, or the count of their updates too; "
        "published: its weights"),
};

static eg_status check(const eg_view *view)
{
    if (eg_view_real(view, "rate") > 0 && eg_view_size(view, "end") == 0) {
        return eg_fail_setting(view->prefix, "rate end",
                               "%srate falls until %send: say when that is", view->prefix,
                               view->prefix);
    }
    return eg_resetting_check(view);
}

const eg_learner_kind eg_learner_redo = {
    .component = {.name = "redo",
                  .doc = "any learner; every now and then the hidden units that are dormant, "
                         "compared with their layer, are reset",
                  .source = "Sokar et al. 2023, arXiv 2302.12902, and its program google/dopamine",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .records_inside = true,
    .check = check,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = eg_learner_extra_flops_inside,
    .create = redo_create,
};
