/** A plug-in that does what FAULT in the environment says, for e2e/plugins.sh. */
#include "engram/plugin.h"

#include "engram/optimizer_rule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is(const char *fault)
{
    const char *wanted = getenv("FAULT");
    return wanted != NULL && strcmp(wanted, fault) == 0;
}

__attribute__((constructor)) static void begin(void)
{
    if (is("constructor")) {
        abort();
    }
}

static void forward(const double *p, size_t n, const eg_real *x, eg_real *y, eg_real *aux)
{
    static unsigned calls;
    (void)p, (void)aux;
    calls++;
    if (is("abort")) {
        abort();
    }
    if (is("exit")) {
        exit(0);
    }
    if (is("exit7")) {
        _exit(7);
    }
    while (is("spin")) {
    }
    while (is("sleep")) {
        (void)pause();
    }
    for (size_t i = is("unset") ? 1 : 0; i < n; i++) {
        y[i] = (eg_real)tanh((double)x[i]);
    }
    if (is("behind")) {
        ((volatile eg_real *)y)[n] = 0;
    }
    if (is("before")) {
        ((volatile eg_real *)y)[-1] = 0;
    }
    if (is("input")) {
        ((volatile eg_real *)(uintptr_t)x)[0] = 1;
    }
    if (is("random")) {
        y[0] += (eg_real)(calls % 7) / 8;
    }
    if (is("range")) {
        y[0] *= 2;
    }
    if (is("nan")) {
        y[0] = isnan(x[0]) ? 0 : y[0];
    }
    if (is("infinite")) {
        y[0] = (eg_real)INFINITY;
    }
    if (is("mixes") && n > 1) {
        y[0] = (eg_real)tanh((double)(x[0] + x[1] / 8));
    }
}

static void backward(const double *p, size_t n, const eg_real *x, const eg_real *y,
                     const eg_real *aux, const eg_real *dy, eg_real *dx)
{
    (void)p, (void)x, (void)aux;
    for (size_t i = 0; i < n; i++) {
        dx[i] = dy[i] * (1 - y[i] * y[i]);
        dx[i] = is("slightly") ? dx[i] * (eg_real)1.0001 : dx[i];
        dx[i] = is("gradient") ? dx[i] * (eg_real)1.05 : dx[i];
    }
    if (is("needs_x") && x == NULL) {
        dx[0] = 0;
    }
}

static const eg_activation activation = {
    .component = {.name = "faulty", .doc = "tanh"},
    .forward = forward,
    .backward = backward,
    .low = -1,
    .high = 1,
    .spares_input = true,
};
static const eg_activation *const activations[] = {&activation};

static void update(const eg_update *u)
{
    eg_update_case terms = eg_update_case_of(u);
    eg_update bare = *u;
    if (is("scale")) {
        bare.scale = 1;
    }
    if (is("penalty") && terms.penalty != EG_GRADIENT_COMPOSED) {
        terms.penalty = EG_PENALTY_NONE;
    }
    if (is("path")) {
        terms.path_integral = false;
    }
    if (is("clip")) {
        bare.clip = (double)INFINITY;
    }
    for (size_t i = 0; i < u->n; i++) {
        eg_real g = is("composed") && terms.penalty == EG_GRADIENT_COMPOSED
                        ? 0
                        : eg_update_gradient(&bare, terms, i, u->w[i]);
        eg_real m = (eg_real)0.5 * u->slot[0][i] + g;
        u->slot[0][i] = m;
        if (is("together")) {
            m = u->slot[0][0];
        }
        eg_update_move(&bare, terms, i, -(eg_real)u->lr * m);
    }
    if (is("slot")) {
        ((volatile eg_real *)u->slot[0])[u->n] = 0;
    }
}

static size_t slots_with(const double *p)
{
    (void)p;
    return is("slots") ? 9 : 1;
}

static const eg_optimizer_kind optimizer = {.component = {.name = "rule", .doc = "momentum"},
                                            .slots = 1,
                                            .slots_with = slots_with,
                                            .update = update};
static const eg_optimizer_kind *const optimizers[] = {&optimizer};

static double rate(const double *p, double lr, const eg_schedule_time *now)
{
    (void)p;
    return is("negative") && now->step > 100 ? -lr : lr;
}

static const eg_schedule schedule = {.component = {.name = "flat", .doc = "lr"}, .rate = rate};
static const eg_schedule *const schedules[] = {&schedule};

EG_PLUGIN(.activations = activations, .activation_count = EG_COUNT(activations),
          .optimizers = optimizers, .optimizer_count = EG_COUNT(optimizers), .schedules = schedules,
          .schedule_count = EG_COUNT(schedules));
