/** Gradients of whole models of images, in double, against differences. */
#include "support/image_settings.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>

enum { B = 3, OUT = 3, PIXELS_MAX = 32 * 32 * 3 };

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    const eg_loss *loss;
    eg_real x[B * PIXELS_MAX];
    eg_real dy[B * OUT];
} scene;

static double loss_of(scene *s, eg_mode mode)
{
    static const uint32_t labels[B] = {0, 2, 1};
    s->net->step = 0; /* dropout draws the same again */
    const eg_real *y = eg_net_forward(s->net, s->workspace, mode, B, s->x, NULL);
    return s->loss->evaluate(B, OUT, y, labels, NULL, s->dy);
}

static double moved_loss(scene *s, eg_mode mode, size_t i, double by)
{
    const eg_real kept = s->net->params[i];
    s->net->params[i] = kept + by;
    eg_net_touch(s->net);
    const double loss = loss_of(s, mode);
    s->net->params[i] = kept;
    eg_net_touch(s->net);
    return loss;
}

/* Every number of every block, in both directions; where a maximum changes hands the slopes to the
 * two sides differ. */
static void check_gradients(scene *s, eg_mode mode)
{
    const double h = 1e-5;
    const double here = loss_of(s, mode);
    size_t compared = 0;
    size_t all = 0;
    eg_net_backward(s->net, s->workspace, s->dy, NULL);
    for (size_t b = 0; b < s->net->table.block_count; b++) {
        const eg_parameter_block *block = &s->net->table.blocks[b];
        size_t slopes = 0;
        for (size_t k = 0; k < block->count; k++) {
            if (eg_parameter_unit(block, k) >= block->units) {
                continue;
            }
            const size_t i = block->offset + k;
            const eg_real gradient = s->net->grads[i];
            const double right = moved_loss(s, mode, i, h);
            const double left = moved_loss(s, mode, i, -h);
            all++;
            if (fabs((right - here) - (here - left)) / h > 1e-3) {
                continue;
            }
            compared++;
            slopes += fabs(gradient) > 1e-9 ? 1 : 0;
            assert_close(gradient, (right - left) / (2 * h), 1e-6);
        }
        /* Before a norm by statistics of the minibatch an offset changes nothing. */
        assert_true(slopes > 0 || block->role == EG_ROLE_BIAS);
    }
    assert_true(compared > all * 9 / 10);
}

static void check_model(const char *const *words, size_t side)
{
    const eg_shape shape = {side, side, 3};
    scene s = {.loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy")};
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < B * eg_shape_size(shape); i++) {
        s.x[i] = eg_rng_normal(&rng);
    }
    s.net = image_net(words, shape, OUT, B);
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        for (size_t k = 0; k < block->count; k++) {
            bool used = eg_parameter_unit(block, k) < block->units;
            s.net->params[block->offset + k] += used ? 0.1 * eg_rng_normal(&rng) : 0;
        }
    }
    eg_net_touch(s.net);
    assert_ok(eg_workspace_create(&s.workspace, s.net, B, true));
    check_gradients(&s, EG_MODE_TRAIN); /* running statistics have moved after it */
    check_gradients(&s, EG_MODE_PROBE);
    eg_workspace_free(s.workspace);
    eg_net_free(s.net);
}

static void cin_net(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model.filters", "[2, 3, 2]", "model.hidden", "[5, 4]", "model.activation", "swish", NULL};
    check_model(words, 32);
}

static void cin_net_with_norms(void **state)
{
    (void)state;
    static const char *const norms[] = {"batch", "layer"};
    for (size_t i = 0; i < EG_COUNT(norms); i++) {
        const char *const words[] = {"model.filters", "[2, 1, 2]",        "model.hidden",
                                     "[3]",           "model.activation", "tanh",
                                     "model.norm",    norms[i],           NULL};
        check_model(words, 24);
    }
}

/* Stages of equal and of different widths, and of one block and of two. */
static void narrow_resnet18(void **state)
{
    (void)state;
    static const char *const words[] = {"model",
                                        "resnet18",
                                        "model.widths",
                                        "[2, 2, 3, 4]",
                                        "model.blocks",
                                        "[1, 2, 1, 2]",
                                        "model.activation",
                                        "swish",
                                        NULL};
    check_model(words, 8);
}

static void vgg(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model", "vgg", "model.width", "2", "model.blocks", "[2, 1]", "model.activation",
        "swish", NULL};
    check_model(words, 5);
    static const char *const conv[] = {"model",      "vgg",   "model.widths",     "[2, 3]",
                                       "model.head", "conv",  "model.blocks",     "[1, 1]",
                                       "model.bias", "false", "model.activation", "swish",
                                       NULL};
    check_model(conv, 5);
}

static void lenet(void **state)
{
    (void)state;
    static const char *const words[] = {
        "model", "lenet", "model.filters", "[2, 3]", "model.hidden", "[4, 3]", "model.activation",
        "swish", NULL};
    check_model(words, 8);
}

/* Every kind of entry. */
static void convnet(void **state)
{
    (void)state;
    static const char *const words[] = {"model",
                                        "convnet",
                                        "model.layers",
                                        "[conv 3 3x2 stride 2 pad 1, batch_norm, tanh, "
                                        "local_response, average_pool 3 stride 1 pad same, "
                                        "conv 2 5 pad same no_bias, layer_norm, activation, "
                                        "dropout 0.2, dropout_maps 0.3, max_pool 3 stride 2 pad "
                                        "same, flatten, linear 5, elu, linear 4 no_bias]",
                                        "model.activation",
                                        "swish",
                                        NULL};
    check_model(words, 7);
    static const char *const pooled[] = {"model", "convnet", "model.layers",
                                         "[conv 4, swish, global_pool, linear 3, swish]", NULL};
    check_model(pooled, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cin_net),         cmocka_unit_test(cin_net_with_norms),
        cmocka_unit_test(narrow_resnet18), cmocka_unit_test(vgg),
        cmocka_unit_test(lenet),           cmocka_unit_test(convnet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
