/** Firefly's search, in double: one update by hand, scores against differences of the loss, and that the
 *  network stays as it is. */
#include "support/image_scene.h"

#include "learner/firefly_search.h"
#include "nn/shared/vgg.h"

#include <math.h>
#include <string.h>

enum { SEED = 5, CONVOLUTIONS = 3, NEW = 2 };

static const size_t widths[CONVOLUTIONS] = {2, 3, 2};

#define FIREFLY(...)                                                                               \
    SCENE("learner", "firefly", "model", "vgg", "model.blocks", "[2, 1]", "model.widths",          \
          "[2, 3, 2]", "model.bias", "false", "model.head", "conv", __VA_ARGS__)

typedef struct scene {
    learner_scene learning;
    eg_firefly_setup setup;
    eg_view model;
    eg_growth growth;
    eg_firefly_search search;
} scene;

static void open_scene(scene *s, const char *const *words)
{
    s->learning = image_scene_open(words, SEED);
    scene_create(&s->learning);
    for (size_t step = 0; step < eg_stream_steps(s->learning.stream, 0); step++) {
        (void)scene_step(&s->learning, 0, step); /* running statistics have moved */
    }
    s->model = eg_view_inside(&s->learning.root, "model");
    s->setup = (eg_firefly_setup){.view = &s->model,
                                  .learner = (eg_gradient_learner *)s->learning.learner,
                                  .cursor = s->learning.cursor,
                                  .input = s->learning.stream->shape.input,
                                  .batch = s->learning.stream->shape.batch,
                                  .convolutions = CONVOLUTIONS,
                                  .widths = widths,
                                  .candidates = NEW,
                                  .rank = 3,
                                  .joins = true,
                                  .lr = 0.001,
                                  .penalty = 0.01,
                                  .seed = 77};
    assert_ok(eg_growth_init(&s->growth, CONVOLUTIONS, widths, NEW));
    assert_ok(eg_firefly_search_init(&s->search, &s->setup, &s->growth));
}

static void close_scene(scene *s)
{
    eg_firefly_search_clear(&s->search);
    eg_growth_clear(&s->growth);
    scene_close(&s->learning);
}

static const eg_parameter_block *part_of(const scene *s, size_t convolution, size_t part)
{
    size_t block = eg_vgg_block(s->search.net, &s->model, convolution, (eg_vgg_part)part);
    return block == SIZE_MAX ? NULL : &s->search.net->table.blocks[block];
}

/* Mean over the minibatches of an epoch of their mean losses. */
static double loss_of(scene *s, size_t phase)
{
    const size_t steps = eg_stream_phase(s->learning.stream, phase).steps;
    double sum = 0;
    for (size_t step = 0; step < steps; step++) {
        eg_batch batch;
        eg_cursor_get(s->learning.cursor, phase, step, &batch);
        const eg_real *y = eg_net_forward(s->search.net, s->search.workspace, EG_MODE_PROBE,
                                          batch.size, batch.x, batch.sparse);
        sum += eg_gradient_learner_loss(s->setup.learner, &batch, y);
    }
    return sum / (double)steps;
}

static double spread_of(const scene *s, size_t part, double *mean)
{
    double sum = 0;
    double squares = 0;
    double count = 0;
    for (size_t l = 0; l <= CONVOLUTIONS; l++) {
        const eg_parameter_block *block = part_of(s, l, part);
        for (size_t i = 0; block != NULL && i < block->count; i++) {
            double w = (double)s->search.net->params[block->offset + i];
            bool used = eg_parameter_unit(block, i) < block->units;
            sum += used ? w : 0;
            squares += used ? w * w : 0;
            count += used ? 1 : 0;
        }
    }
    *mean = sum / count;
    return sqrt(squares / count);
}

/* q ~ U(-0.01, 0.01), v ~ U(-0.1, 0.1), u ~ N(0, 0.1). */
static void candidates_start_as_published(void **state)
{
    (void)state;
    static const double expected[EG_VGG_PARTS] = {[EG_VGG_OLD_FROM_NEW] = 0.01 / 1.7320508,
                                                  [EG_VGG_NEW_FROM_NEW] = 0.01 / 1.7320508,
                                                  [EG_VGG_SPLIT] = 0.1 / 1.7320508,
                                                  [EG_VGG_NEW] = 0.1};
    scene s;
    open_scene(&s, FIREFLY(NULL));
    for (size_t p = 0; p < EG_VGG_PARTS; p++) {
        double mean = 0;
        double spread = spread_of(&s, p, &mean);
        assert_true(fabs(spread / expected[p] - 1) < 0.2);
        assert_true(fabs(mean) < 0.3 * expected[p]);
    }
    close_scene(&s);
}

/* From the first minibatch, with alpha 0.9: s = 0.1 g^2, so every number moves by lr/sqrt(0.1) against
 * its gradient of loss and penalty. Nothing else moves. */
static void one_update_by_hand(void **state)
{
    (void)state;
    static const double strength[EG_VGG_PARTS] = {[EG_VGG_SPLIT] = 0.01, [EG_VGG_NEW] = 0.0001};
    scene s;
    open_scene(&s, FIREFLY("model.activation", "swish", "stream.batch", "40", NULL));
    eg_net *net = s.search.net;
    const size_t phase = 1;
    assert_int_equal(eg_stream_phase(s.learning.stream, phase).steps, 1);
    eg_real *before = NULL;
    eg_real *gradient = NULL;
    bool *moves = NULL;
    assert_ok(eg_alloc(&before, net->param_count, sizeof *before));
    assert_ok(eg_alloc(&gradient, net->param_count, sizeof *gradient));
    assert_ok(eg_alloc(&moves, net->param_count, sizeof *moves));
    memcpy(before, net->params, net->param_count * sizeof *before);
    (void)loss_of(&s, phase);
    eg_net_backward(net, s.search.workspace, s.setup.learner->dy, NULL);
    memcpy(gradient, net->grads, net->param_count * sizeof *gradient);
    assert_ok(eg_firefly_search_train(&s.search, phase));
    size_t compared = 0;
    for (size_t l = 0; l <= CONVOLUTIONS; l++) {
        for (size_t p = 0; p < EG_VGG_PARTS; p++) {
            const eg_parameter_block *block = part_of(&s, l, p);
            for (size_t i = 0; block != NULL && i < block->count; i++) {
                const size_t at = block->offset + i;
                const double g = gradient[at] + 2 * strength[p] * before[at];
                moves[at] = true;
                if (fabs(g) > 1e-5) {
                    compared++;
                    assert_close(net->params[at], before[at] - copysign(0.00316227766, g), 1e-5);
                }
            }
        }
    }
    assert_true(compared > 100);
    for (size_t i = 0; i < net->param_count; i++) {
        assert_true(moves[i] || net->params[i] == before[i]);
    }
    eg_free(before);
    eg_free(gradient);
    eg_free(moves);
    close_scene(&s);
}

/* A factor of all weights of one unit of a block. */
static void scale_unit(eg_net *net, const eg_parameter_block *block, size_t unit, double factor)
{
    for (size_t i = 0; i < block->count; i++) {
        if (eg_parameter_unit(block, i) == unit) {
            net->params[block->offset + i] *= (eg_real)factor;
        }
    }
    eg_net_touch(net);
}

static void scores_are_slopes(void **state)
{
    (void)state;
    const double h = 1e-5;
    const size_t phase = 1;
    scene s;
    open_scene(&s, FIREFLY("model.activation", "swish", NULL));
    eg_net *net = s.search.net;
    assert_ok(eg_firefly_search_train(&s.search, phase));
    assert_ok(eg_firefly_search_score(&s.search, phase));
    for (size_t l = 0; l < CONVOLUTIONS; l++) {
        for (size_t k = 0; k < widths[l] + NEW; k++) {
            const bool is_new = k >= widths[l];
            const eg_parameter_block *block = part_of(&s, l, is_new ? EG_VGG_NEW : EG_VGG_SPLIT);
            const size_t unit = is_new ? k - widths[l] : k;
            scale_unit(net, block, unit, 1 + h);
            const double above = loss_of(&s, phase);
            scale_unit(net, block, unit, (1 - h) / (1 + h));
            const double below = loss_of(&s, phase);
            scale_unit(net, block, unit, 1 / (1 - h));
            const double score = s.growth.score[s.growth.first[l] + k];
            assert_true(score != 0);
            assert_close(score, (above - below) / (2 * h), 1e-8);
        }
    }
    close_scene(&s);
}

/* What grows is one filter more than the rank, and the network there was is as before; the losses are
 * those of both. */
static void growth_leaves_the_network(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, FIREFLY(NULL));
    eg_net *net = s.setup.learner->net;
    eg_firefly_grown grown;
    eg_firefly_grown again;
    eg_real *before = NULL;
    double *buffers = NULL;
    assert_ok(eg_alloc(&before, net->param_count, sizeof *before));
    assert_ok(eg_alloc(&buffers, net->buffer_count, sizeof *buffers));
    memcpy(before, net->params, net->param_count * sizeof *before);
    memcpy(buffers, net->buffers, net->buffer_count * sizeof *buffers);
    assert_ok(eg_firefly_grow(&grown, &s.setup, 1));
    assert_ok(eg_firefly_grow(&again, &s.setup, 1));
    assert_memory_equal(before, net->params, net->param_count * sizeof *before);
    assert_memory_equal(buffers, net->buffers, net->buffer_count * sizeof *buffers);
    size_t filters = 0;
    for (size_t l = 0; l < CONVOLUTIONS; l++) {
        assert_true(grown.widths[l] >= widths[l]);
        filters += grown.widths[l];
    }
    assert_int_equal(filters, 2 + 3 + 2 + 3 + 1);
    assert_int_equal(grown.net->param_count, again.net->param_count);
    assert_memory_equal(grown.net->params, again.net->params,
                        grown.net->param_count * sizeof *before);
    assert_int_equal(grown.net->step, net->step);
    assert_true(isfinite(grown.loss_before) && isfinite(grown.loss_after));
    assert_true(grown.loss_before != grown.loss_after);
    eg_free(before);
    eg_free(buffers);
    eg_firefly_grown_clear(&grown);
    eg_firefly_grown_clear(&again);
    close_scene(&s);
}

/* Asked before each of the minibatches of both losses and both passes. */
static bool until(void *user)
{
    size_t *left = user;
    return (*left)-- > 0;
}

static void growth_is_stopped(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, FIREFLY(NULL));
    const size_t steps = eg_stream_phase(s.learning.stream, 1).steps;
    size_t left = 0;
    s.setup.wanted = until;
    s.setup.user = &left;
    for (size_t asked = 0; asked <= 4 * steps; asked++) {
        eg_firefly_grown grown;
        left = asked;
        eg_status status = eg_firefly_grow(&grown, &s.setup, 1);
        assert_int_equal(status.code, asked < 4 * steps ? EG_STOPPED : EG_OK);
        assert_true((grown.net == NULL) == (asked < 4 * steps));
        eg_firefly_grown_clear(&grown);
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(candidates_start_as_published),
        cmocka_unit_test(one_update_by_hand),
        cmocka_unit_test(scores_are_slopes),
        cmocka_unit_test(growth_leaves_the_network),
        cmocka_unit_test(growth_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
