/** Continual backpropagation on a residual network of five hidden layers: which channels are replaced, what of
 *  them is written, and what stays visible on the shortcuts. In double precision, against a network that is
 *  trained alike and never replaces anything. */
#include "image_scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SEED = 5, LAYERS = 5, UNITS_MAX = 4, UPDATES = 4, NAME_SIZE = 80 };

/* The hidden layers: what makes their units, where they are seen, and whose input slices use them. */
static const struct {
    size_t units;
    const char *maker, *seen, *reader;
    bool on_shortcut;
} layers[LAYERS] = {
    {2, "stem", "stem.activation", "stage1.block1.conv1", true},
    {2, "stage1.block1.conv1", "stage1.block1.conv1.activation", "stage1.block1.conv2", false},
    {2, "stage1.block1.conv2", "stage1.block1.activation", "stage2.block1.conv1", true},
    {4, "stage2.block1.conv1", "stage2.block1.conv1.activation", "stage2.block1.conv2", false},
    {4, "stage2.block1.conv2", "pool", "head", false},
};

#define CBP(statistic, shared_cell)                                                                \
    SCENE(RESIDUAL, "learner", "cbp", "learner.utility", "contribution", "learner.statistic",      \
          statistic, "learner.bias_correction", "false", "learner.accum_base", "total",            \
          "learner.maturity", "3", "learner.replacement_rate", "0.5", "learner.shared_cell",       \
          shared_cell, "optimizer", "sgdm")

typedef struct scene {
    learner_scene with, plain;
    eg_net *net, *twin;
    double sum[LAYERS][UNITS_MAX]; /* the statistic, of the twin */
    bool chosen[LAYERS + 1][UNITS_MAX];
} scene;

static void open_scene(scene *s, const char *const *words)
{
    memset(s, 0, sizeof *s);
    s->with = image_scene_open(words, SEED);
    s->plain = image_scene_open(SCENE(RESIDUAL, "optimizer", "sgdm"), SEED);
    scene_create(&s->with);
    scene_create(&s->plain);
    s->net = image_scene_network(&s->with).net;
    s->twin = image_scene_network(&s->plain).net;
}

static void close_scene(scene *s)
{
    scene_close(&s->with);
    scene_close(&s->plain);
}

/* s <- keep s + .01 mean |h| of the last minibatch. */
static void follow(scene *s, double keep)
{
    eg_learner_network at = image_scene_network(&s->plain);
    assert_int_equal(at.net->hidden_count, LAYERS);
    for (size_t l = 0; l < LAYERS; l++) {
        const eg_hidden_layer *layer = &at.net->hidden[l];
        const eg_real *h = eg_workspace_hidden(at.training, at.net, l);
        size_t n = layers[l].units;
        size_t rows = eg_workspace_batch(at.training) * layer->positions;
        assert_true(layer->units == n && layer->parts == 1);
        assert_string_equal(at.net->nodes[layer->maker].name, layers[l].maker);
        assert_string_equal(at.net->nodes[layer->seen].name, layers[l].seen);
        assert_string_equal(at.net->nodes[layer->reader].name, layers[l].reader);
        for (size_t u = 0; u < n; u++) {
            double mean = 0;
            for (size_t r = 0; r < rows; r++) {
                mean += fabs((double)h[r * n + u]) / (double)rows;
            }
            s->sum[l][u] = keep * s->sum[l][u] + .01 * mean;
        }
    }
}

static eg_real *values_of(const eg_net *net, const char *node, const char *block)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%s.%s", node, block);
    return image_values(net, name);
}

/* Rows [units][taps][n] of what reads layer l, and how many units and taps. */
static eg_real *reader_of(const eg_net *net, size_t l, size_t *units, size_t *taps)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%s.weight", layers[l].reader);
    const eg_parameter_block *row = &net->table.blocks[image_block(net, name)];
    *units = row->units;
    *taps = row->fan_in / layers[l].units;
    return image_values(net, name);
}

/* Half of every layer, those of the least mean |outgoing weight| times statistic. */
static void choose(scene *s)
{
    for (size_t l = 0; l < LAYERS; l++) {
        size_t n = layers[l].units;
        size_t units;
        size_t taps;
        double utility[UNITS_MAX] = {0};
        eg_real *w = reader_of(s->twin, l, &units, &taps);
        for (size_t k = 0; k < units * taps * n; k++) {
            utility[k % n] += fabs((double)w[k]) / (double)(units * taps) * s->sum[l][k % n];
        }
        for (size_t k = 0; k < n / 2; k++) {
            size_t least = SIZE_MAX;
            for (size_t u = 0; u < n; u++) {
                bool is_less = least == SIZE_MAX || utility[u] < utility[least];
                least = !s->chosen[l][u] && is_less ? u : least;
            }
            s->chosen[l][least] = true;
        }
        eg_free(w);
    }
}

static void learn(scene *s, double keep)
{
    for (size_t t = 0; t < UPDATES; t++) {
        assert_memory_equal(s->net->params, s->twin->params,
                            s->net->param_count * sizeof *s->net->params);
        (void)scene_step(&s->with, 0, t);
        (void)scene_step(&s->plain, 0, t);
        follow(s, keep);
    }
    choose(s);
}

/* A block with a number per unit: `value` where one was replaced, the twin's elsewhere. */
static void assert_vector(const scene *s, size_t l, const char *node, const char *block,
                          double value)
{
    eg_real *own = values_of(s->net, node, block);
    eg_real *twin = values_of(s->twin, node, block);
    for (size_t u = 0; u < layers[l].units; u++) {
        assert_true((double)own[u] == (s->chosen[l][u] ? value : (double)twin[u]));
    }
    eg_free(own);
    eg_free(twin);
}

/* Running statistics: 0 and 1 where a unit was replaced. */
static void assert_statistics(const scene *s, size_t l, const char *norm)
{
    for (size_t i = 0; i < s->net->node_count; i++) {
        if (strcmp(s->net->nodes[i].name, norm) != 0) {
            continue;
        }
        for (size_t b = 0; b < 2; b++) {
            for (size_t u = 0; u < layers[l].units; u++) {
                double twin = s->twin->nodes[i].buffers[b][u];
                assert_true(s->net->nodes[i].buffers[b][u] == (s->chosen[l][u] ? (double)b : twin));
            }
        }
        return;
    }
    assert_true(false);
}

/* Input slices of the reader: 0 where a unit was replaced, but for filters that are new themselves and see all of
 * their inputs anew, unless shared cells are 0. */
static void assert_slices(const scene *s, size_t l, bool zeroes_shared)
{
    size_t n = layers[l].units;
    size_t units;
    size_t taps;
    eg_real *own = reader_of(s->net, l, &units, &taps);
    eg_real *twin = reader_of(s->twin, l, &units, &taps);
    for (size_t k = 0; k < units * taps * n; k++) {
        size_t j = k / (taps * n);
        bool slice = s->chosen[l][k % n];
        bool fresh = l + 1 < LAYERS && s->chosen[l + 1][j];
        if (slice && (!fresh || zeroes_shared)) {
            assert_true(own[k] == 0);
        } else if (fresh) {
            assert_true(own[k] != 0 && own[k] != twin[k]);
        } else {
            assert_true(own[k] == twin[k]);
        }
    }
    eg_free(own);
    eg_free(twin);
}

/* The convolution of a shortcut is neither a hidden layer nor a reader. */
static void assert_shortcut(const scene *s)
{
    static const char *const names[] = {"weight", "bias"};
    for (size_t b = 0; b < EG_COUNT(names); b++) {
        eg_real *own = values_of(s->net, "stage2.block1.shortcut", names[b]);
        eg_real *twin = values_of(s->twin, "stage2.block1.shortcut", names[b]);
        assert_memory_equal(own, twin, (b == 0 ? 8 : 4) * sizeof *own);
        eg_free(own);
        eg_free(twin);
    }
}

static void check_replaced(const scene *s, bool zeroes_shared)
{
    double counts[LAYERS] = {0};
    assert_true(eg_learner_replaced(s->with.learner, counts));
    for (size_t l = 0; l < LAYERS; l++) {
        char norm[NAME_SIZE];
        (void)snprintf(norm, sizeof norm, "%s.norm", layers[l].maker);
        assert_true(counts[l] == (double)layers[l].units / 2);
        assert_vector(s, l, layers[l].maker, "bias", 0);
        assert_vector(s, l, norm, "scale", 1);
        assert_vector(s, l, norm, "shift", 0);
        assert_statistics(s, l, norm);
        assert_slices(s, l, zeroes_shared);
    }
    assert_shortcut(s);
}

static void what_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *statistic;
        double keep;
    } forms[] = {{"cumulative", 1}, {"ema", .99}};
    for (size_t i = 0; i < EG_COUNT(forms); i++) {
        for (int zero = 0; zero < 2; zero++) {
            scene s;
            open_scene(&s, CBP(forms[i].statistic, zero == 1 ? "zero" : "fresh"));
            learn(&s, forms[i].keep);
            check_replaced(&s, zero == 1);
            close_scene(&s);
        }
    }
}

static void scores_of(scene *s, eg_real *scores)
{
    eg_batch batch;
    eg_cursor_get(s->with.cursor, 1, 0, &batch);
    eg_net_touch(s->net);
    assert_ok(s->with.learner->ops->predict(s->with.learner, &batch, scores));
}

/* A replaced unit inside a block is not seen by anybody, whatever its new weights; one that ends a block, or the
 * stem, is seen along the shortcut. */
static void what_stays_visible(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, CBP("cumulative", "zero"));
    learn(&s, 1);
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t u = 0; u < layers[l].units; u++) {
            eg_real before[SCENE_BATCH * SCENE_CLASSES];
            eg_real after[SCENE_BATCH * SCENE_CLASSES];
            eg_plane_run run;
            scores_of(&s, before);
            assert_true(eg_net_unit_run(s.net, l, EG_UNIT_INCOMING, u, 0, &run));
            for (size_t i = 0; i < run.count; i++) {
                s.net->params[run.first + i * run.stride] += (eg_real)0.5;
            }
            scores_of(&s, after);
            bool same = true;
            for (size_t i = 0; i < EG_COUNT(before); i++) {
                same = same && before[i] == after[i];
            }
            assert_true(!s.chosen[l][u] || same == !layers[l].on_shortcut);
        }
    }
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written),
        cmocka_unit_test(what_stays_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
