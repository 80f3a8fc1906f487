/** Layers of mixtures of experts, in double: cases worked out by hand, and gradients. */
#include "one_layer.h"

#include "nn/layers.h"

#include <math.h>

static void assert_values(const eg_real *is, const double *wanted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_close((double)is[i], wanted[i], 1e-12);
    }
}

#define ASSERT_VALUES(is, ...)                                                                     \
    assert_values(is, (const double[]){__VA_ARGS__}, EG_COUNT(((const double[]){__VA_ARGS__})))

/* Pooling ---------------------------------------------------------------------------------------- */

/** x of an image of one channel counts from 0. */
static void take_pool(one_layer *one, eg_shape in, size_t height, size_t width)
{
    eg_layer layer;
    eg_layer_adaptive_pool(&layer, in, height, width);
    one_layer_init(one, layer, 1);
    for (size_t i = 0; i < one->inputs; i++) {
        one->x[i] = (eg_real)i;
    }
    one_layer_forward(one, EG_MODE_TRAIN);
}

/* 4 columns of 8 places are pairs; of 2 places each comes twice; of 6 places columns are 0-1, 1-2, 3-4,
 * 4-5; of 5 they are 0-1, 1-2, 2-3, 3-4. */
static void windows_by_hand(void **state)
{
    (void)state;
    one_layer one;
    take_pool(&one, (eg_shape){1, 8, 1}, 1, 4);
    ASSERT_VALUES(one.y, 0.5, 2.5, 4.5, 6.5);
    one_layer_clear(&one);
    take_pool(&one, (eg_shape){1, 6, 1}, 1, 4);
    ASSERT_VALUES(one.y, 0.5, 1.5, 3.5, 4.5);
    one_layer_clear(&one);
    take_pool(&one, (eg_shape){1, 5, 1}, 1, 4);
    ASSERT_VALUES(one.y, 0.5, 1.5, 2.5, 3.5);
    one_layer_clear(&one);
    take_pool(&one, (eg_shape){2, 2, 1}, 4, 4);
    ASSERT_VALUES(one.y, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3);
    for (size_t i = 0; i < 16; i++) {
        one.dy[i] = (eg_real)(i + 1);
    }
    one_layer_backward(&one);
    ASSERT_VALUES(one.dx, 1 + 2 + 5 + 6, 3 + 4 + 7 + 8, 9 + 10 + 13 + 14, 11 + 12 + 15 + 16);
    one_layer_clear(&one);
    /* Two channels are pooled apart; a window of 2 x 1. */
    take_pool(&one, (eg_shape){2, 2, 2}, 1, 2);
    ASSERT_VALUES(one.y, 2, 3, 4, 5);
    one_layer_clear(&one);
}

static void gradients_of_pooling(void **state)
{
    (void)state;
    const eg_shape shapes[] = {{16, 16, 3}, {8, 8, 2}, {2, 2, 5}, {5, 3, 18}, {1, 7, 1}};
    for (size_t s = 0; s < EG_COUNT(shapes); s++) {
        eg_layer layer;
        one_layer one;
        eg_layer_adaptive_pool(&layer, shapes[s], 4, 4);
        assert_true(eg_shape_equal(layer.out, (eg_shape){4, 4, shapes[s].channels}));
        one_layer_init(&one, layer, 2);
        one_layer_assert_gradients(&one, EG_MODE_TRAIN);
        one.gives[0] = NULL; /* nobody wants it */
        one_layer_backward(&one);
        one_layer_clear(&one);
    }
}

/* Hard gates ------------------------------------------------------------------------------------- */

enum { B = 400, BRANCHES = 3, SIZE = 2, SEED = 5 };

/** A mixture of three branches with arrays of its own. */
typedef struct gated {
    eg_layer layer;
    eg_real gate[B * BRANCHES], branch[BRANCHES][B * SIZE], y[B * SIZE], dy[B * SIZE];
    eg_real dgate[B * BRANCHES], dbranch[BRANCHES][B * SIZE];
    eg_real cache[B * (BRANCHES + 1)];
    const eg_real *x[BRANCHES + 1];
    eg_real *dx[BRANCHES + 1];
    eg_layer_context context;
} gated;

static void gated_open(gated *g, size_t number)
{
    eg_rng rng = eg_rng_make(SEED, EG_PURPOSE_TEST, 0);
    assert_ok(eg_layer_hard_mixture(&g->layer, BRANCHES, number, eg_shape_vector(SIZE)));
    for (size_t b = 0; b < B; b++) {
        /* probabilities 0.2, 0.5, 0.3 */
        g->gate[b * BRANCHES] = log(2) + 1;
        g->gate[b * BRANCHES + 1] = log(5) + 1;
        g->gate[b * BRANCHES + 2] = log(3) + 1;
    }
    for (size_t k = 0; k < BRANCHES; k++) {
        g->x[k + 1] = g->branch[k];
        g->dx[k + 1] = g->dbranch[k];
        for (size_t i = 0; i < (size_t)B * SIZE; i++) {
            g->branch[k][i] = eg_rng_normal(&rng);
            g->dy[i] = eg_rng_normal(&rng);
        }
    }
    g->x[0] = g->gate;
    g->dx[0] = g->dgate;
    g->context = (eg_layer_context){.batch = B,
                                    .seed = SEED,
                                    .step = 7,
                                    .x = g->x,
                                    .y = g->y,
                                    .dy = g->dy,
                                    .dx = g->dx,
                                    .cache = g->cache};
}

static void forward(gated *g, eg_mode mode)
{
    g->context.mode = mode;
    g->layer.ops->forward(&g->layer, &g->context);
}

/** The branch that example b was taken from. */
static size_t taken(const gated *g, size_t b)
{
    const eg_real *y = g->y + b * SIZE;
    size_t branch = BRANCHES;
    for (size_t k = BRANCHES; k-- > 0;) {
        const eg_real *x = g->branch[k] + b * SIZE;
        branch = y[0] == x[0] && y[1] == x[1] ? k : branch;
    }
    assert_true(branch < BRANCHES);
    return branch;
}

static void draws_are_as_probable_as_they_should(void **state)
{
    (void)state;
    static gated g;
    size_t count[BRANCHES] = {0};
    gated_open(&g, 3);
    forward(&g, EG_MODE_TRAIN);
    for (size_t b = 0; b < B; b++) {
        count[taken(&g, b)]++;
    }
    /* of 400: deviations of 8, 10 and 9.2 */
    assert_in_range(count[0], 80 - 32, 80 + 32);
    assert_in_range(count[1], 200 - 40, 200 + 40);
    assert_in_range(count[2], 120 - 37, 120 + 37);
    /* A probe after the update takes the same ones; the next minibatch, and another gate, do not. */
    static eg_real kept[B * SIZE];
    memcpy(kept, g.y, sizeof kept);
    g.context.step = 8;
    forward(&g, EG_MODE_PROBE_BATCH);
    assert_memory_equal(g.y, kept, sizeof kept);
    forward(&g, EG_MODE_TRAIN);
    assert_memory_not_equal(g.y, kept, sizeof kept);
    eg_layer_clear(&g.layer);
    gated_open(&g, 4);
    forward(&g, EG_MODE_TRAIN);
    assert_memory_not_equal(g.y, kept, sizeof kept);
    eg_layer_clear(&g.layer);
}

/* The first of equals where nothing is drawn. */
static void evaluation_takes_the_most_probable(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_PREDICT, EG_MODE_PROBE, EG_MODE_PREDICT_BATCH};
    static gated g;
    gated_open(&g, 0);
    g.gate[0] = g.gate[2] = 4;
    g.gate[1] = -1;
    for (size_t m = 0; m < EG_COUNT(modes); m++) {
        forward(&g, modes[m]);
        assert_int_equal(taken(&g, 0), 0);
        for (size_t b = 1; b < B; b++) {
            assert_int_equal(taken(&g, b), 1);
        }
    }
    eg_layer_clear(&g.layer);
}

/* dx of the branch taken is dy; the gate's is p_k ([k = c] - p_c) <dy, x_c>. */
static void straight_through_by_hand(void **state)
{
    (void)state;
    static const double p[BRANCHES] = {0.2, 0.5, 0.3};
    static gated g;
    size_t seen = 0;
    gated_open(&g, 0);
    forward(&g, EG_MODE_TRAIN);
    g.layer.ops->backward(&g.layer, &g.context);
    for (size_t b = 0; b < B; b++) {
        size_t c = taken(&g, b);
        double e = 0;
        for (size_t i = b * SIZE; i < (b + 1) * SIZE; i++) {
            e += g.dy[i] * g.branch[c][i];
            for (size_t k = 0; k < BRANCHES; k++) {
                assert_true(g.dbranch[k][i] == (k == c ? g.dy[i] : 0));
            }
        }
        for (size_t k = 0; k < BRANCHES; k++) {
            double wanted = p[k] * ((k == c ? 1 : 0) - p[c]) * e;
            assert_close(g.dgate[b * BRANCHES + k], wanted, 1e-12);
        }
        seen |= (size_t)1 << c;
    }
    assert_int_equal(seen, 7);
    memset(g.dx, 0, sizeof g.dx); /* nobody wants it */
    g.layer.ops->backward(&g.layer, &g.context);
    eg_layer_clear(&g.layer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_by_hand),
        cmocka_unit_test(gradients_of_pooling),
        cmocka_unit_test(draws_are_as_probable_as_they_should),
        cmocka_unit_test(evaluation_takes_the_most_probable),
        cmocka_unit_test(straight_through_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
