/** Learners on networks of convolutions and batch normalisation: they run, go on from checkpoints in the same
 *  bits, and their rules take a channel for a unit. In double precision. */
#include "image_scene.h"

#include <math.h>
#include <string.h>

enum { SEED = 6, STEPS = 10 };

/* Channels of 4 positions behind a flatten; batch normalisation. */
#define FLAT                                                                                       \
    "model", "convnet", "model.layers",                                                            \
        "[conv 6 3x3 pad same, batch_norm, activation, max_pool 4, linear 5, activation]"

static void step(learner_scene *s, size_t t)
{
    if (t == STEPS / 2) {
        assert_ok(eg_learner_begin_phase(s->learner, 1));
    }
    (void)scene_step(s, t < STEPS / 2 ? 0 : 1, t % (STEPS / 2));
}

/* A learner that is written and read before every step ends where one that goes on does, running statistics
 * included. */
static void check_checkpoints(const char *const *words)
{
    learner_scene whole = image_scene_open(words, SEED);
    learner_scene parts = image_scene_open(words, SEED);
    scene_create(&whole);
    scene_create(&parts);
    const eg_net *net = image_scene_network(&whole).net;
    eg_real *start = NULL;
    assert_ok(eg_alloc(&start, net->param_count, sizeof *start));
    memcpy(start, net->params, net->param_count * sizeof *start);
    for (size_t t = 0; t < STEPS; t++) {
        step(&whole, t);
        scene_replace(&parts);
        step(&parts, t);
    }
    const eg_net *other = image_scene_network(&parts).net;
    assert_memory_equal(net->params, other->params, net->param_count * sizeof *net->params);
    assert_memory_equal(net->buffers, other->buffers, net->buffer_count * sizeof *net->buffers);
    assert_memory_not_equal(net->params, start, net->param_count * sizeof *start);
    for (size_t i = 0; i < net->param_count; i++) {
        assert_true(isfinite((double)net->params[i]));
    }
    eg_free(start);
    scene_close(&whole);
    scene_close(&parts);
}

static void every_learner(void **state)
{
    (void)state;
#define OTHERS "optimizer", "sgdm", "learner"
    static const char *const learners[][9] = {
        {OTHERS, "plain"},
        {OTHERS, "l2"},
        {OTHERS, "ewc", "learner.samples", "9"},
        {OTHERS, "online_ewc", "learner.samples", "9"},
        {OTHERS, "mas", "learner.samples", "9"},
        {OTHERS, "si"},
        {OTHERS, "l2_init", "learner.lambda", "0.1"},
        {OTHERS, "shrink_perturb", "learner.sigma", "1e-2"},
        {OTHERS, "shrink_perturb", "learner.when", "task", "learner.noise", "init"},
        {OTHERS, "redo", "learner.period", "3", "learner.tau", "0.8"},
        {OTHERS, "snr", "learner.threshold", "8", "learner.floor", "8"},
        {OTHERS, "weight_clipping", "learner.zeta", "0.5"},
        {OTHERS, "head_reset"},
        {OTHERS, "retrained"},
        {OTHERS, "retrained", "learner.full", "false"},
        {OTHERS, "cbp", "learner.replacement_rate", "0.2", "learner.maturity", "2"},
        {"optimizer", "upgd", "learner", "plain"},
        {"optimizer", "upgd", "optimizer.utility", "local", "learner", "plain"},
        {"optimizer", "adam", "learner", "cbp", "learner.maturity", "2", "learner.utility",
         "random"},
    };
    static const char *const models[][7] = {{RESIDUAL}, {FLAT}};
    for (size_t m = 0; m < EG_COUNT(models); m++) {
        for (size_t l = 0; l < EG_COUNT(learners); l++) {
            const char *words[SCENE_SETTINGS] = {NULL};
            size_t count = 0;
            for (size_t i = 0; i < EG_COUNT(models[m]) && models[m][i] != NULL; i++) {
                words[count++] = models[m][i];
            }
            for (size_t i = 0; i < EG_COUNT(learners[l]) && learners[l][i] != NULL; i++) {
                words[count++] = learners[l][i];
            }
            check_checkpoints(words);
        }
    }
}

/* Six channels of 4 positions: a replaced channel c leaves columns 4c … 4c+3 of the linear layer at 0, but for
 * rows of units that are new, too. Two of six channels and one of five units are replaced. */
static void columns_of_a_channel(void **state)
{
    (void)state;
    const char *const kinds[] = {"contribution",
                                 "zero_contribution",
                                 "adaptable_contribution",
                                 "adaptation",
                                 "weight",
                                 "feature_by_input",
                                 "random"};
    for (size_t k = 0; k < EG_COUNT(kinds); k++) {
        learner_scene s = image_scene_open(
            SCENE(FLAT, "learner", "cbp", "learner.utility", kinds[k], "learner.maturity", "1",
                  "learner.replacement_rate", "0.34", "learner.accum_base", "total"),
            SEED);
        scene_create(&s);
        (void)scene_step(&s, 0, 0);
        (void)scene_step(&s, 0, 1);
        const eg_net *net = image_scene_network(&s).net;
        eg_real *channel = image_values(net, "conv1.bias");
        eg_real *unit = image_values(net, "linear1.bias");
        eg_real *w = image_values(net, "linear1.weight");
        size_t channels = 0;
        size_t units = 0;
        for (size_t c = 0; c < 6; c++) {
            channels += channel[c] == 0 ? 1 : 0;
        }
        for (size_t j = 0; j < 5; j++) {
            units += unit[j] == 0 ? 1 : 0;
            for (size_t i = 0; i < 24; i++) {
                assert_true((w[j * 24 + i] == 0) == (channel[i / 4] == 0 && unit[j] != 0));
            }
        }
        assert_true(channels == 2 && units == 1);
        eg_free(channel);
        eg_free(unit);
        eg_free(w);
        scene_close(&s);
    }
}

/* Dormant channels are those whose mean over examples and positions is at most tau of the layer's mean. */
static void dormant_channels(void **state)
{
    (void)state;
    learner_scene s = image_scene_open(SCENE(RESIDUAL, "learner", "redo", "learner.period", "1",
                                             "learner.window", "1", "learner.tau", "1"),
                                       SEED);
    scene_create(&s);
    (void)scene_step(&s, 0, 0);
    eg_learner_network at = image_scene_network(&s);
    double counts[8] = {0};
    double all = 0;
    assert_true(eg_learner_replaced(s.learner, counts));
    for (size_t l = 0; l < at.net->hidden_count; l++) {
        const eg_real *h = eg_workspace_hidden(at.training, at.net, l);
        size_t n = at.net->hidden[l].units;
        size_t rows = eg_workspace_batch(at.training) * at.net->hidden[l].positions;
        double mean[4] = {0};
        double layer = 0;
        size_t dormant = 0;
        for (size_t i = 0; i < rows * n; i++) {
            mean[i % n] += fabs((double)h[i]) / (double)rows;
            layer += fabs((double)h[i]) / (double)(rows * n);
        }
        for (size_t u = 0; u < n; u++) {
            dormant += mean[u] / (layer + 1e-9) <= 1 ? 1 : 0;
        }
        assert_true(counts[l] == (double)dormant);
        all += counts[l];
    }
    assert_true(all >= 5);
    scene_close(&s);
}

/* The first channel is positive at the brightest pixel of the minibatch alone, or nowhere, the second nowhere, the
 * third everywhere. Who is silent reaches its threshold of 8 examples. */
static void a_channel_fires_at_any_place(void **state)
{
    (void)state;
    for (int fires = 0; fires < 2; fires++) {
        learner_scene s = image_scene_open(SCENE("model", "convnet", "model.layers",
                                                 "[conv 3 1x1, activation, linear 2]", "learner",
                                                 "snr", "learner.threshold", "8", "learner.floor",
                                                 "1", "optimizer.lr", "1e-9"),
                                           SEED);
        scene_create(&s);
        eg_net *net = image_scene_network(&s).net;
        eg_batch batch;
        eg_real most = -INFINITY;
        eg_cursor_get(s.cursor, 0, 0, &batch);
        for (size_t i = 0; i < batch.size * net->inputs; i++) {
            most = batch.x[i] > most ? batch.x[i] : most;
        }
        const eg_real w[] = {1, 0, 0};
        const eg_real bias[] = {(fires == 1 ? (eg_real)0.001 : 0) - most, -1, 1};
        eg_net_block_set(net, image_block(net, "conv1.weight"), w, net->params);
        eg_net_block_set(net, image_block(net, "conv1.bias"), bias, net->params);
        eg_net_touch(net);
        (void)scene_step(&s, 0, 0);
        double counts[2] = {0};
        assert_true(eg_learner_replaced(s.learner, counts));
        assert_true(counts[0] == (fires == 1 ? 1 : 2));
        scene_close(&s);
    }
}

static double largest(const eg_net *net, const char *name)
{
    const eg_parameter_block *row = &net->table.blocks[image_block(net, name)];
    double most = 0;
    for (size_t i = 0; i < row->count; i++) {
        most = fmax(most, fabs((double)net->params[row->offset + i]));
    }
    return most;
}

/* Kernels of 3 x 3 x 1 and 3 x 3 x 2 numbers: bounds 1/3 and 1/sqrt(18), of their biases too. Scales and shifts
 * stay, and are not pulled by l2_init. */
static void bounds_and_pulls(void **state)
{
    (void)state;
    const char *const learners[] = {"weight_clipping", "l2_init"};
    for (size_t l = 0; l < EG_COUNT(learners); l++) {
        learner_scene s =
            image_scene_open(SCENE(RESIDUAL, "learner", learners[l], "optimizer.lr", "1e-9"), SEED);
        scene_create(&s);
        eg_net *net = image_scene_network(&s).net;
        for (size_t i = 0; i < net->param_count; i++) {
            net->params[i] *= 100;
        }
        eg_net_touch(net);
        (void)scene_step(&s, 0, 0);
        assert_close(largest(net, "stem.norm.scale"), 100, 1e-3);
        if (l == 0) {
            assert_close(largest(net, "stem.weight"), 1.0 / 3, 1e-12);
            assert_close(largest(net, "stage1.block1.conv1.weight"), 1 / sqrt(18), 1e-12);
            assert_close(largest(net, "stage2.block1.shortcut.weight"), 1 / sqrt(2), 1e-12);
        }
        scene_close(&s);
    }
    /* Without a gradient of the loss: lr lambda of the way back, but for scales. */
    learner_scene s =
        image_scene_open(SCENE(RESIDUAL, "learner", "l2_init", "learner.lambda", "0.5",
                               "optimizer.lr", "0.1", "optimizer.weight_decay", "0"),
                         SEED);
    scene_create(&s);
    eg_net *net = image_scene_network(&s).net;
    const eg_parameter_block *head = &net->table.blocks[image_block(net, "head.weight")];
    const eg_parameter_block *scale = &net->table.blocks[image_block(net, "stem.norm.scale")];
    const eg_parameter_block *stem = &net->table.blocks[image_block(net, "stem.weight")];
    memset(net->params + head->offset, 0, head->count * sizeof *net->params);
    double before = (double)net->params[stem->offset];
    net->params[scale->offset] = 3;
    net->params[stem->offset] += 1;
    eg_net_touch(net);
    (void)scene_step(&s, 0, 0); /* the head passes nothing on */
    assert_close((double)net->params[scale->offset], 3, 0);
    assert_close((double)net->params[stem->offset], before + 0.95, 1e-12);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_learner),    cmocka_unit_test(columns_of_a_channel),
        cmocka_unit_test(dormant_channels), cmocka_unit_test(a_channel_fires_at_any_place),
        cmocka_unit_test(bounds_and_pulls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
