/** ReDo, recycling of dormant neurons, around any learner: now and then the hidden units that
 *  hardly do anything, measured by the mean of their layer, are reset.
 *
 *      after update n, if n mod period = 0 and start <= n < end, for every hidden layer of m units:
 *          a_i = mean |h_i| over the last examples, all places and parts of the unit
 *          s_i = a_i / (sum_k a_k / m + 1e-9)
 *          dormant: s_i <= tau;  rate > 0: the round(m rate cos(pi/2 n/end)) lowest, at least one
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
    eg_unit_reset reset;
    double *sum;       /* [units of all hidden layers] of |h| since the window began */
    uint64_t examples; /* in it */
    double *score;     /* [units of the largest layer] */
} redo_part;

typedef struct redo {
    eg_around around;
    uint64_t period, start, end; /* in updates; end UINT64_MAX: never */
    uint64_t window;             /* in minibatches */
    double tau, rate;
} redo;

/* Adds |h| of the minibatch [B, positions, parts*units] to the sums of a layer. */
static void add_layer(const eg_hidden_layer *layer, size_t rows, const eg_real *h, double *sum)
{
    for (size_t row = 0; row < rows * layer->parts; row++) {
        for (size_t i = 0; i < layer->units; i++) {
            sum[i] += fabs((double)h[row * layer->units + i]);
        }
    }
}

static void add_minibatch(redo_part *part)
{
    const eg_learner_network *at = &part->reset.at;
    size_t batch = eg_workspace_batch(at->training);
    for (size_t h = 0; h < at->net->hidden_count; h++) {
        const eg_hidden_layer *layer = &at->net->hidden[h];
        add_layer(layer, batch * layer->positions, eg_workspace_hidden(at->training, at->net, h),
                  part->sum + part->reset.first[h]);
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

static void choose_dormant(redo_part *part, double tau, size_t hidden)
{
    for (size_t i = 0; i < part->reset.at.net->hidden[hidden].units; i++) {
        if (part->score[i] <= tau) {
            eg_unit_reset_choose(&part->reset, hidden, i);
        }
    }
}

/* The `count` lowest scores, the first of several. */
static void choose_lowest(redo_part *part, size_t hidden, size_t count)
{
    double *score = part->score;
    size_t units = part->reset.at.net->hidden[hidden].units;
    for (size_t k = 0; k < count; k++) {
        size_t least = 0;
        for (size_t i = 1; i < units; i++) {
            least = score[i] < score[least] ? i : least;
        }
        score[least] = INFINITY;
        eg_unit_reset_choose(&part->reset, hidden, least);
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

static void recycle(const redo *self, redo_part *part, uint64_t update)
{
    eg_unit_reset *reset = &part->reset;
    const eg_net *net = reset->at.net;
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        if (!eg_unit_reset_takes(reset, h)) {
            continue;
        }
        score_layer(part, layer, part->sum + reset->first[h]);
        if (self->rate > 0) {
            choose_lowest(part, h, scheduled(self, update, layer->units));
        } else {
            choose_dormant(part, self->tau, h);
        }
    }
    (void)eg_unit_reset_apply(reset, update);
}

static void begin_window(eg_around *around, size_t n)
{
    redo_part *part = eg_around_part(around, n);
    for (size_t i = 0; i < part->reset.units; i++) {
        part->sum[i] = 0;
    }
    part->examples = 0;
}

static void follow(eg_around *around, size_t n)
{
    const redo *self = (const redo *)around;
    redo_part *part = eg_around_part(around, n);
    uint64_t update = around->network[n].updates;
    uint64_t next = (update + self->period - 1) / self->period * self->period;
    if (next < self->start || next >= self->end || next - update >= self->window) {
        return;
    }
    add_minibatch(part);
    if (update == next) {
        recycle(self, part, update);
        begin_window(around, n);
    }
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    const redo_part *part = eg_around_part(around, n);
    eg_write_u64(writer, part->examples);
    for (size_t i = 0; i < part->reset.units; i++) {
        eg_write_f64(writer, part->sum[i]);
    }
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    redo_part *part = eg_around_part(around, n);
    part->examples = eg_read_u64(reader);
    for (size_t i = 0; i < part->reset.units; i++) {
        part->sum[i] = eg_read_f64(reader);
        if (!(part->sum[i] >= 0)) {
            return eg_fail(EG_INVALID, "saved learner: a sum of %g, expected 0 or more",
                           part->sum[i]);
        }
    }
    return eg_ok();
}

static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    static const eg_reset_published published = {.momentum = EG_RESET_STATE_WEIGHTS,
                                                 .means = EG_RESET_STATE_WEIGHTS};
    const eg_net *net = around->network[n].at.net;
    redo_part *part = eg_around_part(around, n);
    size_t largest = 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        largest = net->hidden[h].units > largest ? net->hidden[h].units : largest;
    }
    EG_TRY(eg_resetting_open_part(around, n, view, published));
    EG_TRY(eg_alloc(&part->sum, part->reset.units, sizeof *part->sum));
    return eg_alloc(&part->score, largest, sizeof *part->score);
}

static void close_part(eg_around *around, size_t n)
{
    redo_part *part = eg_around_part(around, n);
    eg_unit_reset_clear(&part->reset);
    eg_free(part->sum);
    eg_free(part->score);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    redo *self = (redo *)around;
    size_t batch = setup->shape.batch;
    self->period = eg_view_size(view, "period");
    self->start = eg_view_size(view, "start");
    self->end = eg_view_size(view, "end") > 0 ? eg_view_size(view, "end") : UINT64_MAX;
    self->tau = eg_view_real(view, "tau");
    self->rate = eg_view_real(view, "rate");
    self->window = (eg_view_size(view, "window") + batch - 1) / batch;
    return eg_ok();
}

static eg_status redo_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "redo",
        .size = sizeof(redo),
        .part_size = sizeof(redo_part),
        .ops = {.replaced = eg_resetting_replaced,
                .write = eg_resetting_write,
                .read = eg_resetting_read},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .after_update = follow,
        .renewed = begin_window,
        .given = eg_resetting_given,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
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
    .takes_positions = true,
    .create = redo_create,
};
