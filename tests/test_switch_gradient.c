/** What the transformer over tokens computes, in double: that no position sees a later one, its gradients,
 *  those of the block that embedding and scores share among them, and how it gets more experts. */
#include "switch_scene.h"

#include "engram/units.h"
#include "nn/shared/switch_layers.h"
#include "nn/workspace.h"

#include <math.h>
#include <string.h>

/* Whatever comes at a position, the scores of those before it stay to the bit: in evaluation, and in
 * training, where a token that takes a place at an expert takes it from later ones alone. */
static void no_position_sees_a_later_one(void **state)
{
    (void)state;
    const eg_mode modes[] = {EG_MODE_PREDICT, EG_MODE_PROBE_BATCH};
    const size_t batches[] = {B, 1};
    eg_real before[BATCH_TOKENS * V];
    scene s;
    scene_init(&s, small);
    for (size_t m = 0; m < EG_COUNT(modes); m++) {
        const size_t batch = batches[m];
        for (size_t t = 0; t < T; t++) {
            const eg_real *y = eg_net_forward(s.net, s.workspace, modes[m], batch, s.x, NULL);
            memcpy(before, y, batch * T * V * sizeof *y);
            for (size_t b = 0; b < batch; b++) {
                for (size_t later = t; later < T; later++) {
                    s.x[b * T + later] = (eg_real)(((int)s.x[b * T + later] + 3) % V);
                }
            }
            y = eg_net_forward(s.net, s.workspace, modes[m], batch, s.x, NULL);
            for (size_t b = 0; b < batch; b++) {
                assert_memory_equal(y + b * T * V, before + b * T * V, t * V * sizeof *y);
                assert_memory_not_equal(y + (b * T + t) * V, before + (b * T + t) * V,
                                        V * sizeof *y);
            }
        }
    }
    scene_clear(&s);
}

static double loss_of(scene *s)
{
    double loss = 0;
    eg_net_touch(s->net);
    const eg_real *y = eg_net_forward(s->net, s->workspace, EG_MODE_PROBE, B, s->x, NULL);
    for (size_t n = 0; n < (size_t)BATCH_TOKENS * V; n++) {
        loss += s->dy[n] * y[n];
    }
    return loss;
}

static double difference(scene *s, size_t i, double h)
{
    eg_real *at = &s->net->params[i];
    const eg_real kept = *at;
    *at = kept + h;
    const double above = loss_of(s);
    *at = kept - h;
    const double below = loss_of(s);
    *at = kept;
    return (above - below) / (2 * h);
}

/* A kink of relu, or a tie of the router, in reach shows as slopes that depend on the step: there, none is
 * compared. */
static void gradients_are_differences(void **state)
{
    (void)state;
    scene s;
    size_t compared = 0;
    size_t count = 0;
    scene_init(&s, small);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        for (size_t i = 0; i < block->count; i++) {
            const double g = s.net->grads[block->offset + i];
            const double wide = difference(&s, block->offset + i, 2e-5);
            const double narrow = difference(&s, block->offset + i, 1e-5);
            count++;
            if (eg_parameter_unit(block, i) >= block->units) {
                assert_true(g == 0);
            } else if (fabs(wide - narrow) < 1e-6 * (1 + fabs(narrow))) {
                assert_close(g, narrow, 1e-6 * (1 + fabs(narrow)));
                compared++;
            }
        }
    }
    assert_true(compared > count * 9 / 10);
    scene_clear(&s);
}

/* Where every token is the first one, the rows of the others learn from the scores alone, and its own from
 * being read, too. Without either part its slope would not be met. */
static void the_shared_block_learns_from_both(void **state)
{
    (void)state;
    scene s;
    scene_init(&s, small);
    const eg_parameter_block *block = eg_parameter_table_find(&s.net->table, "embedding.weight");
    const eg_node *embedding = &s.net->nodes[0];
    const eg_node *scores = &s.net->nodes[s.net->node_count - 1];
    assert_int_equal(scores->offset[0], block->offset);
    memset(s.x, 0, sizeof s.x);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t v = 0; v < V; v++) {
        eg_unit_run run;
        assert_true(
            embedding->layer.ops->unit_run(&embedding->layer, EG_UNIT_INCOMING, v, 0, &run));
        const size_t i = block->offset + run.first;
        double alone = 0; /* of the scores: sum of dy h */
        const eg_real *h = s.workspace->context[s.net->node_count - 1].x[0];
        for (size_t n = 0; n < BATCH_TOKENS; n++) {
            alone += s.dy[n * V + v] * h[n * 8];
        }
        const double slope = difference(&s, i, 1e-5);
        assert_close(s.net->grads[i], slope, 1e-5);
        if (v == 0) {
            assert_true(fabs(alone - slope) > 1e-2);
        } else {
            assert_close(alone, slope, 1e-5);
        }
        (void)loss_of(&s);
    }
    scene_clear(&s);
}

/* Every parameter's gradient comes once, and the same, to a consumer. */
typedef struct receipt {
    size_t *times;
    eg_real *g;
} receipt;

static void take(void *user, size_t first, size_t count, eg_real *g)
{
    const receipt *r = user;
    for (size_t i = 0; i < count; i++) {
        r->times[first + i]++;
        r->g[first + i] = g[i];
    }
}

static void consumers_get_everything_once(void **state)
{
    (void)state;
    scene s;
    receipt r = {NULL, NULL};
    scene_init(&s, small);
    assert_ok(eg_alloc(&r.times, s.net->param_count, sizeof *r.times));
    assert_ok(eg_alloc(&r.g, s.net->param_count, sizeof *r.g));
    const eg_gradient_consumer consumer = {.consume = take, .user = &r, .updates = true};
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, &consumer);
    (void)loss_of(&s);
    eg_net_backward(s.net, s.workspace, s.dy, NULL);
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        for (size_t i = block->offset; i < block->offset + block->count; i++) {
            assert_int_equal(r.times[i], 1);
            assert_true(r.g[i] == s.net->grads[i]);
        }
    }
    eg_free(r.times);
    eg_free(r.g);
    scene_clear(&s);
}

/* Growth ----------------------------------------------------------------------------------------- */

/* The values of an expert, or of its row of the router, in the order of the table. */
static const eg_real *expert_of(const eg_net *net, const char *block, size_t experts, size_t e,
                                size_t *count)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, block);
    assert_non_null(row);
    *count = row->count / experts;
    return net->params + row->offset + e * *count;
}

/* 3 experts become 5: copies of the third and the first. All else stays. */
static void experts_are_copied(void **state)
{
    (void)state;
    const size_t source[] = {2, 0};
    const size_t origin[] = {0, 1, 2, 2, 0};
    const char *const blocks[] = {"block2.switch.up.weight", "block2.switch.up.bias",
                                  "block2.switch.down.weight", "block2.switch.down.bias",
                                  "block2.switch.router"};
    scene s;
    scene_init(&s, small);
    (void)eg_net_forward(s.net, s.workspace, EG_MODE_TRAIN, B, s.x, NULL);
    eg_settings *settings = settings_from(&schema, small);
    const eg_view view = eg_settings_root(settings);
    const eg_view inside = eg_view_inside(&view, "model");
    eg_graph *graph = NULL;
    eg_net *grown = NULL;
    assert_ok(eg_switch_graph(&graph, &inside, 5, (eg_shape){T, 1, 1}, V, B));
    assert_ok(eg_net_build(&grown, graph, SEED + 1));
    assert_int_equal(eg_switch_layer_count(grown), 1);
    eg_switch_copy(grown, s.net, source, 2, 9);
    for (size_t b = 0; b < EG_COUNT(blocks); b++) {
        for (size_t e = 0; e < 5; e++) {
            size_t count = 0;
            const eg_real *is = expert_of(grown, blocks[b], 5, e, &count);
            const eg_real *was = expert_of(s.net, blocks[b], 3, origin[e], &count);
            const bool noisy = e > 2 && b == EG_COUNT(blocks) - 1;
            for (size_t i = 0; i < count; i++) {
                const double ratio = is[i] / was[i] - 1;
                assert_true(noisy ? ratio != 0 && fabs(ratio) < 0.06 : is[i] == was[i]);
            }
        }
    }
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *from = &s.net->table.blocks[b];
        const eg_parameter_block *to = eg_parameter_table_find(&grown->table, from->name);
        if (strstr(from->name, ".switch.") == NULL) {
            assert_memory_equal(grown->params + to->offset, s.net->params + from->offset,
                                from->count * sizeof *grown->params);
        }
    }
    const eg_switch_layer before = eg_switch_layer_at(s.net, 0);
    const eg_switch_layer after = eg_switch_layer_at(grown, 0);
    double tokens = 0;
    assert_true(after.experts == 5 && after.load[3] == 0 && after.dropped[4] == 0);
    for (size_t e = 0; e < 3; e++) {
        assert_true(after.load[e] == before.load[e] && after.dropped[e] == before.dropped[e]);
        tokens += after.load[e];
    }
    assert_true(tokens == BATCH_TOKENS && grown->step == 1);
    eg_net_free(grown);
    eg_settings_free(settings);
    scene_clear(&s);
}

/* What routers chose adds up to their counters. */
static void choices_are_told(void **state)
{
    (void)state;
    uint32_t chosen[BATCH_TOKENS];
    double count[3] = {0};
    scene s;
    scene_init(&s, small);
    (void)eg_net_forward(s.net, s.workspace, EG_MODE_TRAIN, B, s.x, NULL);
    eg_switch_layer_chosen(s.net, s.workspace, 0, chosen);
    for (size_t t = 0; t < BATCH_TOKENS; t++) {
        assert_true(chosen[t] < 3);
        count[chosen[t]]++;
    }
    for (size_t e = 0; e < 3; e++) {
        assert_true(eg_switch_layer_at(s.net, 0).load[e] == count[e]);
    }
    scene_clear(&s);
}

/* Every block goes out row by row, whatever its layout, and comes back as it was: so weights are saved. */
static void blocks_go_out_and_come_back(void **state)
{
    (void)state;
    scene s;
    eg_real *values = NULL;
    eg_real *plane = NULL;
    scene_init(&s, small);
    assert_ok(eg_alloc(&values, s.net->param_count, sizeof *values));
    assert_ok(eg_alloc(&plane, s.net->param_count, sizeof *plane));
    for (size_t b = 0; b < s.net->table.block_count; b++) {
        const eg_parameter_block *block = &s.net->table.blocks[b];
        eg_net_block_get(s.net, b, s.net->params, values);
        eg_net_block_set(s.net, b, values, plane);
        assert_memory_equal(plane + block->offset, s.net->params + block->offset,
                            block->count * sizeof *plane);
    }
    eg_free(values);
    eg_free(plane);
    scene_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_position_sees_a_later_one),
        cmocka_unit_test(gradients_are_differences),
        cmocka_unit_test(the_shared_block_learns_from_both),
        cmocka_unit_test(consumers_get_everything_once),
        cmocka_unit_test(experts_are_copied),
        cmocka_unit_test(choices_are_told),
        cmocka_unit_test(blocks_go_out_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
