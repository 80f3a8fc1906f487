/** Activations held against their descriptors, for one real type; included by conform_float.c and
 *  conform_double.c. */
#ifndef PLUGIN_CONFORM_ACTIVATION_H
#define PLUGIN_CONFORM_ACTIVATION_H

#include "plugin/conform_tools.h"

/* One activation for one number of units. */
typedef struct conform_units {
    const eg_activation *a;
    double p[EG_ACTIVATION_PARAMS_MAX];
    size_t n, outputs;
    eg_guarded arrays[5];
    eg_real *x, *y, *aux, *dy, *dx; /* the arrays: [n], [outputs], [aux_count], [outputs], [n] */
    eg_conform_place *place;
} conform_units;

static void conform_units_clear(conform_units *u)
{
    for (size_t i = 0; i < EG_COUNT(u->arrays); i++) {
        eg_guarded_free(&u->arrays[i]);
    }
}

static eg_status conform_units_init(conform_units *u)
{
    const size_t counts[] = {u->n, u->outputs, u->a->aux_count, u->outputs, u->n};
    eg_real **const at[] = {&u->x, &u->y, &u->aux, &u->dy, &u->dx};
    for (size_t i = 0; i < EG_COUNT(at); i++) {
        EG_TRY(eg_guarded_create(&u->arrays[i], counts[i] * sizeof(eg_real)));
        *at[i] = u->arrays[i].data;
    }
    conform_draw(u->x, u->n, u->n);
    conform_draw(u->dy, u->outputs, 1000 + u->n);
    return eg_ok();
}

static eg_status conform_intact(const conform_units *u)
{
    static const char *const names[] = {"x", "y", "aux", "dy", "dx"};
    for (size_t i = 0; i < EG_COUNT(u->arrays); i++) {
        if (!eg_guarded_is_intact(&u->arrays[i])) {
            return eg_fail(EG_INVALID, "it writes before the array %s", names[i]);
        }
    }
    return eg_ok();
}

static void conform_forward(const conform_units *u, eg_real junk)
{
    conform_say(u->place, "forward", u->n);
    conform_fill(u->y, u->outputs, junk);
    conform_fill(u->aux, u->a->aux_count, junk);
    u->a->forward(u->p, u->n, u->x, u->y, u->aux);
}

static void conform_backward(const conform_units *u, bool with_x, eg_real junk)
{
    conform_say(u->place, with_x ? "backward" : "backward without x (spares_input)", u->n);
    conform_fill(u->dx, u->n, junk);
    u->a->backward(u->p, u->n, with_x ? u->x : NULL, u->y, u->aux, u->dy, u->dx);
}

/* Twice the same, whatever was in the memory; nothing else is written. */
static eg_status conform_repeats(const conform_units *u)
{
    enum { MOST = CONFORM_MOST * 8 };
    eg_real x[MOST];
    eg_real y[MOST];
    eg_real dy[MOST];
    eg_real dx[MOST];
    eg_real aux[EG_ACTIVATION_AUX_MAX];
    const size_t inputs = u->n * sizeof *x;
    const size_t outputs = u->outputs * sizeof *y;
    const size_t aux_bytes = u->a->aux_count * sizeof *aux;
    memcpy(x, u->x, inputs);
    memcpy(dy, u->dy, outputs);
    conform_forward(u, (eg_real)NAN);
    if (memcmp(x, u->x, inputs) != 0) {
        return eg_fail(EG_INVALID, "forward writes to x");
    }
    memcpy(y, u->y, outputs);
    memcpy(aux, u->aux, aux_bytes);
    conform_forward(u, 7);
    if (memcmp(y, u->y, outputs) != 0 || memcmp(aux, u->aux, aux_bytes) != 0) {
        return eg_fail(EG_INVALID, "forward of the same x is not the same twice, or leaves some of "
                                   "y or aux unset");
    }
    conform_backward(u, true, (eg_real)NAN);
    memcpy(dx, u->dx, inputs);
    conform_backward(u, true, 7);
    if (memcmp(dx, u->dx, inputs) != 0) {
        return eg_fail(EG_INVALID,
                       "backward of the same dy is not the same twice, or leaves some of dx unset");
    }
    if (u->a->spares_input) {
        conform_backward(u, false, 7);
        if (memcmp(dx, u->dx, inputs) != 0) {
            return eg_fail(EG_INVALID, "spares_input, but backward depends on x");
        }
    }
    if (memcmp(x, u->x, inputs) != 0 || memcmp(dy, u->dy, outputs) != 0 ||
        memcmp(y, u->y, outputs) != 0 || memcmp(aux, u->aux, aux_bytes) != 0) {
        return eg_fail(EG_INVALID, "backward writes to x, y, aux or dy");
    }
    if (!conform_finite(u->y, u->outputs) || !conform_finite(u->dx, u->n)) {
        return eg_fail(EG_INVALID, "y or dx is not finite for x between -4 and 4");
    }
    return conform_intact(u);
}

static eg_status conform_range(const conform_units *u)
{
    const eg_activation *a = u->a;
    for (size_t far = 0; far < 5 && a->low < a->high; far++) {
        static const eg_real scale[] = {1, 10, -10, 1000, -1000};
        conform_draw(u->x, u->n, u->n);
        for (size_t i = 0; i < u->n; i++) {
            u->x[i] *= scale[far];
        }
        conform_forward(u, 7);
        for (size_t i = 0; i < u->outputs; i++) {
            double slack = conform_same * fmax(1.0, fmax(fabs(a->low), fabs(a->high)));
            if (!(u->y[i] >= a->low - slack && u->y[i] <= a->high + slack)) {
                return eg_fail(EG_INVALID, "y = %g is not between low = %g and high = %g",
                               (double)u->y[i], a->low, a->high);
            }
        }
    }
    conform_draw(u->x, u->n, u->n);
    return eg_ok();
}

/* A diverged network must not look like one whose units are off. */
static eg_status conform_nan(const conform_units *u)
{
    for (size_t where = 0; where < u->n; where++) {
        conform_draw(u->x, u->n, u->n);
        u->x[where] = (eg_real)NAN;
        conform_forward(u, 7);
        for (size_t i = where; i < u->outputs; i += u->n) {
            if (!isnan(u->y[i])) {
                return eg_fail(EG_INVALID, "x = NaN at unit %zu of %zu gives y = %g instead of NaN",
                               where, u->n, (double)u->y[i]);
            }
        }
    }
    conform_draw(u->x, u->n, u->n);
    return eg_ok();
}

/* Of one unit that moves, far to both sides: what other units do. */
static eg_status conform_mixing(const conform_units *u)
{
    eg_real before[CONFORM_MOST * 8];
    bool mixes = false;
    for (int side = 0; side < 3 && u->n > 1; side++) {
        u->x[1] = (eg_real)(30 * (side - 1));
        conform_forward(u, 7);
        for (size_t i = 0; side > 0 && i < u->outputs; i++) {
            mixes = mixes || (i % u->n != 1 && before[i] != u->y[i]);
        }
        if (side == 0) {
            memcpy(before, u->y, u->outputs * sizeof *before);
        }
    }
    conform_draw(u->x, u->n, u->n);
    return mixes && !u->a->mixes_units
               ? eg_fail(EG_INVALID, "a unit depends on others, but mixes_units is not set")
               : eg_ok();
}

/* sum_i dy_i y_i with x[unit] at `value` */
static double conform_value(const conform_units *u, size_t unit, double value)
{
    double sum = 0;
    const eg_real kept = u->x[unit];
    u->x[unit] = (eg_real)value;
    conform_forward(u, 7);
    u->x[unit] = kept;
    for (size_t i = 0; i < u->outputs; i++) {
        sum += (double)u->dy[i] * (double)u->y[i];
    }
    return sum;
}

/** The fourth-order central difference of one unit. NaN where there is none to trust: at a kink,
 *  where the slopes to both sides differ by an amount that does not shrink with the step, and where
 *  steps of two sizes disagree. */
static double conform_difference(const conform_units *u, size_t unit)
{
    const double h = conform_step;
    const double at = (double)u->x[unit];
    double here = conform_value(u, unit, at);
    double right = conform_value(u, unit, at + h) - here;
    double left = here - conform_value(u, unit, at - h);
    double far_right = conform_value(u, unit, at + 2 * h) - here;
    double far_left = here - conform_value(u, unit, at - 2 * h);
    double gap = fabs(right - left) / h;
    double far_gap = fabs(far_right - far_left) / (2 * h);
    if (fabs(far_gap - 2 * gap) > 0.05 * far_gap + conform_noise ||
        !conform_close((right + left) / (2 * h), (far_right + far_left) / (4 * h),
                       conform_gradient / 2)) {
        return (double)NAN;
    }
    return (8 * (right + left) - (far_right + far_left)) / (12 * h);
}

enum { CONFORM_ROWS = 20 };

static eg_status conform_gradients(const conform_units *u)
{
    size_t compared = 0;
    for (size_t row = 0; row < CONFORM_ROWS; row++) {
        eg_real dx[CONFORM_MOST];
        conform_draw(u->x, u->n, 100 + row);
        for (size_t i = 0; i < u->n; i++) { /* steps are whole in a float */
            u->x[i] = (eg_real)(round((double)u->x[i] * 1024) / 1024);
        }
        conform_forward(u, 7);
        conform_backward(u, true, 7);
        memcpy(dx, u->dx, u->n * sizeof *dx);
        for (size_t i = 0; i < u->n; i++) {
            double expected = conform_difference(u, i);
            if (isnan(expected)) {
                continue;
            }
            compared++;
            if (!conform_close((double)dx[i], expected, conform_gradient)) {
                return eg_fail(EG_INVALID,
                               "backward gives dx = %.6g at x = %.6g, where differences of forward "
                               "give %.6g",
                               (double)dx[i], (double)u->x[i], expected);
            }
        }
    }
    conform_draw(u->x, u->n, u->n);
    return compared * 2 >= u->n * CONFORM_ROWS
               ? eg_ok()
               : eg_fail(EG_INVALID,
                         "of %zu gradients only %zu are on a smooth piece: the others have no "
                         "finite difference to be held against",
                         u->n * CONFORM_ROWS, compared);
}

static eg_status conform_flat(const conform_units *u)
{
    conform_forward(u, 7);
    conform_backward(u, true, 7);
    for (size_t i = 0; i < u->n && u->a->flat_at_zero && !u->a->mixes_units; i++) {
        bool off = true;
        for (size_t k = i; k < u->outputs; k += u->n) {
            off = off && u->y[k] == 0;
        }
        if (off && u->dx[i] != 0) {
            return eg_fail(EG_INVALID, "flat_at_zero, but dx = %g where y = 0", (double)u->dx[i]);
        }
    }
    return eg_ok();
}

static eg_status conform_activation_at(conform_units *u)
{
    EG_TRY(conform_repeats(u));
    EG_TRY(conform_range(u));
    EG_TRY(conform_nan(u));
    EG_TRY(conform_mixing(u));
    EG_TRY(conform_gradients(u));
    EG_TRY(conform_flat(u));
    return conform_intact(u);
}

static eg_status conform_activation(const eg_activation *a, eg_conform_place *place)
{
    size_t tried = 0;
    eg_status refused = eg_ok();
    for (size_t s = 0; s < EG_COUNT(conform_sizes); s++) {
        const size_t n = conform_sizes[s];
        conform_units u = {.a = a, .n = n, .outputs = n * eg_activation_parts(a), .place = place};
        EG_TRY(eg_plugin_defaults(u.p, &a->component));
        conform_say(place, "check", n);
        if (a->check != NULL) {
            refused = a->check(u.p, n);
            if (refused.code != EG_OK) {
                continue; /* it may be right: groups that do not divide */
            }
        }
        double gain = eg_activation_gain(a, u.p);
        if (!isfinite(gain) || gain <= 0) {
            return eg_fail(EG_INVALID, "gain = %g is not above 0", gain);
        }
        eg_status status = conform_units_init(&u);
        if (status.code == EG_OK) {
            status = conform_activation_at(&u);
        }
        conform_units_clear(&u);
        EG_TRY(status);
        tried++;
    }
    return tried > 0 ? eg_ok()
                     : eg_status_wrap(refused, "its defaults fit none of 1, 7 and 64 units");
}

#endif
