/** Ages, running means and utilities of hidden units; see learner/utility.h. */
#include "learner/utility.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"

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
    EG_TRY(tabulate(utility));
    int32_t mature = (int32_t)rule->maturity + 1;
    utility->age_end = mature > utility->rate_end ? mature : utility->rate_end;
    return eg_ok();
}

eg_status eg_utility_follow(eg_utility *utility)
{
    eg_unit_magnitudes *magnitudes = &utility->magnitudes;
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
}

void eg_utility_begin(eg_utility *utility)
{
    eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    if (magnitudes->takes_in || magnitudes->takes_out) {
        eg_unit_magnitudes_take(magnitudes);
    }
}

EG_CLONES static void mean_of(size_t rows, size_t n, const eg_real *restrict y,
                              eg_real *restrict mean)
{
    memset(mean, 0, n * sizeof *mean);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            mean[i] += y[r * n + i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        mean[i] /= (eg_real)rows;
    }
}

/* spread = mean over rows of |y - centre|; centre NULL: 0 */
EG_CLONES static void spread_of(size_t rows, size_t n, const eg_real *restrict y,
                                const eg_real *restrict centre, eg_real *restrict spread)
{
    memset(spread, 0, n * sizeof *spread);
    for (size_t r = 0; r < rows; r++) {
        if (centre == NULL) {
            for (size_t i = 0; i < n; i++) {
                spread[i] += eg_abs(y[r * n + i]);
            }
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            spread[i] += eg_abs(y[r * n + i] - centre[i]);
        }
    }
    for (size_t i = 0; rows > 1 && i < n; i++) {
        spread[i] /= (eg_real)rows;
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

EG_CLONES static void follow(const factors *of, size_t n, const eg_real *spread, const eg_real *out,
                             const eg_real *in, const eg_real *pace, eg_real *u)
{
    if (of->out && of->in) {
        follow_with(true, true, n, spread, out, in, pace, u);
    } else if (of->out) {
        follow_with(true, false, n, spread, out, in, pace, u);
    } else {
        follow_with(false, true, n, spread, out, in, pace, u);
    }
}

static void fill(size_t n, eg_real value, eg_real *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = value;
    }
}

size_t eg_utility_observe(eg_utility *utility, size_t hidden)
{
    const eg_hidden_layer *layer = &utility->at.net->hidden[hidden];
    const eg_real *y = eg_workspace_hidden(utility->at.training, utility->at.net, hidden);
    const eg_unit_magnitudes *magnitudes = &utility->magnitudes;
    size_t first = utility->first[hidden];
    size_t n = layer->units;
    size_t rows = eg_workspace_batch(utility->at.training) * layer->positions * layer->parts;
    factors of = factors_of[utility->rule.kind];
    eg_real *f = utility->f + first;
    if (rows > 1) {
        mean_of(rows, n, y, utility->mean);
    }
    size_t mature = grow_older(n, utility, rows > 1 ? utility->mean : y, utility->age + first, f,
                               utility->pace);
    if (utility->rule.kind == EG_UTILITY_RANDOM) {
        return mature;
    }
    if (of.activation) {
        spread_of(rows, n, y, of.centred ? f : NULL, utility->spread);
    } else {
        fill(n, 1, utility->spread);
    }
    if (!utility->rule.bias_corrected) {
        fill(n, (eg_real)(1.0 - utility->rule.decay), utility->pace);
    }
    follow(&of, n, utility->spread, magnitudes->out + first, magnitudes->in + first, utility->pace,
           utility->u + first);
    return mature;
}

void eg_utility_draw(eg_utility *utility, size_t hidden, uint64_t update)
{
    const eg_net *net = utility->at.net;
    eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_UNIT_RANK, update * net->hidden_count + hidden);
    for (size_t i = utility->first[hidden];
         utility->rule.kind == EG_UTILITY_RANDOM && i < utility->first[hidden + 1]; i++) {
        utility->u[i] = (eg_real)eg_rng_uniform(&rng);
    }
}

size_t eg_utility_least(const eg_utility *utility, size_t hidden)
{
    size_t first = utility->first[hidden];
    size_t least = SIZE_MAX;
    for (size_t i = first; i < utility->first[hidden + 1]; i++) {
        bool is_mature = utility->age[i] > (int32_t)utility->rule.maturity;
        if (is_mature && (least == SIZE_MAX || utility->u[i] < utility->u[least])) {
            least = i;
        }
    }
    return least == SIZE_MAX ? least : least - first;
}

eg_real eg_utility_activation(const eg_utility *utility, size_t hidden, size_t unit)
{
    return utility->f[utility->first[hidden] + unit];
}

void eg_utility_restart(eg_utility *utility, size_t hidden, size_t unit)
{
    size_t i = utility->first[hidden] + unit;
    utility->age[i] = 0;
    utility->u[i] = 0;
    utility->f[i] = 0;
}

double eg_utility_flops(const eg_utility *utility, size_t batch)
{
    const eg_net *net = utility->at.net;
    double flops = 2 * utility->magnitudes.read;
    for (size_t h = 0; h < net->hidden_count; h++) {
        const eg_hidden_layer *layer = &net->hidden[h];
        double rows = (double)(batch * layer->positions * layer->parts);
        flops += (4 * rows + 8) * (double)layer->units;
    }
    return flops;
}

static size_t units_of(const eg_utility *utility)
{
    return utility->first[utility->at.net->hidden_count];
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
