/** Growth of a VGG, in double: budgets, choices, and the network that is made, all by hand. */
#include "support/growing_vgg.h"

#include "learner/growth.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CONVOLUTIONS = 2, TAPS = 9 };

/* Caccia et al. 2022: for g = 0.6, k = 1 … 5. */
static void ratios(void **state)
{
    (void)state;
    static const double expected[] = {0.6, 0.375, 0.272727, 0.214286, 0.176471};
    double wide = 1;
    for (size_t k = 1; k <= 5; k++) {
        assert_close(eg_growth_ratio(0.6, k), expected[k - 1], 1e-6);
        wide *= 1 + eg_growth_ratio(0.6, k);
        assert_close(wide, 1 + 0.6 * (double)k, 1e-12);
    }
    assert_int_equal(eg_growth_budget(0.6, 1, 64), 38); /* 38.4 */
    assert_int_equal(eg_growth_budget(0.6, 1, 5), 3);   /* whole numbers stay */
    assert_int_equal(eg_growth_budget(0.6, 2, 8), 3);   /* 0.375 */
    assert_int_equal(eg_growth_budget(0.6, 3, 11), 3);  /* 3/11 */
    assert_int_equal(eg_growth_budget(0.6, 4, 14), 3);  /* 3/14 */
    assert_int_equal(eg_growth_budget(0.6, 4, 13), 2);
}

/* Two convolutions of 2 and 1 filters with 2 new ones each: 7 numbers. */
static void choices(void **state)
{
    (void)state;
    static const size_t widths[] = {2, 1};
    static const double scores[] = {0.5, -3, NAN, -1, -2, -1, 4};
    static const struct {
        size_t rank;
        unsigned chosen; /* bit i: number i */
        size_t widths[CONVOLUTIONS];
    } table[] = {{0, 0x02, {3, 1}}, {1, 0x12, {3, 2}}, {2, 0x3a, {4, 3}}, /* -1 twice: both */
                 {3, 0x3a, {4, 3}}, {4, 0x3b, {5, 3}}, {5, 0x7b, {5, 4}},
                 {99, 0x7b, {5, 4}}}; /* all, but not NaN */
    eg_growth growth;
    assert_ok(eg_growth_init(&growth, CONVOLUTIONS, widths, 2));
    assert_int_equal(growth.first[CONVOLUTIONS], 7);
    memcpy(growth.score, scores, sizeof scores);
    for (size_t t = 0; t < EG_COUNT(table); t++) {
        size_t after[CONVOLUTIONS];
        assert_ok(eg_growth_select(&growth, table[t].rank));
        for (size_t i = 0; i < EG_COUNT(scores); i++) {
            assert_int_equal(growth.chosen[i], table[t].chosen >> i & 1);
        }
        eg_growth_widths(&growth, after);
        assert_memory_equal(after, table[t].widths, sizeof after);
    }
    eg_growth_clear(&growth);
}

/* The network of the first convolution's filter 1 split and new filter 0, the second's filter 0 split
 * (if `second`) and new filter 1. */
static eg_net *grow(const growing_vgg *s, bool second, bool joins)
{
    eg_growth growth;
    size_t widths[CONVOLUTIONS];
    assert_ok(eg_growth_init(&growth, CONVOLUTIONS, growing_widths, GROWING_NEW));
    growth.chosen[growth.first[0] + 1] = true;
    growth.chosen[growth.first[0] + 2 + 0] = true;
    growth.chosen[growth.first[1] + 0] = second;
    growth.chosen[growth.first[1] + 1 + 1] = true;
    eg_growth_widths(&growth, widths);
    assert_int_equal(widths[0], 4);
    assert_int_equal(widths[1], second ? 3 : 2);
    eg_net *net = growing_net(s, widths);
    assert_ok(eg_growth_realise(&growth, &s->view, s->net, s->candidates, joins, net));
    eg_growth_clear(&growth);
    return net;
}

static eg_real *values_of(const eg_net *net, const char *convolution, const char *part)
{
    char name[64];
    (void)snprintf(name, sizeof name, "block1.%s%s.weight", convolution, part);
    return growing_values(net, name);
}

/* Filters 0, 1 + v, 1 - v, new 0. */
static void check_first(const growing_vgg *s, const eg_net *net)
{
    eg_real *w = values_of(s->net, "conv1", "");
    eg_real *v = values_of(s->candidates, "conv1", ".split");
    eg_real *u = values_of(s->candidates, "conv1", ".new");
    eg_real *made = values_of(net, "conv1", "");
    for (size_t tap = 0; tap < TAPS; tap++) {
        assert_close(made[0 * TAPS + tap], w[0 * TAPS + tap], 0);
        assert_close(made[1 * TAPS + tap], w[1 * TAPS + tap] + v[1 * TAPS + tap], 0);
        assert_close(made[2 * TAPS + tap], w[1 * TAPS + tap] - v[1 * TAPS + tap], 0);
        assert_close(made[3 * TAPS + tap], u[0 * TAPS + tap], 0);
    }
    eg_free(w);
    eg_free(v);
    eg_free(u);
    eg_free(made);
}

/* Filters 0 + v, 0 - v, new 1; of inputs 0, both halves of 1, new 0. */
static void check_second(const growing_vgg *s, const eg_net *net)
{
    eg_real *w = values_of(s->net, "conv2", "");
    eg_real *v = values_of(s->candidates, "conv2", ".split");
    eg_real *u = values_of(s->candidates, "conv2", ".new");
    eg_real *old_q = values_of(s->candidates, "conv2", ".old_q");
    eg_real *new_q = values_of(s->candidates, "conv2", ".new_q");
    eg_real *made = values_of(net, "conv2", "");
    for (size_t tap = 0; tap < TAPS; tap++) {
        const eg_real plus[] = {w[tap * 2] + v[tap * 2], w[tap * 2 + 1] + v[tap * 2 + 1]};
        const eg_real minus[] = {w[tap * 2] - v[tap * 2], w[tap * 2 + 1] - v[tap * 2 + 1]};
        const eg_real *fresh = u + (1 * TAPS + tap) * 2;
        const eg_real expected[3][4] = {
            {plus[0], plus[1] / 2, plus[1] / 2, old_q[tap * 2 + 0]},
            {minus[0], minus[1] / 2, minus[1] / 2, old_q[tap * 2 + 0]},
            {fresh[0], fresh[1] / 2, fresh[1] / 2, new_q[(1 * TAPS + tap) * 2 + 0]}};
        for (size_t o = 0; o < 3; o++) {
            assert_memory_equal(made + (o * TAPS + tap) * 4, expected[o], sizeof expected[o]);
        }
    }
    eg_free(w);
    eg_free(v);
    eg_free(u);
    eg_free(old_q);
    eg_free(new_q);
    eg_free(made);
}

/* Both halves of filter 0, new filter 1, and the bias. */
static void check_head(const growing_vgg *s, const eg_net *net, bool joins)
{
    eg_real *w = growing_values(s->net, "head.weight");
    eg_real *q = growing_values(s->candidates, "head.old_q.weight");
    eg_real *made = growing_values(net, "head.weight");
    eg_real *bias = growing_values(s->net, "head.bias");
    eg_real *made_bias = growing_values(net, "head.bias");
    assert_int_equal(net->outputs, GROWING_OUTPUTS);
    for (size_t o = 0; o < GROWING_OUTPUTS; o++) {
        const eg_real expected[] = {w[o] / 2, w[o] / 2, joins ? q[o * GROWING_NEW + 1] : 0};
        assert_memory_equal(made + o * 3, expected, sizeof expected);
        assert_true(made_bias[o] == bias[o] && bias[o] != 0);
    }
    eg_free(w);
    eg_free(q);
    eg_free(made);
    eg_free(bias);
    eg_free(made_bias);
}

static const eg_node *norm_of(const eg_net *net, const char *name)
{
    for (size_t i = 0; i < net->node_count; i++) {
        if (strcmp(net->nodes[i].name, name) == 0) {
            return &net->nodes[i];
        }
    }
    fail();
    return NULL;
}

enum { FRESH = 99 };

/* Scale, shift, mean and variance of each filter are those of the one it was made of. */
static void check_norm(const growing_vgg *s, const eg_net *net, const char *name,
                       const size_t *source, size_t count)
{
    const eg_node *from = norm_of(s->net, name);
    const eg_node *to = norm_of(net, name);
    for (size_t c = 0; c < count; c++) {
        const size_t i = source[c];
        assert_true(to->params[0][c] == (i == FRESH ? 1 : from->params[0][i]));
        assert_true(to->params[1][c] == (i == FRESH ? 0 : from->params[1][i]));
        assert_true(to->buffers[0][c] == (i == FRESH ? 0 : from->buffers[0][i]));
        assert_true(to->buffers[1][c] == (i == FRESH ? 1 : from->buffers[1][i]));
    }
}

static void network_by_hand(void **state)
{
    (void)state;
    static const size_t first[] = {0, 1, 1, FRESH};
    static const size_t second[] = {0, 0, FRESH};
    growing_vgg s;
    growing_open(&s, "relu");
    for (int joins = 0; joins < 2; joins++) {
        eg_net *net = grow(&s, true, joins == 1);
        check_first(&s, net);
        check_second(&s, net);
        check_head(&s, net, joins == 1);
        check_norm(&s, net, "block1.conv1.norm", first, 4);
        check_norm(&s, net, "block1.conv2.norm", second, 3);
        eg_net_free(net);
    }
    growing_close(&s);
}

static void outputs_of(eg_net *net, const eg_real *x, eg_real *y)
{
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, GROWING_BATCH, false));
    memcpy(y, eg_net_forward(net, workspace, EG_MODE_PREDICT, GROWING_BATCH, x, NULL),
           GROWING_BATCH * GROWING_OUTPUTS * sizeof *y);
    eg_workspace_free(workspace);
}

/* It computes what the search saw of what is chosen: but for the norm of new filters, by 1/sqrt(1 +
 * 1e-5), and for splits that are pooled, of which there is none here. */
static void network_is_what_was_searched(void **state)
{
    (void)state;
    growing_vgg s;
    eg_real seen[GROWING_BATCH * GROWING_OUTPUTS];
    eg_real made[GROWING_BATCH * GROWING_OUTPUTS];
    eg_real before[GROWING_BATCH * GROWING_OUTPUTS];
    growing_open(&s, "relu");
    eg_net *net = grow(&s, false, true);
    growing_zero(s.candidates, "block1.conv1.split.weight", 0);
    growing_zero(s.candidates, "block1.conv1.new.weight", 1);
    growing_zero(s.candidates, "block1.conv2.split.weight", 0);
    growing_zero(s.candidates, "block1.conv2.new.weight", 0);
    growing_zero(s.candidates, "block1.conv2.new_q.weight", 0);
    outputs_of(s.net, s.x, before);
    outputs_of(s.candidates, s.x, seen);
    outputs_of(net, s.x, made);
    double change = 0;
    for (size_t i = 0; i < EG_COUNT(made); i++) {
        assert_close(made[i], seen[i], 1e-4);
        change = fmax(change, fabs(made[i] - before[i]));
    }
    assert_true(change > 0.01);
    eg_net_free(net);
    growing_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios),
        cmocka_unit_test(choices),
        cmocka_unit_test(network_by_hand),
        cmocka_unit_test(network_is_what_was_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
