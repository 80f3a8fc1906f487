/** Gradient check of every activation in the registry, in double: backward against differences of
 *  forward, so what flows through means, deviations and k-th values is included. */
#include "testing.h"

#include "engram/activation.h"
#include "engram/random.h"

#include <math.h>
#include <stdlib.h>

/* 12 units: 3 is a valid k, and a number of groups that divides. */
enum { UNITS = 12, OUTPUTS = 2 * UNITS, ROWS = 30, COUNT_PARAMETER = 3 };

typedef struct problem {
    const eg_activation *activation;
    double p[EG_ACTIVATION_PARAMS_MAX];
    eg_real x[UNITS], dy[OUTPUTS];
} problem;

/* sum_i dy_i y_i over all outputs with x[unit] moved by `step` */
static double value(const problem *q, size_t unit, double step)
{
    eg_real x[UNITS];
    eg_real y[OUTPUTS];
    eg_real aux[EG_ACTIVATION_AUX_MAX];
    for (size_t i = 0; i < UNITS; i++) {
        x[i] = q->x[i] + (i == unit ? step : 0.0);
    }
    q->activation->forward(q->p, UNITS, x, y, aux);
    double sum = 0.0;
    for (size_t i = 0; i < UNITS * eg_activation_parts(q->activation); i++) {
        sum += q->dy[i] * y[i];
    }
    return sum;
}

/** The fourth-order central difference of one unit; NAN at a kink: there the slopes to both sides
 *  differ by an amount that does not shrink with the step. */
static double difference(const problem *q, size_t unit)
{
    const double h = 2e-5;
    double here = value(q, unit, 0.0);
    double right = value(q, unit, h) - here;
    double left = here - value(q, unit, -h);
    double far_right = value(q, unit, 2.0 * h) - here;
    double far_left = here - value(q, unit, -2.0 * h);
    double gap = fabs(right - left) / h;
    double far_gap = fabs(far_right - far_left) / (2.0 * h);
    if (fabs(far_gap - 2.0 * gap) > 0.05 * far_gap + 1e-6) {
        return NAN;
    }
    return (8.0 * (right + left) - (far_right + far_left)) / (12.0 * h);
}

static void check_activation(const eg_activation *activation, const double *p)
{
    size_t compared = 0;
    for (size_t row = 0; row < ROWS; row++) {
        problem q = {.activation = activation};
        eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, row);
        for (size_t i = 0; i < activation->component.param_count; i++) {
            q.p[i] = p[i];
        }
        for (size_t i = 0; i < UNITS; i++) {
            q.x[i] = eg_rng_normal(&rng);
            q.dy[i] = eg_rng_normal(&rng);
        }
        assert_true(eg_activation_parts(activation) * UNITS <= OUTPUTS);
        for (size_t i = UNITS; i < UNITS * eg_activation_parts(activation); i++) {
            q.dy[i] = eg_rng_normal(&rng);
        }
        eg_real y[OUTPUTS];
        eg_real dx[UNITS];
        eg_real aux[EG_ACTIVATION_AUX_MAX];
        activation->forward(q.p, UNITS, q.x, y, aux);
        activation->backward(q.p, UNITS, q.x, y, aux, q.dy, dx);
        for (size_t i = 0; i < UNITS; i++) {
            double expected = difference(&q, i);
            if (!isnan(expected)) {
                compared++;
                eg_test_close(dx[i], expected, 1e-7, activation->component.name, __FILE__,
                              __LINE__);
            }
        }
    }
    /* Kinks are rare; a test that skips more than that tests nothing. */
    assert_true(compared > (size_t)UNITS * ROWS * 95 / 100);
}

static void every_activation(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_activation_family.member_count; m++) {
        const eg_activation *a = (const eg_activation *)eg_activation_family.members[m];
        print_message("%s\n", a->component.name);
        /* The defaults, and gentler values, so that more units lie where the function bends. */
        for (double factor = 1.0; factor >= 0.5; factor /= 2.0) {
            double p[EG_ACTIVATION_PARAMS_MAX];
            for (size_t i = 0; i < a->component.param_count; i++) {
                const eg_param *param = &a->component.params[i];
                p[i] = param->type == EG_TYPE_INT ? COUNT_PARAMETER
                                                  : strtod(param->default_text, NULL) * factor;
            }
            check_activation(a, p);
        }
    }
}

static void topk_subtract_without_a_bound(void **state)
{
    (void)state;
    const eg_component *found = eg_family_find(&eg_activation_family, "topk_subtract");
    const double p[] = {5, 0};
    check_activation((const eg_activation *)found, p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation),
        cmocka_unit_test(topk_subtract_without_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
