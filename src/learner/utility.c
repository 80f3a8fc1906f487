/** Ages, running means and utilities of hidden units; see learner/utility.h. */
#include "learner/utility.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "learner/utility_sums.h"
#include "math/shared/clones.h"

#include <float.h>
#include <math.h>
#include <string.h>

const char *const eg_utility_names[] = {
    [EG_UTILITY_CONTRIBUTION] = "contribution",
    [EG_UTILITY_ZERO_CONTRIBUTION] = "zero_contribution",
    [EG_UTILITY_ADAPTABLE_CONTRIBUTION] = "adaptable_contribution",
    [EG_UTILITY_ADAPTATION] = "adaptation",
    [EG_UTILITY_WEIGHT] = "weight",
    [EG_UTILITY_FEATURE_BY_INPUT] = "feature_by_input",
    [EG_UTILITY_RANDOM] = "random",
    NULL,
};

const char *const eg_utility_statistic_names[] = {
    [EG_UTILITY_STATISTIC_UTILITY] = "utility",
    [EG_UTILITY_STATISTIC_EMA] = "ema",
    [EG_UTILITY_STATISTIC_CUMULATIVE] = "cumulative",
    NULL,
};

/* What a kind is made of. */
typedef struct factors {
    bool activation; /* mean |h| or mean |h - f| */
    bool centred;    /* the latter */
    bool out, in;
} factors;

static const factors factors_of[] = {
    [EG_UTILITY_CONTRIBUTION] = {.activation = true, .out = true},
    [EG_UTILITY_ZERO_CONTRIBUTION] = {.activation = true, .centred = true, .out = true},
    [EG_UTILITY_ADAPTABLE_CONTRIBUTION] = {.activation = true,
                                           .centred = true,
                                           .out = true,
                                           .in = true},
    [EG_UTILITY_ADAPTATION] = {.in = true},
    [EG_UTILITY_WEIGHT] = {.out = true},
    [EG_UTILITY_FEATURE_BY_INPUT] = {.activation = true, .centred = true, .in = true},
    [EG_UTILITY_RANDOM] = {.activation = false},
};

/* Below it is no mean that could be divided by. */
#ifdef EG_REAL_DOUBLE
static const eg_real least_in = DBL_MIN;
#else
static const eg_real least_in = FLT_MIN;
#endif

static eg_status tabulate(eg_utility *utility)
{
    double eta = utility->rule.decay;
    double power = eta;
    int32_t end = 1;
    while (1.0 - power < 1.0) {
        power = pow(eta, ++end);
    }
    EG_TRY(eg_alloc(&utility->rate, (size_t)end + 1, sizeof *utility->rate));
    for (int32_t t = 1; t <= end; t++) {
        utility->rate[t] = (eg_real)((1.0 - eta) / (1.0 - pow(eta, t)));
    }
    utility->rate_end = end;
    return eg_ok();
}

eg_status eg_utility_init(eg_utility *utility, const eg_learner_network *at,
                          const eg_utility_rule *rule)
{
    const eg_net *net = at->net;
    factors of = factors_of[rule->kind];
    size_t widest = 0;
    *utility = (eg_utility){.rule = *rule, .at = *at};
    if (at->training == NULL) {
        return eg_fail(EG_INVALID, "the learner inside does not show the activations of its steps");
    }
    EG_TRY(eg_unit_magnitudes_init(&utility->magnitudes, net, of.in, of.out));
    utility->when_due = rule->statistic != EG_UTILITY_STATISTIC_UTILITY;
    EG_TRY(eg_alloc(&utility->first, net->hidden_count + 1, sizeof *utility->first));
    for (size_t h = 0; h < net->hidden_count; h++) {
        size_t units = net->hidden[h].units;
        utility->first[h + 1] = utility->first[h] + units;
        widest = units > widest ? units : widest;
    }
    size_t units = utility->first[net->hidden_count];
    EG_TRY(eg_alloc(&utility->age, units, sizeof *utility->age));
    EG_TRY(eg_alloc(&utility->u, units, sizeof *utility->u));
    EG_TRY(eg_alloc(&utility->f, units, sizeof *utility->f));
    EG_TRY(eg_alloc(&utility->mean, widest, sizeof *utility->mean));
    EG_TRY(eg_alloc(&utility->pace, widest, sizeof *utility->pace));
    EG_TRY(eg_alloc(&utility->spread, widest, sizeof *utility->spread));
    EG_TRY(eg_alloc(&utility->sums, 2 * widest, sizeof *utility->sums));
    EG_TRY(eg_alloc(&utility->due, widest, sizeof *utility->due));
    EG_TRY(tabulate(utility));
    int32_t mature = (int32_t)rule->maturity + 1;
    utility->age_end = mature > utility->rate_end ? mature : utility->rate_end;
    return eg_ok();
}

eg_status eg_utility_follow(eg_utility *utility)
{
    eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    if (utility->when_due) {
        return eg_ok();
    }
    EG_TRY(eg_unit_magnitudes_keep(magnitudes));
    for (size_t k = 0; k < magnitudes->kept_count; k++) {
        eg_optimizer_follow(utility->at.optimizer, &magnitudes->kept[k]);
    }
    return eg_ok();
}

void eg_utility_clear(eg_utility *utility)
{
    eg_unit_magnitudes_clear(&utility->magnitudes);
    eg_free(utility->first);
    eg_free(utility->age);
    eg_free(utility->u);
    eg_free(utility->f);
    eg_free(utility->rate);
    eg_free(utility->mean);
    eg_free(utility->pace);
    eg_free(utility->spread);
    eg_free(utility->sums);
    eg_free(utility->due);
}

static void take(eg_utility *utility)
{
    eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    if (!utility->taken && (magnitudes->takes_in || magnitudes->takes_out)) {
        eg_unit_magnitudes_take(magnitudes);
        utility->taken = true;
    }
}

void eg_utility_begin(eg_utility *utility)
{
    utility->taken = false;
    if (!utility->when_due) {
        take(utility);
    }
}

/* One update more for n units whose mean activation in it was x: their ages, running means f, and
 * into pace the rate of a bias-corrected mean at their age. Returns how many are mature. */
EG_CLONES static size_t grow_older(size_t n, const eg_utility *utility, const eg_real *restrict x,
                                   int32_t *restrict age, eg_real *restrict f,
                                   eg_real *restrict pace)
{
    const eg_real *restrict rate = utility->rate;
    int32_t end = utility->age_end, rate_end = utility->rate_end;
    int32_t maturity = (int32_t)utility->rule.maturity;
    uint32_t mature = 0;
    for (size_t i = 0; i < n; i++) {
        age[i] += age[i] < end ? 1 : 0;
        mature += age[i] > maturity ? 1 : 0;
    }
    for (size_t i = 0; i < n; i++) {
        pace[i] = rate[age[i] < rate_end ? age[i] : rate_end];
    }
    for (size_t i = 0; i < n; i++) {
        f[i] += (x[i] - f[i]) * pace[i];
    }
    return mature;
}

/* u <- running mean of spread out / in, at the rates in pace. */
__attribute__((always_inline)) static inline void
follow_with(bool has_out, bool has_in, size_t n, const eg_real *restrict spread,
            const eg_real *restrict out, const eg_real *restrict in, const eg_real *restrict pace,
            eg_real *restrict u)
{
    for (size_t i = 0; i < n; i++) {
        eg_real x = spread[i];
        x = has_out ? x * out[i] : x;
        x = has_in ? x / (in[i] > least_in ? in[i] : least_in) : x;
        u[i] += (x - u[i]) * pace[i];
    }
}

/* out, in NULL: 1 */
EG_CLONES static void follow(size_t n, const eg_real *spread, const eg_real *out, const eg_real *in,
                             const eg_real *pace, eg_real *u)
{
    if (out != NULL && in != NULL) {
        follow_with(true, true, n, spread, out, in, pace, u);
    } else if (out != NULL) {
        follow_with(true, false, n, spread, out, in, pace, u);
    } else if (in != NULL) {
        follow_with(false, true, n, spread, out, in, pace, u);
    } else {
        follow_with(false, false, n, spread, out, in, pace, u);
    }
}

static void fill(size_t n, eg_real value, eg_real *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = value;
    }
}

static eg_utility_map map_of(const eg_utility *utility, size_t hidden)
{
    const eg_learner_network *at = &utility->at;
    const eg_hidden_layer *layer = &at->net->hidden[hidden];
    return (eg_utility_map){.y = eg_workspace_hidden(at->training, at->net, hidden),
                            .batch = eg_workspace_batch(at->training),
                            .positions = layer->positions,
                            .parts = layer->parts,
                            .units = layer->units,
                            .scratch = utility->sums};
}

/* One update more for the sums of activations, whose mean size is `spread`. */
static void accumulate(const eg_utility *utility, size_t n, eg_real *u)
{
    if (utility->rule.statistic == EG_UTILITY_STATISTIC_EMA) {
        follow(n, utility->spread, NULL, NULL, utility->pace, u);
        return;
    }
    eg_real rate = (eg_real)(1.0 - utility->rule.decay);
    for (size_t i = 0; i < n; i++) {
        u[i] += rate * utility->spread[i];
    }
}

/* One update more for the running means of utilities. */
static void follow_utilities(const eg_utility *utility, size_t hidden, const eg_utility_map *map,
                             const eg_real *centre, eg_real *u)
{
    const eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    factors of = factors_of[utility->rule.kind];
    size_t spread = utility->at.net->hidden[hidden].spread;
    const eg_real *out = of.out ? magnitudes->out + magnitudes->first_out[hidden] : NULL;
    const eg_real *in = of.in ? magnitudes->in + utility->first[hidden] : NULL;
    if (out != NULL && spread > 1) {
        eg_utility_uses(of.activation ? map : NULL, map->units, spread, centre, out,
                        utility->spread);
        out = NULL;
    } else if (!of.activation) {
        fill(map->units, 1, utility->spread);
    } else if (of.centred) {
        eg_utility_means(map, centre, NULL, utility->spread);
    }
    follow(map->units, utility->spread, out, in, utility->pace, u);
}

size_t eg_utility_observe(eg_utility *utility, size_t hidden)
{
    const eg_utility_map map = map_of(utility, hidden);
    const eg_utility_rule *rule = &utility->rule;
    size_t first = utility->first[hidden];
    bool one = map.batch * map.positions * map.parts == 1;
    factors of = factors_of[rule->kind];
    eg_real *f = utility->f + first;
    eg_real *u = utility->u + first;
    eg_utility_means(&map, NULL, one ? NULL : utility->mean,
                     of.activation && !of.centred ? utility->spread : NULL);
    size_t mature = grow_older(map.units, utility, one ? map.y : utility->mean,
                               utility->age + first, f, utility->pace);
    if (rule->kind == EG_UTILITY_RANDOM) {
        return mature;
    }
    if (!rule->bias_corrected) {
        fill(map.units, (eg_real)(1.0 - rule->decay), utility->pace);
    }
    if (!utility->when_due) {
        follow_utilities(utility, hidden, &map, of.centred ? f : NULL, u);
    } else if (of.activation) {
        accumulate(utility, map.units, u);
    }
    return mature;
}

static void draw(eg_utility *utility, size_t hidden, uint64_t update)
{
    const eg_net *net = utility->at.net;
    eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_UNIT_RANK, update * net->hidden_count + hidden);
    for (size_t i = utility->first[hidden]; i < utility->first[hidden + 1]; i++) {
        utility->u[i] = (eg_real)eg_rng_uniform(&rng);
    }
}

/* Utilities of now, from the sums of activations and the weights. */
static void weigh(eg_utility *utility, size_t hidden)
{
    const eg_hidden_layer *layer = &utility->at.net->hidden[hidden];
    const eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    const eg_real *u = utility->u + utility->first[hidden];
    take(utility);
    eg_utility_uses(NULL, layer->units, layer->spread, NULL,
                    magnitudes->out + magnitudes->first_out[hidden], utility->due);
    for (size_t i = 0; factors_of[utility->rule.kind].activation && i < layer->units; i++) {
        utility->due[i] *= u[i];
    }
}

void eg_utility_rank(eg_utility *utility, size_t hidden, uint64_t update)
{
    if (utility->rule.kind == EG_UTILITY_RANDOM) {
        draw(utility, hidden, update);
    } else if (utility->when_due) {
        weigh(utility, hidden);
    }
}

size_t eg_utility_least(const eg_utility *utility, size_t hidden)
{
    size_t first = utility->first[hidden];
    size_t units = utility->at.net->hidden[hidden].units;
    const int32_t *age = utility->age + first;
    const eg_real *u = utility->when_due ? utility->due : utility->u + first;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < units; i++) {
        bool is_mature = age[i] > (int32_t)utility->rule.maturity;
        if (is_mature && (least == SIZE_MAX || u[i] < u[least])) {
            least = i;
        }
    }
    return least;
}

eg_real eg_utility_activation(const eg_utility *utility, size_t hidden, size_t unit)
{
    return utility->f[utility->first[hidden] + unit];
}

static size_t units_of(const eg_utility *utility)
{
    return utility->first[utility->at.net->hidden_count];
}

void eg_utility_restart(eg_utility *utility, size_t hidden, size_t unit)
{
    size_t i = utility->first[hidden] + unit;
    utility->age[i] = 0;
    utility->f[i] = 0;
    if (utility->rule.statistic != EG_UTILITY_STATISTIC_CUMULATIVE) {
        utility->u[i] = 0;
    }
}

void eg_utility_reset(eg_utility *utility)
{
    for (size_t i = 0; i < units_of(utility); i++) {
        utility->age[i] = 0;
        utility->f[i] = 0;
        utility->u[i] = 0;
    }
}

double eg_utility_flops(const eg_utility *utility, size_t batch)
{
    const eg_net *net = utility->at.net;
    double flops = utility->taken ? 2 * utility->magnitudes.read : 0;
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        double rows = (double)(batch * layer->positions * layer->parts);
        flops += (4 * rows + 8) * (double)layer->units;
    }
    return flops;
}

void eg_utility_write(const eg_utility *utility, eg_writer *writer)
{
    size_t units = units_of(utility);
    for (size_t i = 0; i < units; i++) {
        eg_write_u32(writer, (uint32_t)utility->age[i]);
    }
    eg_write_reals(writer, units, utility->u);
    eg_write_reals(writer, units, utility->f);
    eg_unit_magnitudes_write(&utility->magnitudes, writer);
}

eg_status eg_utility_read(eg_utility *utility, eg_reader *reader)
{
    size_t units = units_of(utility);
    for (size_t i = 0; i < units; i++) {
        uint32_t age = eg_read_u32(reader);
        if (age > (uint32_t)utility->age_end) {
            return eg_fail(EG_INVALID, "saved utilities: a unit of age %lu, expected at most %ld",
                           (unsigned long)age, (long)utility->age_end);
        }
        utility->age[i] = (int32_t)age;
    }
    EG_TRY(eg_read_reals(reader, units, utility->u, "utilities"));
    EG_TRY(eg_read_reals(reader, units, utility->f, "mean activations"));
    return eg_unit_magnitudes_read(&utility->magnitudes, reader);
}
