/** Switch layers, in double: routing worked out by hand, the capacity and balance values of the paper's
 *  definitions, and gradients, whose tokens stay away from ties. */
#include "one_layer.h"

#include "nn/layer_switch.h"

#include <math.h>

static const eg_initial small = {EG_INITIAL_NORMAL, 0.4, 1};

/* Routing ---------------------------------------------------------------------------------------- */

enum { TOKENS = 8, EXPERTS = 4, PITCH = 16 };

typedef struct scene {
    eg_real p[TOKENS * PITCH], row[TOKENS], expert[TOKENS];
    eg_switch_routes routes;
} scene;

/* Token t prefers expert likes[t]. */
static void route(scene *s, const size_t likes[TOKENS], size_t capacity)
{
    memset(s, 0, sizeof *s);
    s->routes = (eg_switch_routes){.tokens = TOKENS,
                                   .experts = EXPERTS,
                                   .pitch = PITCH,
                                   .p = s->p,
                                   .row = s->row,
                                   .expert = s->expert};
    for (size_t t = 0; t < TOKENS; t++) {
        s->p[t * PITCH + likes[t]] = log(2);
    }
    eg_switch_route(&s->routes, capacity);
}

/* 8 tokens, 4 experts, factor 1: 2 each; it is rounded up. */
static void capacities_by_hand(void **state)
{
    (void)state;
    assert_int_equal(eg_switch_capacity(1, 8, 4), 2);
    assert_int_equal(eg_switch_capacity(1, 9, 4), 3);
    assert_int_equal(eg_switch_capacity(1.25, 8, 4), 3);
    assert_int_equal(eg_switch_capacity(0.5, 8, 4), 1);
}

/* The third and fourth token of expert 1 come too late. Rows of an expert begin at a multiple of 8. */
static void later_tokens_are_dropped(void **state)
{
    (void)state;
    scene s;
    route(&s, (const size_t[]){1, 3, 1, 1, 0, 1, 3, 2}, 2);
    const double rows[] = {8, 24, 9, -1, 0, -1, 25, 16};
    const size_t count[] = {1, 4, 1, 2};
    const size_t kept[] = {1, 2, 1, 2};
    for (size_t t = 0; t < TOKENS; t++) {
        assert_true(s.row[t] == rows[t]);
    }
    for (size_t e = 0; e < EXPERTS; e++) {
        assert_int_equal(s.routes.count[e], count[e]);
        assert_int_equal(s.routes.kept[e], kept[e]);
    }
    assert_close((double)s.p[1], 0.4, 1e-12); /* 2/5 */
    assert_close((double)s.p[0], 0.2, 1e-12);
    eg_switch_routes again = s.routes;
    eg_switch_recall(&again);
    assert_memory_equal(again.count, s.routes.count, EXPERTS * sizeof *again.count);
    assert_memory_equal(again.kept, s.routes.kept, EXPERTS * sizeof *again.kept);
    assert_memory_equal(again.first, s.routes.first, EXPERTS * sizeof *again.first);
}

static void the_first_of_equals_is_chosen(void **state)
{
    (void)state;
    scene s;
    route(&s, (const size_t[]){0, 0, 0, 0, 0, 0, 0, 0}, TOKENS);
    memset(s.p, 0, sizeof s.p);
    s.p[PITCH + 2] = s.p[PITCH + 3] = 1;
    eg_switch_route(&s.routes, TOKENS);
    assert_true(s.expert[0] == 0 && s.expert[1] == 2);
}

/* Two tokens for every expert, and equal mean probabilities: alpha. All to one, p = 2/5: alpha 4 2/5. */
static void balance_by_hand(void **state)
{
    (void)state;
    scene s;
    route(&s, (const size_t[]){0, 1, 2, 3, 0, 1, 2, 3}, 2);
    assert_close(eg_switch_balance(&s.routes, 0.01), 0.01, 1e-15);
    route(&s, (const size_t[]){2, 2, 2, 2, 2, 2, 2, 2}, 2);
    assert_close(eg_switch_balance(&s.routes, 0.01), 0.016, 1e-15); /* dropped ones count */
}

/* The layer ---------------------------------------------------------------------------------------- */

enum { WIDTH = 8, HIDDEN = 16, POSITIONS = 5, BATCH = 2, BALANCE_TOKENS = POSITIONS * BATCH };

static void take_switch(one_layer *one, const char *activation, double capacity, double balance)
{
    const eg_activation *a =
        (const eg_activation *)eg_family_find(&eg_activation_family, activation);
    const eg_switch spec = {.experts = 3,
                            .hidden = HIDDEN,
                            .activation = a,
                            .capacity = capacity,
                            .balance = balance,
                            .initial = small,
                            .down_initial = small};
    eg_layer layer;
    assert_ok(eg_layer_switch(&layer, (eg_shape){POSITIONS, 1, WIDTH}, &spec));
    one_layer_init(one, layer, BATCH);
    one->context.derived = one_layer_array(layer.derived_count);
    for (size_t b = 0; b < layer.block_count; b++) {
        eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, b);
        for (size_t i = 0; layer.blocks[b].role == EG_ROLE_BIAS && i < layer.blocks[b].count; i++) {
            one->params[b][i] = (eg_real)(0.3 * eg_rng_normal(&rng));
        }
    }
}

static void drop_switch(one_layer *one)
{
    eg_free(one->context.derived);
    one_layer_clear(one);
}

static void run(one_layer *one, eg_mode mode)
{
    one->layer.ops->prepare(&one->layer, &one->context);
    one_layer_forward(one, mode);
}

/* The loss of training: the sum that dy is the gradient of, and the balance loss. */
static double training_loss(one_layer *one, double balance)
{
    double loss = 0;
    eg_switch_routes routes;
    run(one, EG_MODE_PROBE_BATCH);
    eg_switch_routes_of(&one->layer, &one->context, &routes);
    for (size_t i = 0; i < BATCH * one->outputs; i++) {
        loss += (double)(one->dy[i] * one->y[i]);
    }
    return loss + eg_switch_balance(&routes, balance);
}

static void assert_slope(one_layer *one, double balance, eg_real *at, eg_real gradient)
{
    const double h = 1e-6;
    const eg_real kept = *at;
    *at = kept + (eg_real)h;
    double above = training_loss(one, balance);
    *at = kept - (eg_real)h;
    double below = training_loss(one, balance);
    *at = kept;
    assert_close((double)gradient, (above - below) / (2 * h), 2e-7);
}

/* A step of h cannot change who goes where. */
static void assert_away_from_ties(const eg_switch_routes *routes)
{
    for (size_t t = 0; t < routes->tokens; t++) {
        const eg_real *p = routes->p + t * routes->pitch;
        const size_t chosen = (size_t)routes->expert[t];
        for (size_t e = 0; e < routes->experts; e++) {
            assert_true(e == chosen || p[e] < p[chosen] - (eg_real)1e-3);
        }
    }
}

/* With tokens dropped and a balance loss that is felt; every expert has some. */
static void gradients_away_from_ties(void **state)
{
    (void)state;
    const char *const activations[] = {"relu", "gelu"};
    for (size_t a = 0; a < EG_COUNT(activations); a++) {
        const double balance = 3;
        eg_switch_routes routes;
        one_layer one;
        size_t dropped = 0;
        take_switch(&one, activations[a], 1, balance);
        run(&one, EG_MODE_TRAIN);
        eg_switch_routes_of(&one.layer, &one.context, &routes);
        assert_away_from_ties(&routes);
        for (size_t e = 0; e < routes.experts; e++) {
            assert_true(routes.kept[e] > 0);
            dropped += routes.count[e] - routes.kept[e];
        }
        assert_true(dropped > 0);
        one_layer_backward(&one);
        for (size_t i = 0; i < BATCH * one.inputs; i++) {
            assert_slope(&one, balance, &one.x[i], one.dx[i]);
        }
        for (size_t b = 0; b < one.layer.block_count; b++) {
            for (size_t i = 0; i < one.layer.blocks[b].count; i++) {
                assert_slope(&one, balance, &one.params[b][i], one.grads[b][i]);
            }
        }
        one.gives[0] = NULL; /* nobody wants it */
        one_layer_backward(&one);
        drop_switch(&one);
    }
}

/* The balance loss belongs to training: a probe of importances does not have it. */
static void probes_have_no_balance_loss(void **state)
{
    (void)state;
    one_layer one;
    take_switch(&one, "relu", 1, 5);
    memset(one.dy, 0, BATCH * one.outputs * sizeof *one.dy);
    run(&one, EG_MODE_PROBE);
    one_layer_backward(&one);
    for (size_t i = 0; i < BATCH * one.inputs; i++) {
        assert_true(one.dx[i] == 0);
    }
    run(&one, EG_MODE_TRAIN);
    one_layer_backward(&one);
    assert_true(one.dx[0] != 0);
    drop_switch(&one);
}

/* What unit u of a block adds up to from inputs x. */
static double row_of(const one_layer *one, size_t block, size_t u, const double *x)
{
    const eg_block *form = &one->layer.blocks[block];
    const eg_real *w =
        one->params[block] + u / form->lanes * form->fan_in * form->lanes + u % form->lanes;
    double sum = 0;
    for (size_t i = 0; i < form->fan_in; i++) {
        sum += (double)w[i * form->lanes] * x[i];
    }
    return sum;
}

/* p_e F_e(x) of token t, as the formula says. */
static void switched(const one_layer *one, size_t t, double *y, size_t *chosen)
{
    double x[WIDTH];
    double p[3];
    double hidden[HIDDEN];
    double sum = 0;
    for (size_t i = 0; i < WIDTH; i++) {
        x[i] = (double)one->x[t * WIDTH + i];
    }
    *chosen = 0;
    for (size_t e = 0; e < 3; e++) {
        p[e] = exp(row_of(one, EG_SWITCH_ROUTER, e, x));
        sum += p[e];
        *chosen = p[e] > p[*chosen] ? e : *chosen;
    }
    for (size_t h = 0; h < HIDDEN; h++) {
        const double one_input = 1;
        double u = row_of(one, EG_SWITCH_UP, *chosen * HIDDEN + h, x) +
                   row_of(one, EG_SWITCH_UP_BIAS, *chosen * HIDDEN + h, &one_input);
        hidden[h] = u > 0 ? u : 0;
    }
    for (size_t i = 0; i < WIDTH; i++) {
        const double one_input = 1;
        y[i] = row_of(one, EG_SWITCH_DOWN, *chosen * WIDTH + i, hidden) +
               row_of(one, EG_SWITCH_DOWN_BIAS, *chosen * WIDTH + i, &one_input);
        y[i] *= p[*chosen] / sum;
    }
}

/* In training an expert takes 4 of 10 tokens, in evaluation all; counters move in training alone. */
static void outputs_and_counters(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PREDICT, EG_MODE_PROBE};
    one_layer one;
    take_switch(&one, "relu", 1, 0.01);
    for (size_t m = 0; m < EG_COUNT(modes); m++) {
        size_t seen[3] = {0};
        run(&one, modes[m]);
        for (size_t t = 0; t < BALANCE_TOKENS; t++) {
            double y[WIDTH];
            size_t e = 0;
            switched(&one, t, y, &e);
            const bool dropped = modes[m] == EG_MODE_TRAIN && seen[e] >= 4;
            seen[e]++;
            for (size_t i = 0; i < WIDTH; i++) {
                assert_close((double)one.y[t * WIDTH + i], dropped ? 0 : y[i], 1e-12);
            }
        }
        for (size_t e = 0; e < 3; e++) {
            const double late = seen[e] > 4 ? (double)seen[e] - 4 : 0;
            assert_true(one.buffers[EG_SWITCH_LOAD][e] == (double)seen[e]);
            assert_true(one.buffers[EG_SWITCH_DROPPED][e] == late);
        }
    }
    drop_switch(&one);
}

/* An expert nobody chose learns nothing, and is the same whatever the number of experts. */
static void experts_without_tokens(void **state)
{
    (void)state;
    one_layer one;
    take_switch(&one, "relu", 3, 0);
    memset(one.params[EG_SWITCH_ROUTER], 0, 3 * WIDTH * sizeof(eg_real)); /* all to the first */
    run(&one, EG_MODE_TRAIN);
    one_layer_backward(&one);
    for (size_t b = EG_SWITCH_UP; b < EG_SWITCH_BLOCKS; b++) {
        const size_t each = one.layer.blocks[b].count / 3;
        bool any = false;
        for (size_t i = 0; i < 3 * each; i++) {
            assert_true(i < each || one.grads[b][i] == 0);
            any = any || one.grads[b][i] != 0;
        }
        assert_true(any);
    }
    drop_switch(&one);
}

/* Every parameter is a unit's, and once. */
static void units_have_all_parameters(void **state)
{
    (void)state;
    one_layer one;
    take_switch(&one, "relu", 1, 0);
    for (size_t b = 0; b < one.layer.block_count; b++) {
        memset(one.params[b], 0, one.layer.blocks[b].count * sizeof(eg_real));
    }
    for (size_t u = 0; u < 3 * HIDDEN; u++) {
        eg_unit_run run_of;
        for (size_t k = 0; one.layer.ops->unit_run(&one.layer, EG_UNIT_INCOMING, u, k, &run_of);
             k++) {
            for (size_t i = 0; i < run_of.count; i++) {
                one.params[run_of.block][run_of.first + i * run_of.stride]++;
            }
        }
    }
    for (size_t b = 0; b < one.layer.block_count; b++) {
        for (size_t i = 0; i < one.layer.blocks[b].count; i++) {
            assert_true(one.params[b][i] == 1);
        }
    }
    drop_switch(&one);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const eg_activation *relu =
        (const eg_activation *)eg_family_find(&eg_activation_family, "relu");
    const eg_activation *mask =
        (const eg_activation *)eg_family_find(&eg_activation_family, "topk_mask");
    const eg_switch good = {.experts = 2, .hidden = 32, .activation = relu, .capacity = 1};
    const eg_shape shape = {4, 1, 8};
    eg_layer layer;
    eg_switch bad = good;
    assert_ok(eg_layer_switch(&layer, shape, &good));
    eg_layer_clear(&layer);
    assert_fails(eg_layer_switch(&layer, (eg_shape){4, 1, 12}, &good), EG_INVALID,
                 "multiple of 32");
    bad.hidden = 48;
    assert_fails(eg_layer_switch(&layer, shape, &bad), EG_INVALID, "multiple of 32");
    bad = good;
    bad.experts = 257;
    assert_fails(eg_layer_switch(&layer, shape, &bad), EG_INVALID, "1 to 256");
    bad = good;
    bad.activation = mask;
    assert_fails(eg_layer_switch(&layer, shape, &bad), EG_INVALID, "topk_mask");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacities_by_hand),
        cmocka_unit_test(later_tokens_are_dropped),
        cmocka_unit_test(the_first_of_equals_is_chosen),
        cmocka_unit_test(balance_by_hand),
        cmocka_unit_test(gradients_away_from_ties),
        cmocka_unit_test(probes_have_no_balance_loss),
        cmocka_unit_test(outputs_and_counters),
        cmocka_unit_test(experts_without_tokens),
        cmocka_unit_test(units_have_all_parameters),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
