/** Utility-based perturbed gradient descent (UPGD): useful parameters are held, the others move and
 *  are shaken. With g the gradient and everything added to it, t the number of the update, w before
 *  it:
 *
 *      U <- beta U + (1 - beta) (-g w)                 utility, 0 at the start
 *      c = 1/(1 - beta^t)
 *      r = c U / eta      global; eta the largest U of all, or c times that; r = 0 if eta <= 0
 *      r = c U / max(|c U of the row|, 1e-12)      local; row: weights of a unit, or all biases
 *      u = -lr kappa (g + xi) (1 - s)      protecting; s = logistic(r), xi ~ N(0, sigma^2)
 *      u = -lr kappa (g + xi (1 - s))                  non-protecting
 *
 *  Decoupled weight decay is the lambda of UPGD-W. Nothing is spared: biases and scales have
 *  utilities, too. The paper prints eta as the largest corrected utility; its program, which made
 *  its figures, takes the uncorrected one and divides what is corrected (`trace`), so that at first
 *  r is far from 0. */
#include "optim/update.h"

#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <math.h>

enum { P_BETA, P_SIGMA, P_KAPPA, P_UTILITY, P_ETA, P_PROTECTS };

/* In the order of the names. */
enum { UTILITY_GLOBAL, UTILITY_LOCAL };
enum { ETA_TRACE, ETA_CORRECTED };

static const char *const utility_names[] = {"global", "local", NULL};
static const char *const eta_names[] = {"trace", "corrected", NULL};

/* Parameters whose gates stay in the first-level cache. */
enum { CHUNK = 256, LANES_MAX = 64 };

static const double least_norm = 1e-12;

static void factors(const double *p, uint64_t step, double *factor)
{
    factor[0] = 1.0 / (1.0 - pow(p[P_BETA], (double)step));
}

static bool draws(const double *p)
{
    return p[P_SIGMA] > 0.0;
}

/* The largest of the new U, or `largest`. A NaN is passed over: it shows in its own parameter. With
 * beta = 0 the old U, which may be infinite, is not read. */
EG_CLONES static eg_real follow(size_t n, double beta, const eg_real *restrict w,
                                const eg_real *restrict g, eg_real *restrict utility,
                                eg_real largest)
{
    eg_real keep = (eg_real)beta;
    eg_real rest = (eg_real)(1.0 - beta);
    eg_real lane[EG_LANES];
    for (size_t l = 0; l < EG_LANES; l++) {
        lane[l] = largest;
    }
    for (size_t i = 0; i < n; i++) {
        eg_real now = rest * (-g[i] * w[i]);
        utility[i] = beta > 0.0 ? keep * utility[i] + now : now;
    }
    size_t whole = n - n % EG_LANES;
    for (size_t i = 0; i < whole; i += EG_LANES) {
        for (size_t l = 0; l < EG_LANES; l++) {
            lane[l] = utility[i + l] > lane[l] ? utility[i + l] : lane[l];
        }
    }
    for (size_t i = whole; i < n; i++) {
        lane[0] = utility[i] > lane[0] ? utility[i] : lane[0];
    }
    for (size_t l = 0; l < EG_LANES; l++) {
        largest = lane[l] > largest ? lane[l] : largest;
    }
    return largest;
}

static void gather(eg_update *u)
{
    u->gathered = (double)follow(u->n, u->p[P_BETA], u->w, u->g, u->slot[0], (eg_real)u->gathered);
}

/* What a change does besides moving parameters; constants where `move` is compiled. */
typedef struct change_case {
    bool shakes, protects, path_integral;
} change_case;

/* Moves parameters first … first+n-1 by their gates `free`. */
EG_PASS void move(const eg_update *u, change_case is, size_t first, size_t n,
                  const eg_real *restrict free)
{
    eg_real *restrict w = u->w + first;
    const eg_real *restrict g = u->g + first;
    const eg_real *restrict noise = is.shakes ? u->noise + first : NULL;
    eg_real rate = (eg_real)(-u->lr * u->p[P_KAPPA]);
    eg_real sigma = (eg_real)u->p[P_SIGMA];
    eg_real clip = (eg_real)u->clip;
    for (size_t k = 0; k < n; k++) {
        eg_real shake = is.shakes ? sigma * noise[k] : 0;
        eg_real step = is.protects ? (g[k] + shake) * free[k] : g[k] + shake * free[k];
        eg_real at = w[k];
        w[k] = at + eg_clip(rate * step, -clip, clip);
        eg_update_follow(u, (eg_update_case){.path_integral = is.path_integral}, first + k,
                         w[k] - at);
    }
}

/* Changes parameters first … first+n-1, n <= CHUNK, whose c U is divided by divisor[i % lanes]. */
EG_CLONES static void change(const eg_update *u, size_t first, size_t n, size_t lanes,
                             const eg_real *restrict divisor)
{
    eg_real free[CHUNK]; /* 1 - s */
    const eg_real *restrict utility = u->slot[0] + first;
    eg_real correction = (eg_real)u->factor[0];
    if (lanes == 1) {
        eg_real by = divisor[0];
        for (size_t k = 0; k < n; k++) {
            free[k] = correction * utility[k] / by;
        }
    } else {
        for (size_t k = 0; k < n; k += lanes) {
            for (size_t l = 0; l < lanes; l++) {
                free[k + l] = correction * utility[k + l] / divisor[l];
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        free[k] = eg_sigmoid(-free[k]);
    }
    bool shakes = u->noise != NULL;
    bool protects = u->p[P_PROTECTS] != 0.0;
    if (u->path_integral != NULL) {
        move(u, (change_case){shakes, protects, true}, first, n, free);
    } else if (shakes && protects) {
        move(u, (change_case){true, true, false}, first, n, free);
    } else if (shakes) {
        move(u, (change_case){true, false, false}, first, n, free);
    } else {
        move(u, (change_case){false, protects, false}, first, n, free);
    }
}

/* The same for any n, all with one divisor. */
static void change_row(const eg_update *u, size_t first, size_t n, eg_real divisor)
{
    for (size_t done = 0; done < n; done += CHUNK) {
        change(u, first + done, n - done < CHUNK ? n - done : CHUNK, 1, &divisor);
    }
}

/* What c U is divided by where U has so large a sum of squares in its row. */
static eg_real divisor_of(const eg_update *u, double squares)
{
    return (eg_real)fmax(u->factor[0] * sqrt(squares), least_norm);
}

/* A row: parameters first … first+n-1. */
static void change_local_row(const eg_update *u, size_t first, size_t n)
{
    double squares = 0;
    for (size_t i = first; i < first + n; i++) {
        squares += (double)u->slot[0][i] * (double)u->slot[0][i];
    }
    change_row(u, first, n, divisor_of(u, squares));
}

/* `width` rows side by side, n long: the next number of each is `stride` further. */
static void change_local_lanes(const eg_update *u, size_t first, size_t width, size_t n,
                               size_t stride)
{
    double squares[LANES_MAX] = {0};
    eg_real divisor[LANES_MAX];
    for (size_t i = 0; i < n; i++) {
        const eg_real *utility = u->slot[0] + first + i * stride;
        for (size_t l = 0; l < width; l++) {
            squares[l] += (double)utility[l] * (double)utility[l];
        }
    }
    for (size_t l = 0; l < width; l++) {
        divisor[l] = divisor_of(u, squares[l]);
    }
    for (size_t i = 0; i < n; i++) {
        change(u, first + i * stride, width, width, divisor);
    }
}

static void change_local(const eg_update *u)
{
    const eg_parameter_block *block = u->block;
    size_t n = block->fan_in;
    size_t lanes = block->lanes;
    if (block->role != EG_ROLE_WEIGHT) {
        change_local_row(u, 0, u->n);
        return;
    }
    for (size_t first = 0; first < u->n; first += n * lanes) {
        if (lanes == 1) {
            change_local_row(u, first, n);
            continue;
        }
        for (size_t l = 0; l < lanes; l += LANES_MAX) {
            size_t left = lanes - l;
            change_local_lanes(u, first + l, left < LANES_MAX ? left : LANES_MAX, n, lanes);
        }
    }
}

static void update(const eg_update *u)
{
    if (u->p[P_UTILITY] == UTILITY_LOCAL) {
        change_local(u);
        return;
    }
    double eta = u->p[P_ETA] == ETA_CORRECTED ? u->factor[0] * u->gathered : u->gathered;
    change_row(u, 0, u->n, eta > 0.0 ? (eg_real)eta : (eg_real)INFINITY);
}

static const eg_param params[] = {
    [P_BETA] = {.name = "beta",
                .type = EG_TYPE_REAL,
                .default_text = "0.9999",
                .min = 0,
                .max = 1 - 1e-9,
                .doc = "share of the utility that is kept"},
    [P_SIGMA] = {.name = "sigma",
                 .type = EG_TYPE_REAL,
                 .default_text = "0.1",
                 .min = 0,
                 .max = INFINITY,
                 .doc = "standard deviation of the noise"},
    [P_KAPPA] = {.name = "kappa",
                 .type = EG_TYPE_REAL,
                 .default_text = "1",
                 .min = 0,
                 .max = INFINITY,
                 .above_min = true,
                 .doc = "factor of the update: 1 in the paper's experiments, 2 in the program that "
                        "its authors publish for others"},
    [P_UTILITY] = {.name = "utility",
                   .type = EG_TYPE_NAME,
                   .default_text = "global",
                   .names = utility_names,
                   .doc = "what utilities are compared with: the largest of all parameters, or the "
                          "norm of those of the same unit"},
    [P_ETA] = {.name = "eta",
               .type = EG_TYPE_NAME,
               .default_text = "trace",
               .names = eta_names,
               .doc =
                   "with utility global: the largest utility before its bias is corrected, as in "
                   "the program, or after, as in the paper"},
    [P_PROTECTS] = {.name = "protecting",
                    .type = EG_TYPE_BOOL,
                    .default_text = "true",
                    .doc =
                        "the gradient of useful parameters is held back, too, not only the noise"},
};

const eg_optimizer_kind eg_optimizer_upgd = {
    .component = {.name = "upgd",
                  .doc = "U <- beta U - (1 - beta) g w; u = -lr kappa (g + noise)(1 - s), s the "
                         "logistic function of U, corrected for its start and scaled; published "
                         "setting: lr 0.01, weight_decay 0.01, decay decoupled",
                  .source =
                      "Elsayed and Mahmood 2024, arXiv 2404.00781, algorithms 1 and 2, and the "
                      "authors' program",
                  .params = params,
                  .param_count = EG_COUNT(params)},
    .slots = 1,
    .factors = factors,
    .gather = gather,
    .draws = draws,
    .update = update,
};
