/** A sound plug-in, for e2e/plugins.sh: with -D it gets other numbers, names or descriptors. */
#include "engram/plugin.h"

#include "engram/optimizer_rule.h"

#ifndef NAME
#define NAME "twice"
#endif
#ifndef BUILD /* initialisers that come after those of the headers: ".version = 9," */
#define BUILD
#endif
#ifndef PARAMETER
#define PARAMETER
#endif

static void forward(const double *p, size_t n, const eg_real *x, eg_real *y, eg_real *aux)
{
    (void)aux;
    for (size_t i = 0; i < n; i++) {
        y[i] = (eg_real)p[0] * x[i];
    }
}

static void backward(const double *p, size_t n, const eg_real *x, const eg_real *y,
                     const eg_real *aux, const eg_real *dy, eg_real *dx)
{
    (void)x, (void)y, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = (eg_real)p[0] * dy[i];
    }
}

static void update(const eg_update *u)
{
    for (size_t i = 0; i < u->n; i++) {
        eg_update_case is = eg_update_case_of(u);
        eg_update_move(u, is, i, -(eg_real)u->lr * eg_update_gradient(u, is, i, u->w[i]));
    }
}

static const eg_param params[] = {
    {.name = "slope",
     .type = EG_TYPE_REAL,
     .default_text = "2",
     .max = 9,
     .doc = "slope" PARAMETER},
};

static const eg_activation activation = {
    .component = {.name = NAME, .doc = "slope x", .params = params, .param_count = 1},
    .forward = forward,
    .backward = backward,
    .spares_input = true,
};

#ifdef CALLS_HOST
static eg_status check(const double *p, size_t n)
{
    return eg_fail(EG_INVALID, "%g %zu", p[0], n);
}
static const eg_activation second = {.component = {.name = "second", .doc = "x"},
                                     .forward = forward,
                                     .backward = backward,
                                     .check = check};
static const eg_activation *const activations[] = {&activation, &second};
#else
static const eg_activation *const activations[] = {&activation};
#endif
static const eg_optimizer_kind optimizer = {
    .component = {.name = "down", .doc = "-lr g"}, .update = update, .descends = true};
static const eg_optimizer_kind *const optimizers[] = {&optimizer};

#ifndef NO_SYMBOL
EG_PLUGIN(BUILD.activations = activations, .activation_count = EG_COUNT(activations),
          .optimizers = optimizers, .optimizer_count = EG_COUNT(optimizers));
#else
const void *const nothing[] = {activations, optimizers};
#endif
