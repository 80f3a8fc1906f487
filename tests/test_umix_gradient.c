/** Gradients of uniform mixtures, in double: by hand where members are linear, against differences
 *  where they are not. */
#include "support/image_settings.h"

#include "engram/loss.h"
#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"

#include <math.h>
#include <string.h>

enum { B = 3, IN = 4, OUT = 3 };

typedef struct scene {
    eg_net *net;
    eg_workspace *workspace;
    eg_real x[B * IN], dy[B * OUT];
} scene;

static const uint32_t labels[B] = {0, 2, 1};

static double loss_of(scene *s)
{
    const eg_loss *loss = (const eg_loss *)eg_family_find(&eg_loss_family, "cross_entropy");
    s->net->step = 0; /* dropout draws the same again */
    const eg_real *y = eg_net_forward(s->net, s->workspace, EG_MODE_TRAIN, B, s->x, NULL);
    return loss->evaluate(B, OUT, y, labels, NULL, s->dy);
}

static void open_scene(scene *s, const char *const *words)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)B * IN; i++) {
        s->x[i] = eg_rng_normal(&rng);
    }
    s->net = image_net(words, eg_shape_vector(IN), OUT, B);
    assert_ok(eg_workspace_create(&s->workspace, s->net, B, true));
}

static void close_scene(scene *s)
{
    eg_workspace_free(s->workspace);
    eg_net_free(s->net);
}

/** Where `name` stands, as [units, fan_in] row by row. */
static void get(const eg_net *net, const char *name, const eg_real *plane, eg_real *out)
{
    for (size_t b = 0; b < net->table.block_count; b++) {
        if (strcmp(net->table.blocks[b].name, name) == 0) {
            eg_net_block_get(net, b, plane, out);
            return;
        }
    }
    fail_msg("no %s", name);
}

/* z = f (W_0 x + W_1 x), and dL/dW_j = f/B sum_b (softmax(z_b) - onehot(y_b)) x_b^T for both. */
static void check_by_hand(const char *combine, double f)
{
    const char *const words[] = {
        "model", "umix",          "model.of", "linear", "model.members", "2", "model.of.bias",
        "false", "model.combine", combine,    NULL};
    scene s;
    eg_real w[2][OUT * IN] = {{0}};
    eg_real g[2][OUT * IN] = {{0}};
    double wanted[OUT * IN] = {0};
    double loss = 0;
    open_scene(&s, words);
    get(s.net, "member0.layer1.weight", s.net->params, w[0]);
    get(s.net, "member1.layer1.weight", s.net->params, w[1]);
    for (size_t b = 0; b < B; b++) {
        double z[OUT] = {0};
        double sum = 0;
        for (size_t j = 0; j < OUT; j++) {
            for (size_t i = 0; i < IN; i++) {
                z[j] += f * (w[0][j * IN + i] + w[1][j * IN + i]) * s.x[b * IN + i];
            }
            sum += exp(z[j]);
        }
        for (size_t j = 0; j < OUT; j++) {
            double delta = exp(z[j]) / sum - (j == labels[b] ? 1 : 0);
            for (size_t i = 0; i < IN; i++) {
                wanted[j * IN + i] += f / B * delta * s.x[b * IN + i];
            }
        }
        loss += (log(sum) - z[labels[b]]) / B;
    }
    assert_close(loss_of(&s), loss, 1e-12);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    get(s.net, "member0.layer1.weight", s.net->grads, g[0]);
    get(s.net, "member1.layer1.weight", s.net->grads, g[1]);
    for (size_t k = 0; k < (size_t)OUT * IN; k++) {
        assert_true(w[0][k] != w[1][k]);
        assert_close(g[0][k], wanted[k], 1e-12);
        assert_close(g[1][k], wanted[k], 1e-12);
    }
    close_scene(&s);
}

static void by_hand(void **state)
{
    (void)state;
    check_by_hand("mean", 0.5);
    check_by_hand("sum", 1);
}

static double moved(scene *s, size_t i, double by)
{
    const eg_real kept = s->net->params[i];
    s->net->params[i] = kept + by;
    eg_net_touch(s->net);
    double loss = loss_of(s);
    s->net->params[i] = kept;
    eg_net_touch(s->net);
    return loss;
}

/* Multilayer perceptrons with everything that stands in them. */
static void by_differences(void **state)
{
    (void)state;
    static const char *const combine[] = {"mean", "sum"};
    for (size_t c = 0; c < EG_COUNT(combine); c++) {
        const char *const words[] = {"model",
                                     "umix",
                                     "model.members",
                                     "2",
                                     "model.combine",
                                     combine[c],
                                     "model.of.hidden",
                                     "[5, 4]",
                                     "model.of.activation",
                                     "swish",
                                     "model.of.norm",
                                     "layer",
                                     "model.of.bias",
                                     "true",
                                     "model.of.dropout",
                                     "0.3",
                                     NULL};
        scene s;
        size_t slopes = 0;
        size_t all = 0;
        open_scene(&s, words);
        (void)loss_of(&s);
        eg_net_backward(s.net, s.workspace, s.dy, NULL);
        for (size_t b = 0; b < s.net->table.block_count; b++) {
            const eg_parameter_block *block = &s.net->table.blocks[b];
            for (size_t k = 0; k < block->count; k++) {
                const double h = 1e-5;
                const size_t i = block->offset + k;
                const eg_real gradient = s.net->grads[i];
                if (eg_parameter_unit(block, k) >= block->units) {
                    continue;
                }
                assert_close(gradient, (moved(&s, i, h) - moved(&s, i, -h)) / (2 * h), 1e-8);
                slopes += gradient != 0 ? 1 : 0;
                all++;
            }
        }
        assert_true(slopes > all / 2);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(by_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
