/** Layers of sequences in single precision, where the kernels of the processor make them: outputs against plain
 *  loops in double, and gradients of a minibatch against the sum of those of its parts, which are cut into tiles
 *  otherwise. */
#include "one_layer.h"

#include "nn/layer_switch.h"

#include <math.h>

enum {
    WIDTH = 64,
    HIDDEN = 96,
    EXPERTS = 3,
    POSITIONS = 37,
    BATCH = 3,
    TOKENS = BATCH * POSITIONS
};

static const eg_initial small = {EG_INITIAL_NORMAL, 0.1, 1};

static void take_switch(one_layer *one, size_t batch)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_switch spec = {
        .experts = EXPERTS,
        .hidden = HIDDEN,
        .activation = (const eg_activation *)eg_family_find(&eg_activation_family, "relu"),
        .p = none,
        .capacity = 1000,
        .initial = small,
        .down_initial = small};
    eg_layer layer;
    assert_ok(eg_layer_switch(&layer, (eg_shape){POSITIONS, 1, WIDTH}, &spec));
    one_layer_init(one, layer, batch);
    one->context.derived = one_layer_array(layer.derived_count);
    layer.ops->prepare(&layer, &one->context);
}

static void drop_switch(one_layer *one)
{
    eg_free(one->context.derived);
    one_layer_clear(one);
}

static void run(one_layer *one)
{
    one_layer_forward(one, EG_MODE_TRAIN);
    one_layer_backward(one);
}

/* Row u of a block times x [fan_in], in double. */
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

static void outputs_of_experts(void **state)
{
    (void)state;
    one_layer one;
    size_t seen[EXPERTS] = {0};
    take_switch(&one, BATCH);
    run(&one);
    for (size_t t = 0; t < TOKENS; t++) {
        double x[WIDTH];
        double hidden[HIDDEN];
        double p[EXPERTS];
        double sum = 0;
        size_t e = 0;
        for (size_t i = 0; i < WIDTH; i++) {
            x[i] = (double)one.x[t * WIDTH + i];
        }
        for (size_t k = 0; k < EXPERTS; k++) {
            p[k] = exp(row_of(&one, EG_SWITCH_ROUTER, k, x));
            sum += p[k];
            e = p[k] > p[e] ? k : e;
        }
        seen[e]++;
        for (size_t h = 0; h < HIDDEN; h++) {
            hidden[h] = fmax(0, row_of(&one, EG_SWITCH_UP, e * HIDDEN + h, x));
        }
        for (size_t i = 0; i < WIDTH; i++) {
            const double y = p[e] / sum * row_of(&one, EG_SWITCH_DOWN, e * WIDTH + i, hidden);
            assert_close((double)one.y[t * WIDTH + i], y, 1e-4);
        }
    }
    assert_true(seen[0] > 0 && seen[1] > 0 && seen[2] > 0);
    drop_switch(&one);
}

/* Examples 0 … and the rest, from the same numbers. */
static void take_part(one_layer *part, const one_layer *whole, size_t first, size_t batch)
{
    memcpy(part->x, whole->x + first * whole->inputs, batch * whole->inputs * sizeof *part->x);
    memcpy(part->dy, whole->dy + first * whole->outputs, batch * whole->outputs * sizeof *part->dy);
}

static void assert_sum(const one_layer *whole, const one_layer *a, const one_layer *b)
{
    for (size_t k = 0; k < whole->layer.block_count; k++) {
        for (size_t i = 0; i < whole->layer.blocks[k].count; i++) {
            const double parts = (double)a->grads[k][i] + (double)b->grads[k][i];
            assert_close((double)whole->grads[k][i], parts, 2e-4 * (1 + fabs(parts)));
        }
    }
    for (size_t i = 0; i < whole->inputs; i++) {
        assert_close((double)whole->dx[i], (double)a->dx[i], 1e-4);
    }
    for (size_t i = 0; i < 2 * whole->inputs; i++) {
        assert_close((double)whole->dx[whole->inputs + i], (double)b->dx[i], 1e-4);
    }
}

static void gradients_of_parts_add_up(void **state)
{
    (void)state;
    one_layer whole;
    one_layer a;
    one_layer b;
    take_switch(&whole, BATCH);
    take_switch(&a, 1);
    take_switch(&b, 2);
    take_part(&a, &whole, 0, 1);
    take_part(&b, &whole, 1, 2);
    run(&whole);
    run(&a);
    run(&b);
    assert_sum(&whole, &a, &b);
    drop_switch(&whole);
    drop_switch(&a);
    drop_switch(&b);
}

/* Outputs against the formula; the 50 only keeps exp within bounds. */
static void outputs_of_attention(void **state)
{
    (void)state;
    enum { HEADS = 2, SIZE = 32 };
    eg_layer layer;
    one_layer one;
    assert_ok(eg_layer_attention(&layer, POSITIONS, HEADS, SIZE));
    one_layer_init(&one, layer, BATCH);
    run(&one);
    for (size_t row = 0; row < (size_t)TOKENS * HEADS; row++) {
        const size_t h = row % HEADS;
        const size_t i = row / HEADS % POSITIONS;
        const eg_real *x = one.x + row / HEADS / POSITIONS * one.inputs + h * SIZE;
        const size_t pitch = (size_t)3 * HEADS * SIZE;
        double y[SIZE] = {0};
        double sum = 0;
        for (size_t j = 0; j <= i; j++) {
            double s = 0;
            for (size_t k = 0; k < SIZE; k++) {
                s += (double)x[i * pitch + k] * (double)x[j * pitch + HEADS * SIZE + k];
            }
            const double p = exp((s - 50) / sqrt(SIZE));
            sum += p;
            for (size_t k = 0; k < SIZE; k++) {
                y[k] += p * (double)x[j * pitch + 2 * HEADS * SIZE + k];
            }
        }
        for (size_t k = 0; k < SIZE; k++) {
            assert_close((double)one.y[row * SIZE + k], y[k] / sum, 1e-3);
        }
    }
    one_layer_clear(&one);
}

/* A linear layer of every position. */
static void a_linear_layer_of_every_position(void **state)
{
    (void)state;
    const eg_conv spec = {
        .filters = 70, .kernel_height = 1, .kernel_width = 1, .stride = 1, .initial = small};
    eg_layer layer;
    one_layer one;
    assert_ok(eg_layer_conv(&layer, (eg_shape){POSITIONS, 1, WIDTH}, &spec));
    one_layer_init(&one, layer, BATCH);
    one_layer_forward(&one, EG_MODE_PREDICT);
    for (size_t t = 0; t < TOKENS; t++) {
        double x[WIDTH];
        for (size_t i = 0; i < WIDTH; i++) {
            x[i] = (double)one.x[t * WIDTH + i];
        }
        for (size_t f = 0; f < 70; f++) {
            assert_close((double)one.y[t * 70 + f], row_of(&one, 0, f, x), 1e-4);
        }
    }
    one_layer_clear(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_of_experts),
        cmocka_unit_test(gradients_of_parts_add_up),
        cmocka_unit_test(outputs_of_attention),
        cmocka_unit_test(a_linear_layer_of_every_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
