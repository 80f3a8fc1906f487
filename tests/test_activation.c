/** Activations on cases worked out by hand, and what every one in the registry must hold to. */
#include "testing.h"

#include "engram/activation.h"
#include "engram/random.h"
#include "nn/shared/select.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS_MAX = 64 };

static const eg_activation *activation(const char *name)
{
    const eg_component *found = eg_family_find(&eg_activation_family, name);
    assert_non_null(found);
    return (const eg_activation *)found;
}

/** One worked case: y and dx of up to four units. */
typedef struct worked {
    const char *name;
    double p[3];
    size_t n;
    eg_real x[4], dy[4];
    double y[4], dx[4];
} worked;

static const worked cases[] = {
    {.name = "identity", .n = 2, .x = {-1, 2}, .dy = {3, 4}, .y = {-1, 2}, .dx = {3, 4}},
    {.name = "relu", .n = 2, .x = {-1, 2}, .dy = {3, 4}, .y = {0, 2}, .dx = {0, 4}},
    {.name = "leaky_relu",
     .p = {0.01},
     .n = 3,
     .x = {-2, 3, 0},
     .dy = {5, 7, 1},
     .y = {-0.02, 3, 0},
     .dx = {0.05, 7, 0.01}},
    /* gelu(1) = (1 + tanh(sqrt(2/pi) 1.044715))/2 = (1 + tanh 0.8335619690)/2; saturated at 30 */
    {.name = "gelu",
     .n = 4,
     .x = {1, 0, -30, 30},
     .dy = {1, 2, 3, 4},
     .y = {0.8411919906, 0, 0, 30},
     .dx = {1.0829640838, 1, 0, 4}},
    /* e^-1 - 1 = -0.6321205588, slope e^-1; at 0 the slope is alpha */
    {.name = "elu",
     .p = {1},
     .n = 3,
     .x = {-1, 2, 0},
     .dy = {2, 3, 4},
     .y = {-0.6321205588, 2, 0},
     .dx = {0.7357588823, 3, 4}},
    {.name = "elu",
     .p = {0.5},
     .n = 1,
     .x = {-1},
     .dy = {1},
     .y = {-0.3160602794},
     .dx = {0.1839397206}},
    /* tanh 1 = 0.7615941560, slope 1 - tanh^2; saturated at -30 */
    {.name = "tanh",
     .n = 4,
     .x = {1, 0, -30, 0.5F},
     .dy = {1, 2, 3, 1},
     .y = {0.7615941560, 0, -1, 0.4621171573},
     .dx = {0.4199743416, 2, 0, 0.7864477330}},
    /* Two outputs per unit. */
    {.name = "crelu",
     .n = 2,
     .x = {1, -2},
     .dy = {0.1F, 0.2F, 0.3F, 0.4F},
     .y = {1, 0, 0, 2},
     .dx = {0.1, -0.4}},
    {.name = "crelu", .n = 1, .x = {0}, .dy = {1, 1}, .y = {0, 0}, .dx = {0}},
    /* S(0) = 1/2, S' = 1/4;  S(1) = 0.7310585786, S' = 0.7310585786 * 0.2689414214 */
    {.name = "sigmoid",
     .n = 2,
     .x = {0, 1},
     .dy = {2, 1},
     .y = {0.5, 0.7310585786},
     .dx = {0.5, 0.1966119332}},
    /* 0 * S(0) = 0, slope S(0) = 1/2;  S(1) = 0.7310585786, slope S + S (1 - S) = 0.9276705119 */
    {.name = "swish",
     .n = 2,
     .x = {0, 1},
     .dy = {2, 1},
     .y = {0, 0.7310585786},
     .dx = {1, 0.9276705119}},
    /* (1.5 + 3)/6 = 0.75, slope 1/6; saturated at -4 and 4 */
    {.name = "hard_sigmoid",
     .n = 3,
     .x = {-4, 1.5F, 4},
     .dy = {5, 3, 5},
     .y = {0, 0.75, 1},
     .dx = {0, 0.5, 0}},
    /* a = 1/2, d = 4. x = 1: |x/a|^d = 16, y = 1/17, slope -d y^2 16/x = -64/289;
     * x = -1/4: 1/16, y = 16/17, slope -4 (256/289)(1/16)/(-1/4) = 256/289; x = 0: y = 1, slope 0 */
    {.name = "elephant",
     .p = {0.5, 4},
     .n = 3,
     .x = {1, -0.25F, 0},
     .dy = {1, 2, 1},
     .y = {1.0 / 17.0, 16.0 / 17.0, 1},
     .dx = {-64.0 / 289.0, 512.0 / 289.0, 0}},
    /* the same with d = 3, which takes the general power: x = 1: 8, y = 1/9, slope -3 (1/81) 8 */
    {.name = "elephant",
     .p = {0.5, 3},
     .n = 1,
     .x = {1},
     .dy = {1},
     .y = {1.0 / 9.0},
     .dx = {-24.0 / 81.0}},
    /* exp(-exp(0)) = 1/e, slope y exp(-x) = 1/e; far to the left 0 with slope 0 */
    {.name = "gumbel",
     .n = 2,
     .x = {0, -200},
     .dy = {1, 1},
     .y = {0.3678794412, 0},
     .dx = {0.3678794412, 0}},
    /* x = 0, 2: mean 1, deviation 1 (population; with n - 1 it would be sqrt 2), alpha = 1,
     * z_k = 1/2: threshold 3/2, u = 1/2. y = 2 (0.5 + 3)/6 = 7/6.
     * e = dy c h' alpha = 2/6 = 1/3; dt/dx = (1 + z (x - mean)/deviation)/n = 1/4, 3/4:
     * dx = -1/3 * 1/4 = -1/12 for the unit that is off, 7/12 + 1/3 - 1/3 * 3/4 = 2/3 for the other.
     * With mean and deviation held constant these would be 0 and 11/12. */
    {.name = "hard_ash",
     .p = {1, 0.5, 4},
     .n = 2,
     .x = {0, 2},
     .dy = {0, 1},
     .y = {0, 7.0 / 6.0},
     .dx = {-1.0 / 12.0, 2.0 / 3.0}},
    /* the same with x_max = 1.5: y = 1.5 * 3.5/6 = 0.875; e = 1.5/6 = 1/4, no direct part:
     * dx = -1/16, 1/4 - 3/16 = 1/16 */
    {.name = "hard_ash",
     .p = {1, 0.5, 1.5},
     .n = 2,
     .x = {0, 2},
     .dy = {0, 1},
     .y = {0, 0.875},
     .dx = {-1.0 / 16.0, 1.0 / 16.0}},
    /* all equal: mean 1, deviation 0, u = 0, y = 1/2; e = dy/6, through the mean each unit loses
     * half of the sum: dx_0 = 1/2 + 1/6 - 1/12 = 7/12, dx_1 = -1/12 */
    {.name = "hard_ash",
     .p = {1, 0.5, 4},
     .n = 2,
     .x = {1, 1},
     .dy = {1, 0},
     .y = {0.5, 0.5},
     .dx = {7.0 / 12.0, -1.0 / 12.0}},
    /* S(1/2) = 0.6224593312: y = 1.2449186624; e = 2 S (1 - S) = 0.4700074244;
     * dx = -e/4 = -0.1175018561 and S + e - 3/4 e = 0.7399611873 (constant: 0 and 1.0924667556) */
    {.name = "ash",
     .p = {1, 0.5},
     .n = 2,
     .x = {0, 2},
     .dy = {0, 1},
     .y = {0, 1.2449186624},
     .dx = {-0.1175018561, 0.7399611873}},
    /* k = 2: v = 4. Only 5 stands above it; its gradient is taken back from the unit that is v
     * (with v constant dx_3 would be 0). */
    {.name = "topk_subtract",
     .p = {2, 0},
     .n = 4,
     .x = {3, 1, 5, 4},
     .dy = {7, 8, 10, 9},
     .y = {0, 0, 1, 0},
     .dx = {0, 0, 10, -10}},
    /* k = 3: v = 3; 5 - 3 is clipped at 1.5 and has no gradient */
    {.name = "topk_subtract",
     .p = {3, 1.5},
     .n = 4,
     .x = {3, 1, 5, 4},
     .dy = {7, 8, 10, 9},
     .y = {0, 0, 1.5, 1},
     .dx = {-9, 0, 0, 9}},
    {.name = "topk_mask",
     .p = {2},
     .n = 4,
     .x = {3, 1, 5, 4},
     .dy = {7, 8, 10, 9},
     .y = {0, 0, 5, 4},
     .dx = {0, 0, 10, 9}},
    /* two groups of two; a negative winner keeps its value */
    {.name = "lwta",
     .p = {2},
     .n = 4,
     .x = {-3, -1, 5, 4},
     .dy = {7, 8, 10, 9},
     .y = {0, -1, 5, 0},
     .dx = {0, 8, 10, 0}},
    /* the first of equals wins */
    {.name = "lwta",
     .p = {1},
     .n = 3,
     .x = {1, 2, 2},
     .dy = {7, 8, 10},
     .y = {0, 2, 0},
     .dx = {0, 8, 0}},
};

static void cases_by_hand(void **state)
{
    (void)state;
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        const worked *w = &cases[c];
        const eg_activation *a = activation(w->name);
        eg_real y[4];
        eg_real dx[4];
        eg_real aux[EG_ACTIVATION_AUX_MAX];
        a->forward(w->p, w->n, w->x, y, aux);
        a->backward(w->p, w->n, w->x, y, aux, w->dy, dx);
        for (size_t i = 0; i < w->n * eg_activation_parts(a); i++) {
            assert_close((double)y[i], w->y[i], 1e-6);
        }
        for (size_t i = 0; i < w->n; i++) {
            assert_close((double)dx[i], w->dx[i], 1e-6);
        }
    }
}

static void registry_is_sorted(void **state)
{
    (void)state;
    for (size_t m = 1; m < eg_activation_family.member_count; m++) {
        const char *before = eg_activation_family.members[m - 1]->name;
        assert_true(strcmp(before, eg_activation_family.members[m]->name) < 0);
    }
}

/* Defaults, with counts (k, groups) that fit `UNITS` units. */
enum { UNITS = 40, PARTS_MAX = 2, OUTPUTS = UNITS * PARTS_MAX };
static void parameters(const eg_activation *a, double *p)
{
    for (size_t i = 0; i < a->component.param_count; i++) {
        const eg_param *param = &a->component.params[i];
        p[i] = param->type == EG_TYPE_INT ? 5.0 : strtod(param->default_text, NULL);
    }
    assert_true(eg_activation_parts(a) <= PARTS_MAX);
    if (a->check != NULL) {
        assert_ok(a->check(p, UNITS));
    }
}

static void random_row(uint64_t index, size_t n, eg_real *x)
{
    eg_rng rng = eg_rng_make(7, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
}

/* Units have no order, except for the groups of lwta. */
static void permuted_units_permute_the_output(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_activation_family.member_count; m++) {
        const eg_activation *a = (const eg_activation *)eg_activation_family.members[m];
        if (strcmp(a->component.name, "lwta") == 0) {
            continue;
        }
        double p[EG_ACTIVATION_PARAMS_MAX];
        parameters(a, p);
        eg_real x[3][UNITS];
        eg_real y[2][OUTPUTS];
        eg_real dx[2][UNITS];
        eg_real dy[2][OUTPUTS];
        const size_t outputs = eg_activation_parts(a) * UNITS;
        eg_real aux[EG_ACTIVATION_AUX_MAX];
        uint32_t order[UNITS];
        random_row(m, UNITS, x[0]);
        random_row(100 + m, outputs, dy[0]);
        eg_rng rng = eg_rng_make(9, EG_PURPOSE_TEST, m);
        for (uint32_t i = 0; i < UNITS; i++) {
            order[i] = i;
        }
        eg_rng_shuffle(&rng, UNITS, order);
        for (size_t i = 0; i < UNITS; i++) {
            x[1][i] = x[0][order[i]];
        }
        for (size_t i = 0; i < outputs; i++) {
            dy[1][i] = dy[0][i / UNITS * UNITS + order[i % UNITS]];
        }
        for (size_t v = 0; v < 2; v++) {
            a->forward(p, UNITS, x[v], y[v], aux);
            a->backward(p, UNITS, x[v], y[v], aux, dy[v], dx[v]);
        }
        for (size_t i = 0; i < outputs; i++) {
            assert_close((double)y[1][i], (double)y[0][i / UNITS * UNITS + order[i % UNITS]], 1e-5);
        }
        for (size_t i = 0; i < UNITS; i++) {
            assert_close((double)dx[1][i], (double)dx[0][order[i]], 1e-5);
        }
    }
}

/* A diverged network must not look like one whose units are off. */
static void nan_reaches_the_output(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_activation_family.member_count; m++) {
        const eg_activation *a = (const eg_activation *)eg_activation_family.members[m];
        double p[EG_ACTIVATION_PARAMS_MAX];
        parameters(a, p);
        for (size_t where = 0; where < UNITS; where++) {
            eg_real x[UNITS];
            eg_real y[OUTPUTS];
            eg_real aux[EG_ACTIVATION_AUX_MAX];
            random_row(where, UNITS, x);
            x[where] = (eg_real)NAN;
            a->forward(p, UNITS, x, y, aux);
            for (size_t i = where; i < UNITS * eg_activation_parts(a); i += UNITS) {
                if (!isnan(y[i])) {
                    fail_msg("%s turns NaN at unit %zu into %g", a->component.name, where,
                             (double)y[i]);
                }
            }
        }
    }
}

/* Other units move when one does, far up or far down, if and only if it says so. */
static void who_mixes_units_says_so(void **state)
{
    (void)state;
    for (size_t m = 0; m < eg_activation_family.member_count; m++) {
        const eg_activation *a = (const eg_activation *)eg_activation_family.members[m];
        double p[EG_ACTIVATION_PARAMS_MAX];
        eg_real x[UNITS];
        eg_real y[2][OUTPUTS];
        eg_real aux[EG_ACTIVATION_AUX_MAX];
        bool mixes = false;
        parameters(a, p);
        random_row(m, UNITS, x);
        for (int away = -30; away <= 30; away += 30) {
            x[1] = (eg_real)away;
            a->forward(p, UNITS, x, y[away == -30 ? 0 : 1], aux);
            for (size_t i = 0; away > -30 && i < UNITS * eg_activation_parts(a); i++) {
                mixes = mixes || (i % UNITS != 1 && y[0][i] != y[1][i]);
            }
        }
        if (mixes != a->mixes_units) {
            fail_msg("%s: mixes_units is %d", a->component.name, a->mixes_units);
        }
    }
}

static int descending(const void *a, const void *b)
{
    eg_real x = *(const eg_real *)a;
    eg_real y = *(const eg_real *)b;
    return (x < y) - (x > y);
}

/* Against sorting, for every k, with and without ties. */
static void selection_matches_sorting(void **state)
{
    (void)state;
    for (size_t round = 0; round < 200; round++) {
        size_t n = 1 + round % UNITS_MAX;
        eg_real x[UNITS_MAX];
        eg_real sorted[UNITS_MAX];
        random_row(round, n, x);
        for (size_t i = 0; round % 3 == 0 && i < n; i++) {
            x[i] = (eg_real)floor((double)x[i] * 2.0);
        }
        memcpy(sorted, x, n * sizeof *x);
        qsort(sorted, n, sizeof *sorted, descending);
        for (size_t k = 1; k <= n; k++) {
            eg_real scratch[UNITS_MAX];
            memcpy(scratch, x, n * sizeof *x);
            assert_true(eg_select_largest(n, scratch, k) == sorted[k - 1]);
        }
    }
}

/* Exactly k units keep their value, and they are the first k of the sorted order. */
static void topk_mask_matches_sorting(void **state)
{
    (void)state;
    const eg_activation *a = activation("topk_mask");
    for (size_t k = 1; k <= UNITS; k++) {
        const double p[] = {(double)k};
        eg_real x[UNITS];
        eg_real sorted[UNITS];
        eg_real y[UNITS];
        eg_real aux[EG_ACTIVATION_AUX_MAX];
        random_row(k, UNITS, x);
        memcpy(sorted, x, sizeof x);
        qsort(sorted, UNITS, sizeof *sorted, descending);
        a->forward(p, UNITS, x, y, aux);
        size_t kept = 0;
        for (size_t i = 0; i < UNITS; i++) {
            bool large = x[i] >= sorted[k - 1];
            assert_true(y[i] == (large ? x[i] : 0));
            kept += large ? 1 : 0;
        }
        assert_int_equal(kept, k);
    }
}

static void selection_ends_with_nan(void **state)
{
    (void)state;
    for (size_t where = 0; where < UNITS; where++) {
        for (size_t k = 1; k <= UNITS; k++) {
            eg_real x[UNITS];
            random_row(k, UNITS, x);
            x[where] = (eg_real)NAN;
            x[(where * 7 + 3) % UNITS] = (eg_real)NAN;
            eg_real scratch[UNITS];
            memcpy(scratch, x, sizeof x);
            eg_real v = eg_select_largest(UNITS, scratch, k);
            bool member = isnan(v);
            for (size_t i = 0; i < UNITS; i++) {
                member = member || x[i] == v;
            }
            assert_true(member);
        }
    }
}

static void parameters_that_do_not_fit(void **state)
{
    (void)state;
    const double k[] = {33, 0};
    assert_ok(activation("topk_mask")->check(k, 33));
    assert_fails(activation("topk_mask")->check(k, 32), EG_INVALID,
                 "k = 33 is more than the layer's 32 units");
    assert_fails(activation("topk_subtract")->check(k, 32), EG_INVALID,
                 "k = 33 is more than the layer's 32 units");
    const double groups[] = {30};
    assert_ok(activation("lwta")->check(groups, 60));
    assert_fails(activation("lwta")->check(groups, 1000), EG_INVALID,
                 "groups = 30 does not divide the layer's 1000 units (the nearest that do: 25 and "
                 "40)");
    assert_fails(activation("lwta")->check(groups, 20), EG_INVALID,
                 "groups = 30 is more than the layer's 20 units");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_by_hand),
        cmocka_unit_test(registry_is_sorted),
        cmocka_unit_test(permuted_units_permute_the_output),
        cmocka_unit_test(nan_reaches_the_output),
        cmocka_unit_test(who_mixes_units_says_so),
        cmocka_unit_test(selection_matches_sorting),
        cmocka_unit_test(topk_mask_matches_sorting),
        cmocka_unit_test(selection_ends_with_nan),
        cmocka_unit_test(parameters_that_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
