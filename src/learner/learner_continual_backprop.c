/** Continual backpropagation around any learner with a network: after every update, very few of the
 *  units that the network would miss least, and that are old enough, are made anew.
 *
 *      for every hidden layer, from the input:                     decide
 *          ages, running means and utilities of its units (learner/utility.h)
 *          N = units older than `maturity`; none: next layer
 *          accumulate:  c += replacement_rate N; n = floor(c); c -= n
 *          otherwise:   q = replacement_rate N; n = floor(q) if q >= 1, else 1 with probability q
 *          the n units of the smallest utility are chosen, the first of several
 *      for every hidden layer: its chosen units are written (learner/unit_reset.h)
 *
 *  Activations are those of the forward before the update, weights those after it. In a residual
 *  network the outgoing weights of a unit are those of the next convolution; on the skip connection
 *  a unit that is new stays visible, as in the program. Sources: Dohare
 *  et al. 2024, doi 10.1038/s41586-024-07711-7, algorithm 1; Dohare et al. 2021, arXiv 2108.06325;
 *  program shibhansh/loss-of-plasticity. */
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "learner/bias_compensation.h"
#include "learner/resetting.h"
#include "learner/utility.h"

#include <math.h>

/* What the replacement rate is a share of; the order is that of the names. */
typedef enum accum_base { ACCUM_ELIGIBLE, ACCUM_TOTAL } accum_base;

static const char *const accum_base_names[] = {
    [ACCUM_ELIGIBLE] = "eligible", [ACCUM_TOTAL] = "total", NULL};

/* Of one network. */
typedef struct cbp_part {
    eg_unit_reset reset;
    eg_utility utility;
    eg_compensation compensation;
    double *owed; /* [hidden_count] fractions of units */
} cbp_part;

typedef struct continual_backprop {
    eg_around around;
    double rate;
    bool accumulates, compensates;
    accum_base base;
} continual_backprop;

/* Whether a unit is replaced, by a coin of this update and layer. */
static bool toss(const eg_around_net *network, size_t hidden, double probability)
{
    const eg_net *net = network->at.net;
    uint64_t index = network->updates * net->hidden_count + hidden;
    eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_UNIT_COIN, index);
    return eg_rng_uniform(&rng) < probability;
}

/* How many units of a layer are replaced now, of those that are mature; at least one is. */
static size_t how_many(const continual_backprop *self, size_t n, size_t hidden, size_t mature)
{
    const eg_around_net *network = &self->around.network[n];
    const cbp_part *part = eg_around_part(&self->around, n);
    double *owed = &part->owed[hidden];
    size_t units = network->at.net->hidden[hidden].units;
    double due = self->rate * (double)(self->base == ACCUM_TOTAL ? units : mature);
    double count = floor(due);
    if (self->accumulates) {
        *owed += due;
        count = floor(*owed);
        *owed -= count;
    } else if (due < 1) {
        count = toss(network, hidden, due) ? 1 : 0;
    }
    return count < (double)mature ? (size_t)count : mature;
}

static void replace_units(eg_around *around, size_t n)
{
    const continual_backprop *self = (const continual_backprop *)around;
    const eg_around_net *network = &around->network[n];
    cbp_part *part = eg_around_part(around, n);
    if (!(self->rate > 0)) {
        return;
    }
    eg_utility_begin(&part->utility);
    for (size_t h = 0; h < network->at.net->hidden_count; h++) {
        size_t mature =
            eg_unit_reset_takes(&part->reset, h) ? eg_utility_observe(&part->utility, h) : 0;
        size_t count = mature > 0 ? how_many(self, n, h, mature) : 0;
        if (count > 0) {
            eg_utility_rank(&part->utility, h, network->updates);
        }
        for (size_t i = 0; i < count; i++) {
            size_t unit = eg_utility_least(&part->utility, h);
            if (self->compensates) {
                eg_compensation_add(&part->compensation, h, unit,
                                    eg_utility_activation(&part->utility, h, unit));
            }
            eg_utility_restart(&part->utility, h, unit);
            eg_unit_reset_choose(&part->reset, h, unit);
        }
    }
    (void)eg_unit_reset_apply(&part->reset, network->updates);
    around->own_flops += eg_utility_flops(&part->utility, eg_workspace_batch(network->at.training));
}

/* All units are new, and none is owed. */
static void begin(eg_around *around, size_t n)
{
    const eg_net *net = around->network[n].at.net;
    cbp_part *part = eg_around_part(around, n);
    for (size_t h = 0; h < net->hidden_count; h++) {
        part->owed[h] = 0;
    }
    eg_utility_reset(&part->utility);
}

static void write_part(const eg_around *around, size_t n, eg_writer *writer)
{
    const cbp_part *part = eg_around_part(around, n);
    for (size_t h = 0; h < around->network[n].at.net->hidden_count; h++) {
        eg_write_f64(writer, part->owed[h]);
    }
    eg_utility_write(&part->utility, writer);
    eg_unit_reset_write(&part->reset, writer);
}

static eg_status read_part(eg_around *around, size_t n, eg_reader *reader)
{
    cbp_part *part = eg_around_part(around, n);
    for (size_t h = 0; h < around->network[n].at.net->hidden_count; h++) {
        part->owed[h] = eg_read_f64(reader);
        if (!(part->owed[h] >= 0 && part->owed[h] < 1)) {
            return eg_fail(EG_INVALID, "saved learner: %g of a unit is owed, expected 0 … 1",
                           part->owed[h]);
        }
    }
    EG_TRY(eg_utility_read(&part->utility, reader));
    return eg_unit_reset_read(&part->reset, reader);
}

/* The networks come first: utilities keep sums of their weights. */
static void cbp_write(const eg_learner *learner, eg_writer *writer)
{
    eg_around_write_inside(learner, writer);
    eg_around_write_counts(learner, writer);
    eg_around_write_parts(learner, writer);
}

static eg_status cbp_read(eg_learner *learner, eg_reader *reader)
{
    EG_TRY(eg_around_read_inside(learner, reader));
    EG_TRY(eg_around_read_counts(learner, reader));
    return eg_around_read_parts(learner, reader);
}

static eg_status open_part(eg_around *around, size_t n, const eg_view *view)
{
    const eg_utility_rule rule = {
        .kind = (eg_utility_kind)eg_view_name(view, "utility"),
        .statistic = (eg_utility_statistic)eg_view_name(view, "statistic"),
        .decay = eg_view_real(view, "decay"),
        .bias_corrected = eg_view_bool(view, "bias_correction"),
        .maturity = (uint32_t)eg_view_size(view, "maturity"),
    };
    static const eg_reset_published published = {.momentum = EG_RESET_STATE_NONE,
                                                 .means = EG_RESET_STATE_UNIT_AND_COUNT};
    const eg_learner_network *at = &around->network[n].at;
    cbp_part *part = eg_around_part(around, n);
    bool compensates = ((const continual_backprop *)around)->compensates;
    EG_TRY(eg_alloc(&part->owed, at->net->hidden_count, sizeof *part->owed));
    EG_TRY(eg_utility_init(&part->utility, at, &rule));
    if (((const continual_backprop *)around)->rate > 0) {
        EG_TRY(eg_utility_follow(&part->utility));
    }
    EG_TRY(eg_unit_reset_init(&part->reset, view, at, published));
    return compensates ? eg_compensation_init(&part->compensation, at->net) : eg_ok();
}

static void close_part(eg_around *around, size_t n)
{
    cbp_part *part = eg_around_part(around, n);
    eg_utility_clear(&part->utility);
    eg_unit_reset_clear(&part->reset);
    eg_compensation_clear(&part->compensation);
    eg_free(part->owed);
}

static eg_status read_settings(eg_around *around, const eg_view *view,
                               const eg_learner_setup *setup)
{
    continual_backprop *self = (continual_backprop *)around;
    (void)setup;
    self->rate = eg_view_real(view, "replacement_rate");
    self->accumulates = eg_view_bool(view, "accumulate");
    self->base = (accum_base)eg_view_name(view, "accum_base");
    self->compensates = eg_view_bool(view, "bias_compensation");
    return eg_ok();
}

static eg_status cbp_create(eg_learner **out, const eg_view *view, const eg_learner_setup *setup)
{
    static const eg_around_method method = {
        .name = "continual_backprop",
        .size = sizeof(continual_backprop),
        .part_size = sizeof(cbp_part),
        .ops = {.replaced = eg_resetting_replaced, .write = cbp_write, .read = cbp_read},
        .open = read_settings,
        .open_part = open_part,
        .close_part = close_part,
        .after_update = replace_units,
        .renewed = begin,
        .given = eg_resetting_given,
        .write_part = write_part,
        .read_part = read_part,
    };
    return eg_around_create(out, &method, view, setup);
}

static const eg_param params[] = {
    EG_LEARNER_OF,
    {.name = "replacement_rate",
     .type = EG_TYPE_REAL,
     .default_text = "1e-4",
     .min = 0,
     .max = 1,
     .doc =
         "share of the mature units of a layer that is replaced per update; it is this rate times "
         "the units of a layer that sets the pace (published: 1e-6 … 1e-4 for 2000 units, 1e-5 "
         "for 512, 1e-6 … 1e-2 for 5); 0: none ever are"},
    {.name = "maturity",
     .type = EG_TYPE_INT,
     .default_text = "100",
     .min = 0,
     .max = 1e9,
     .unit = "updates",
     .doc = "a unit can be replaced when it is older (published: 100, a residual net 1000; the "
            "regression of the released program ran with 10)"},
    {.name = "decay",
     .type = EG_TYPE_REAL,
     .default_text = "0.99",
     .min = 0,
     .max = EG_UTILITY_DECAY_MAX,
     .doc = "share of the running means of activation and utility that an update keeps"},
    {.name = "utility",
     .type = EG_TYPE_NAME,
     .default_text = "adaptable_contribution",
     .names = eg_utility_names,
     .doc =
         "running mean of what: with o = mean |outgoing weight|, i = mean |incoming weight|, h the "
         "activation and f its running mean: o |h| (contribution), o |h - f| "
         "(zero_contribution), o |h - f| / i (adaptable_contribution), 1/i (adaptation), o "
         "(weight), |h - f| / i (feature_by_input), or a random number. Equation 1 of the paper: "
         "contribution with bias_correction = false"},
    {.name = "statistic",
     .type = EG_TYPE_NAME,
     .default_text = "utility",
     .names = eg_utility_statistic_names,
     .doc = "what is followed from update to update: the running mean of the utility; or of |h| "
            "alone, and utilities are worked out when a unit is to be replaced: a running mean "
            "(ema), or a sum that neither decays nor begins anew with a unit (cumulative: residual "
            "nets of the released program); these for contribution and weight",
     .added_later = true},
    {.name = "bias_correction",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc =
         "divide the utility by 1 - decay^age, so that young units can be compared with old ones; "
         "the running mean of the activation always is, a cumulative sum never"},
    {.name = "accumulate",
     .type = EG_TYPE_BOOL,
     .default_text = "true",
     .doc =
         "fractions of units add up until one is due; false: less than one unit is a probability, "
         "and what is above a whole number is lost (published for the slowly-changing regression)"},
    {.name = "accum_base",
     .type = EG_TYPE_NAME,
     .default_text = "eligible",
     .names = accum_base_names,
     .doc = "what the rate is a share of: the mature units, or all units of the layer as soon as "
            "one is "
            "mature (published with convolutions)"},
    EG_UNIT_RESET_PARAMS("draw", "zero", "fresh",
                         "what the optimizer forgets of a replaced unit: nothing, its incoming and "
                         "outgoing weights, its "
                         "bias too, or the count of their updates too; published: nothing with "
                         "sgdm, otherwise all that "
                         "there is"),
    {.name = "bias_compensation",
     .type = EG_TYPE_BOOL,
     .default_text = "false",
     .doc =
         "add what a replaced unit gave on average to the biases of those that used it; meant but "
         "without effect in the released program"},
};

static eg_status check(const eg_view *view)
{
    size_t statistic = eg_view_name(view, "statistic");
    size_t kind = eg_view_name(view, "utility");
    if (statistic != EG_UTILITY_STATISTIC_UTILITY && kind != EG_UTILITY_CONTRIBUTION &&
        kind != EG_UTILITY_WEIGHT) {
        return eg_fail_setting(view->prefix, "utility statistic",
                               "%sutility = %s: with %sstatistic = %s there are contribution and "
                               "weight",
                               view->prefix, eg_utility_names[kind], view->prefix,
                               eg_utility_statistic_names[statistic]);
    }
    return eg_resetting_check(view);
}

/* Incoming weights are about those of a forward, outgoing ones those behind the inputs. */
static double extra_flops(const eg_view *view, const eg_learner_work *work)
{
    double own = eg_view_real(view, "replacement_rate") > 0 ? work->forward + work->rest : 0;
    return own * work->steps + eg_learner_extra_flops_inside(view, work);
}

const eg_learner_kind eg_learner_continual_backprop = {
    .component =
        {.name = "continual_backprop",
         .doc = "any learner; after every update a few units of little use are replaced by new "
                "ones",
         .source = "Dohare et al. 2024, Nature 632, 768-774, algorithm 1",
         .params = params,
         .param_count = EG_COUNT(params),
         .alias = "cbp"},
    .records_inside = true,
    .check = check,
    .needs_held_out = eg_learner_needs_held_out_inside,
    .extra_flops = extra_flops,
    .takes_positions = true,
    .create = cbp_create,
};
