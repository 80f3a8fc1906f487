/** Batch normalisation in double: against the formulas written out, gradients in every mode, running statistics,
 *  and what it means for the units of a network. */
#include "one_layer.h"

#include "nn/layers.h"

#include <math.h>

enum { SCALE, SHIFT };
enum { MEAN, VARIANCE };

static const double eps = 1e-5;

static void make(one_layer *one, eg_shape shape, size_t batch)
{
    eg_layer layer;
    assert_ok(eg_layer_batch_norm(&layer, shape, eps, 0.9));
    one_layer_init(one, layer, batch);
    eg_rng rng = eg_rng_make(2, EG_PURPOSE_TEST, 0);
    for (size_t c = 0; c < shape.channels; c++) {
        one->params[SCALE][c] = (eg_real)(1 + 0.5 * eg_rng_normal(&rng));
        one->params[SHIFT][c] = (eg_real)eg_rng_normal(&rng);
    }
    /* Channels of means and deviations of their own. */
    for (size_t i = 0; i < batch * one->inputs; i++) {
        size_t c = i % shape.channels;
        one->x[i] = one->x[i] * (eg_real)(1 + c % 5) + (eg_real)(100 * (c % 3));
    }
}

/* Mean and mean square about it of a channel. */
static void moments(const one_layer *one, size_t c, double *mean, double *variance)
{
    size_t channels = one->layer.in.channels;
    size_t rows = one->batch * one->inputs / channels;
    *mean = 0;
    *variance = 0;
    for (size_t r = 0; r < rows; r++) {
        *mean += (double)one->x[r * channels + c] / (double)rows;
    }
    for (size_t r = 0; r < rows; r++) {
        double d = (double)one->x[r * channels + c] - *mean;
        *variance += d * d / (double)rows;
    }
}

/* From less than a tile to more than a chunk of 8192 numbers, channels that fill tiles and do not. */
static void normalises_every_channel(void **state)
{
    (void)state;
    const eg_shape shapes[] = {{1, 1, 3},  {5, 3, 1},   {13, 7, 20},
                               {9, 9, 64}, {4, 4, 100}, {2, 3, 512}};
    for (size_t s = 0; s < EG_COUNT(shapes); s++) {
        one_layer one;
        size_t channels = shapes[s].channels;
        make(&one, shapes[s], 9);
        one_layer_forward(&one, EG_MODE_TRAIN);
        double n = (double)(one.batch * one.inputs / channels);
        for (size_t c = 0; c < channels; c++) {
            double mean, variance;
            moments(&one, c, &mean, &variance);
            double r = 1 / sqrt(variance + eps);
            for (size_t i = c; i < one.batch * one.inputs; i += channels) {
                double normal = ((double)one.x[i] - mean) * r;
                assert_close((double)one.y[i],
                             (double)one.params[SCALE][c] * normal + (double)one.params[SHIFT][c],
                             1e-9);
            }
            assert_close(one.buffers[MEAN][c], 0.1 * mean, 1e-10);
            assert_close(one.buffers[VARIANCE][c], 0.9 + 0.1 * variance * n / (n - 1), 1e-10);
        }
        one_layer_clear(&one);
    }
}

/* From (0, 1), one minibatch of n numbers of biased variance s^2: 0.9 + 0.1 s^2 n/(n - 1). Numbers 1, 2, 3, 6:
 * mean 3, s^2 = 3.5, unbiased 14/3. */
static void running_statistics_by_hand(void **state)
{
    (void)state;
    const double x[] = {1, 2, 3, 6};
    one_layer one;
    make(&one, (eg_shape){2, 1, 1}, 2);
    for (size_t i = 0; i < 4; i++) {
        one.x[i] = (eg_real)x[i];
    }
    one_layer_forward(&one, EG_MODE_TRAIN);
    assert_close(one.buffers[MEAN][0], 0.3, 1e-15);
    assert_close(one.buffers[VARIANCE][0], 0.9 + 0.1 * 3.5 * 4 / 3, 1e-15);
    one_layer_forward(&one, EG_MODE_TRAIN);
    assert_close(one.buffers[MEAN][0], 0.57, 1e-15);
    assert_close(one.buffers[VARIANCE][0], 0.81 + 0.19 * 14 / 3, 1e-15);
    one_layer_clear(&one);
}

/* Running statistics are away from (0, 1), so that the modes differ. */
static void gradients_in_every_mode(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PROBE, EG_MODE_PROBE_BATCH};
    const eg_shape shapes[] = {{1, 1, 5}, {3, 2, 4}, {2, 2, 70}};
    for (size_t s = 0; s < EG_COUNT(shapes); s++) {
        one_layer one;
        make(&one, shapes[s], 3);
        one_layer_forward(&one, EG_MODE_TRAIN);
        for (size_t m = 0; m < EG_COUNT(modes); m++) {
            one_layer_assert_gradients(&one, modes[m]);
        }
        one_layer_clear(&one);
    }
}

/* Sums over several chunks, against sums in order. */
static void gradients_of_large_minibatches(void **state)
{
    (void)state;
    one_layer one;
    const size_t channels = 20;
    make(&one, (eg_shape){13, 7, 20}, 11);
    one_layer_forward(&one, EG_MODE_TRAIN);
    one_layer_backward(&one);
    double n = (double)(one.batch * one.inputs / channels);
    for (size_t c = 0; c < channels; c++) {
        double mean, variance, sum = 0, along = 0;
        moments(&one, c, &mean, &variance);
        double r = 1 / sqrt(variance + eps);
        for (size_t i = c; i < one.batch * one.inputs; i += channels) {
            sum += (double)one.dy[i];
            along += (double)one.dy[i] * ((double)one.x[i] - mean) * r;
        }
        assert_close((double)one.grads[SCALE][c], along, 1e-9);
        assert_close((double)one.grads[SHIFT][c], sum, 1e-9);
        for (size_t i = c; i < one.batch * one.inputs; i += channels) {
            double normal = ((double)one.x[i] - mean) * r;
            double wanted = (double)one.params[SCALE][c] * r *
                            ((double)one.dy[i] - sum / n - normal * along / n);
            assert_close((double)one.dx[i], wanted, 1e-9);
        }
    }
    one_layer_clear(&one);
}

/* Only training moves buffers; predictions and probes see the same, training and probes of the minibatch too. */
static void what_moves(void **state)
{
    (void)state;
    enum { NUMBERS = 3 * 2 * 2 * 6, CHANNELS = 6 };
    one_layer one;
    eg_real y[5][NUMBERS];
    double before[2][CHANNELS];
    make(&one, (eg_shape){2, 2, CHANNELS}, 3);
    one_layer_forward(&one, EG_MODE_TRAIN);
    for (size_t b = 0; b < 2; b++) {
        memcpy(before[b], one.buffers[b], sizeof before[b]);
    }
    const eg_mode still[] = {EG_MODE_PREDICT, EG_MODE_PROBE, EG_MODE_PROBE_BATCH,
                             EG_MODE_PREDICT_BATCH};
    for (size_t m = 0; m < EG_COUNT(still); m++) {
        one_layer_forward(&one, still[m]);
        memcpy(y[still[m]], one.y, sizeof y[0]);
        if (eg_mode_keeps(still[m])) {
            one_layer_backward(&one);
        }
    }
    for (size_t b = 0; b < 2; b++) {
        assert_memory_equal(before[b], one.buffers[b], sizeof before[b]);
    }
    one_layer_forward(&one, EG_MODE_TRAIN);
    memcpy(y[EG_MODE_TRAIN], one.y, sizeof y[0]);
    for (size_t b = 0; b < 2; b++) {
        for (size_t c = 0; c < CHANNELS; c++) {
            assert_true(before[b][c] != one.buffers[b][c]);
        }
    }
    assert_memory_equal(y[EG_MODE_PREDICT], y[EG_MODE_PROBE], sizeof y[0]);
    assert_memory_equal(y[EG_MODE_TRAIN], y[EG_MODE_PROBE_BATCH], sizeof y[0]);
    assert_memory_equal(y[EG_MODE_TRAIN], y[EG_MODE_PREDICT_BATCH], sizeof y[0]);
    assert_memory_not_equal(y[EG_MODE_TRAIN], y[EG_MODE_PROBE], sizeof y[0]);
    one_layer_clear(&one);
}

/* A single number per channel: it becomes the shift, and says nothing about the variance. */
static void one_number_per_channel(void **state)
{
    (void)state;
    one_layer one;
    make(&one, eg_shape_vector(3), 1);
    one_layer_forward(&one, EG_MODE_TRAIN);
    for (size_t c = 0; c < 3; c++) {
        assert_true(one.y[c] == one.params[SHIFT][c]);
        assert_true(one.buffers[VARIANCE][c] == 1);
        assert_close(one.buffers[MEAN][c], 0.1 * (double)one.x[c], 1e-15);
    }
    one_layer_clear(&one);
}

/* The norm's dy and y are the activation's dx and x. */
static void join(one_layer *norm, one_layer *rectified)
{
    rectified->reads[0] = norm->y;
    norm->context.dy = rectified->dx;
    memset(norm->y, 0, norm->batch * norm->outputs * sizeof *norm->y);
}

/* Made together, an activation and its norm give what they give one after the other, in every mode, with and
 * without gradients of parameters, over more than a chunk of 8192 numbers and less. */
static void with_the_next_layer(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_TRAIN, EG_MODE_PROBE, EG_MODE_PROBE_BATCH};
    const eg_shape shapes[] = {{1, 1, 5}, {13, 7, 20}, {9, 9, 64}};
    const eg_component *relu = eg_family_find(&eg_activation_family, "relu");
    for (size_t i = 0; i < EG_COUNT(shapes) * EG_COUNT(modes) * 2; i++) {
        const eg_shape shape = shapes[i / 2 / EG_COUNT(modes)];
        one_layer norm[2];
        one_layer rectified[2];
        for (size_t together = 0; together < 2; together++) {
            eg_layer layer;
            assert_ok(eg_layer_activation(&layer, (const eg_activation *)(const void *)relu, NULL,
                                          shape));
            assert_true(layer.elementwise);
            one_layer *a = &norm[together];
            one_layer *b = &rectified[together];
            make(a, shape, 9);
            one_layer_init(b, layer, 9);
            join(a, b);
            const eg_layer_next next = {&b->layer, &b->context};
            assert_true(a->layer.ops->takes_next);
            a->context.grads = i % 2 == 0 ? a->grads : NULL;
            a->context.next = together ? &next : NULL;
            b->context.mode = modes[i / 2 % EG_COUNT(modes)];
            one_layer_forward(a, b->context.mode);
            if (!together) {
                one_layer_forward(b, b->context.mode);
                one_layer_backward(b);
            }
            one_layer_backward(a);
        }
        const size_t bytes = norm->batch * norm->inputs * sizeof(eg_real);
        assert_memory_equal(rectified[0].y, rectified[1].y, bytes);
        assert_memory_equal(norm[0].dx, norm[1].dx, bytes);
        for (size_t b = 0; b < norm->layer.block_count; b++) {
            assert_memory_equal(norm[0].grads[b], norm[1].grads[b],
                                norm->layer.blocks[b].count * sizeof(eg_real));
        }
        for (size_t k = 0; k < 2; k++) {
            one_layer_clear(&norm[k]);
            one_layer_clear(&rectified[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normalises_every_channel),
        cmocka_unit_test(running_statistics_by_hand),
        cmocka_unit_test(gradients_in_every_mode),
        cmocka_unit_test(gradients_of_large_minibatches),
        cmocka_unit_test(what_moves),
        cmocka_unit_test(one_number_per_channel),
        cmocka_unit_test(with_the_next_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
