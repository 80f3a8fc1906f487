/** Layers of sequences, in double: cases worked out by hand, attention against a plain loop, gradients. */
#include "one_layer.h"

#include "nn/layers.h"

#include <math.h>

static const eg_initial small = {EG_INITIAL_NORMAL, 0.5, 1};

/* Embedding -------------------------------------------------------------------------------------- */

enum { TOKENS = 41, WIDTH = 3, POSITIONS = 5 };

static void take_embedding(one_layer *one)
{
    eg_layer layer;
    eg_layer_embedding(&layer, POSITIONS, TOKENS, WIDTH, small);
    one_layer_init(one, layer, 2);
    for (size_t i = 0; i < 2 * POSITIONS; i++) {
        one->x[i] = (eg_real)(i * 7 % TOKENS);
    }
    one->x[3] = one->x[1]; /* a token that comes twice */
}

/* Token v's numbers as a unit's parameters, whatever the layout. */
static eg_real *number_of(const one_layer *one, size_t token, size_t i)
{
    eg_unit_run run;
    assert_true(one->layer.ops->unit_run(&one->layer, EG_UNIT_INCOMING, token, 0, &run));
    assert_int_equal(run.count, WIDTH);
    return one->params[0] + run.first + i * run.stride;
}

static void tokens_find_their_rows(void **state)
{
    (void)state;
    one_layer one;
    take_embedding(&one);
    for (size_t v = 0; v < TOKENS; v++) {
        for (size_t i = 0; i < WIDTH; i++) {
            *number_of(&one, v, i) = (eg_real)(10 * v + i);
        }
    }
    one_layer_forward(&one, EG_MODE_TRAIN);
    for (size_t n = 0; n < 2 * POSITIONS; n++) {
        for (size_t i = 0; i < WIDTH; i++) {
            assert_true(one.y[n * WIDTH + i] == 10 * one.x[n] + (eg_real)i);
        }
    }
    one_layer_clear(&one);
}

static void tokens_have_gradients(void **state)
{
    (void)state;
    one_layer one;
    take_embedding(&one);
    one_layer_forward(&one, EG_MODE_TRAIN);
    one_layer_backward(&one);
    for (size_t i = 0; i < one.layer.blocks[0].count; i++) {
        one_layer_assert_slope(&one, EG_MODE_TRAIN, &one.params[0][i], one.grads[0][i]);
    }
    for (size_t n = 0; n < 2 * POSITIONS; n++) {
        assert_true(one.dx[n] == 0);
    }
    one_layer_clear(&one);
}

/* A number that is no token's gives NaN, and changes no gradient. */
static void other_numbers_are_no_tokens(void **state)
{
    (void)state;
    const eg_real wrong[] = {-1, TOKENS, 1e30, (eg_real)NAN};
    one_layer one;
    take_embedding(&one);
    for (size_t w = 0; w < EG_COUNT(wrong); w++) {
        one.x[2] = wrong[w];
        one_layer_forward(&one, EG_MODE_TRAIN);
        one_layer_backward(&one);
        eg_real sum = 0;
        for (size_t i = 0; i < one.layer.blocks[0].count; i++) {
            sum += one.grads[0][i];
        }
        for (size_t n = 0; n < 2 * POSITIONS * WIDTH; n++) {
            assert_int_equal(isnan(one.y[n]), n / WIDTH == 2);
            sum -= n / WIDTH == 2 ? 0 : one.dy[n];
        }
        assert_close((double)sum, 0, 1e-12);
    }
    one_layer_clear(&one);
}

/* Positions and normalisation -------------------------------------------------------------------- */

static void positions_add_up(void **state)
{
    (void)state;
    eg_layer layer;
    one_layer one;
    eg_layer_positions(&layer, (eg_shape){POSITIONS, 1, WIDTH}, small);
    one_layer_init(&one, layer, 3);
    one_layer_assert_gradients(&one, EG_MODE_TRAIN);
    one_layer_forward(&one, EG_MODE_TRAIN);
    for (size_t i = 0; i < 3 * one.inputs; i++) {
        assert_true(one.y[i] == one.x[i] + one.params[0][i % one.inputs]);
    }
    one_layer_clear(&one);
}

/* 1, 2, 3, 6 has mean 3 and variance 3.5. */
static void places_are_normalised_by_themselves(void **state)
{
    (void)state;
    const eg_real x[] = {1, 2, 3, 6};
    const double inverse = 1 / sqrt(3.5 + 1e-5);
    eg_layer layer;
    one_layer one;
    eg_layer_position_norm(&layer, (eg_shape){2, 1, 4});
    one_layer_init(&one, layer, 1);
    for (size_t i = 0; i < 4; i++) {
        one.x[i] = x[i];
        one.x[4 + i] = 100 - 5 * x[i];
        one.params[1][i] = (eg_real)i;
        one.params[0][i] = 2;
    }
    one_layer_forward(&one, EG_MODE_PREDICT);
    for (size_t i = 0; i < 4; i++) {
        double normal = (x[i] - 3) * inverse;
        assert_close((double)one.y[i], 2 * normal + (double)i, 1e-12);
        assert_close((double)one.y[4 + i], -10 * (x[i] - 3) / sqrt(87.5 + 1e-5) + (double)i, 1e-12);
    }
    one_layer_clear(&one);
}

static void gradients_of_normalisation(void **state)
{
    (void)state;
    const size_t widths[] = {3, 16, 21, 32};
    for (size_t w = 0; w < EG_COUNT(widths); w++) {
        eg_layer layer;
        one_layer one;
        eg_layer_position_norm(&layer, (eg_shape){3, 1, widths[w]});
        one_layer_init(&one, layer, 2);
        one_layer_assert_gradients(&one, EG_MODE_TRAIN);
        one_layer_clear(&one);
    }
}

/* Attention -------------------------------------------------------------------------------------- */

typedef struct attention_case {
    size_t positions, heads, size;
} attention_case;

/* More positions than a block of queries has, whole registers and others, one position. */
static const attention_case cases[] = {{1, 1, 2}, {5, 2, 3}, {40, 1, 16}, {70, 2, 5}, {64, 1, 32}};

static void take_attention(one_layer *one, const attention_case *c)
{
    eg_layer layer;
    assert_ok(eg_layer_attention(&layer, c->positions, c->heads, c->size));
    one_layer_init(one, layer, 2);
}

static const eg_real *at(const one_layer *one, const attention_case *c, size_t b, size_t t,
                         size_t part, size_t h)
{
    return one->x + b * one->inputs + t * 3 * c->heads * c->size + (part * c->heads + h) * c->size;
}

/* y of one head of one position, as the formula says. */
static void attend(const one_layer *one, const attention_case *c, size_t b, size_t i, size_t h,
                   double *y)
{
    double sum = 0;
    memset(y, 0, c->size * sizeof *y);
    for (size_t j = 0; j <= i; j++) {
        double s = 0;
        for (size_t k = 0; k < c->size; k++) {
            s += (double)(at(one, c, b, i, 0, h)[k] * at(one, c, b, j, 1, h)[k]);
        }
        const double p = exp(s / sqrt((double)c->size));
        sum += p;
        for (size_t k = 0; k < c->size; k++) {
            y[k] += p * (double)at(one, c, b, j, 2, h)[k];
        }
    }
    for (size_t k = 0; k < c->size; k++) {
        y[k] /= sum;
    }
}

static void attention_is_its_formula(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(cases); n++) {
        const attention_case *c = &cases[n];
        one_layer one;
        take_attention(&one, c);
        one_layer_forward(&one, EG_MODE_PREDICT);
        for (size_t row = 0; row < 2 * c->positions * c->heads; row++) {
            double y[32];
            attend(&one, c, row / c->heads / c->positions, row / c->heads % c->positions,
                   row % c->heads, y);
            for (size_t k = 0; k < c->size; k++) {
                assert_close((double)one.y[row * c->size + k], y[k], 1e-12);
            }
        }
        one_layer_clear(&one);
    }
}

static void gradients_of_attention(void **state)
{
    (void)state;
    for (size_t n = 0; n < EG_COUNT(cases); n++) {
        one_layer one;
        take_attention(&one, &cases[n]);
        for (size_t i = 0; i < 2 * one.inputs; i++) {
            one.x[i] *= (eg_real)0.5;
        }
        one_layer_assert_gradients(&one, EG_MODE_TRAIN);
        one.gives[0] = NULL; /* nobody wants it */
        one_layer_backward(&one);
        one_layer_clear(&one);
    }
}

/* Scores far above what exp takes: the largest is taken off first. One key holds all the weight. */
static void large_scores_do_not_overflow(void **state)
{
    (void)state;
    const attention_case c = {3, 1, 1};
    const eg_real x[] = {1000, 1000, 7, 1000, 2000, 8, -1000, 1, 9};
    one_layer one;
    take_attention(&one, &c);
    memcpy(one.x, x, sizeof x);
    one_layer_forward(&one, EG_MODE_TRAIN);
    assert_true(one.y[0] == 7 && one.y[1] == 8 && one.y[2] == 9);
    one_layer_clear(&one);
}

/* A linear layer of every position ---------------------------------------------------------------- */

static void positions_share_a_linear_layer(void **state)
{
    (void)state;
    const eg_conv spec = {.filters = 40,
                          .kernel_height = 1,
                          .kernel_width = 1,
                          .stride = 1,
                          .bias = true,
                          .initial = small,
                          .bias_initial = small};
    eg_layer layer;
    one_layer one;
    assert_ok(eg_layer_conv(&layer, (eg_shape){7, 1, 6}, &spec));
    assert_true(eg_shape_equal(layer.out, (eg_shape){7, 1, 40}));
    one_layer_init(&one, layer, 2);
    one_layer_assert_gradients(&one, EG_MODE_TRAIN);
    one_layer_forward(&one, EG_MODE_TRAIN);
    for (size_t n = 0; n < 14; n++) {
        for (size_t f = 0; f < 40; f++) {
            eg_unit_run run;
            assert_true(layer.ops->unit_run(&layer, EG_UNIT_INCOMING, f, 0, &run));
            double sum = (double)one.params[EG_CONV_BIAS][f];
            for (size_t i = 0; i < 6; i++) {
                sum += (double)(one.params[0][run.first + i * run.stride] * one.x[n * 6 + i]);
            }
            assert_close((double)one.y[n * 40 + f], sum, 1e-12);
        }
    }
    one_layer_clear(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_find_their_rows),
        cmocka_unit_test(tokens_have_gradients),
        cmocka_unit_test(other_numbers_are_no_tokens),
        cmocka_unit_test(positions_add_up),
        cmocka_unit_test(places_are_normalised_by_themselves),
        cmocka_unit_test(gradients_of_normalisation),
        cmocka_unit_test(attention_is_its_formula),
        cmocka_unit_test(gradients_of_attention),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(positions_share_a_linear_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
