/** Sums over the gradients of single examples in networks of images: against one backward, by running statistics,
 *  for every example and round. In double precision. */
#include "image_nets.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>
#include <string.h>

enum { IMAGES = 5, ROUNDS = 3, STEPS = 4, OUTPUTS = IMAGES * IMAGE_CLASSES };

typedef struct rounds {
    eg_real dy[ROUNDS * OUTPUTS];
} rounds;

static void give_round(void *user, size_t round, eg_real *out)
{
    memcpy(out, ((const rounds *)user)->dy + round * OUTPUTS, OUTPUTS * sizeof *out);
}

static void draw(size_t n, uint64_t index, eg_real *out)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        out[i] = (eg_real)eg_rng_normal(&rng);
    }
}

/* Takes the network. */
static void check(eg_net *net, eg_per_example what)
{
    eg_real x[IMAGES * IMAGE_NUMBERS];
    eg_real room[OUTPUTS];
    rounds all;
    eg_real *sums = NULL;
    eg_real *scratch = NULL;
    double *expected = NULL;
    eg_workspace *workspace = NULL;
    draw(EG_COUNT(x), 0, x);
    draw(EG_COUNT(all.dy), 1, all.dy);
    assert_true(eg_net_has_per_example(net));
    assert_ok(eg_alloc(&sums, net->param_count, sizeof *sums));
    assert_ok(eg_alloc(&scratch, eg_net_per_example_scratch(net, IMAGES), sizeof *scratch));
    assert_ok(eg_alloc(&expected, net->param_count, sizeof *expected));
    assert_ok(eg_workspace_create(&workspace, net, IMAGES, true));
    for (size_t t = 0; t < STEPS; t++) { /* running statistics that are not those of the start */
        (void)eg_net_forward(net, workspace, EG_MODE_TRAIN, IMAGES, x, NULL);
    }
    const eg_output_gradients of = {.rounds = ROUNDS, .fill = give_round, .user = &all};
    (void)eg_net_forward(net, workspace, EG_MODE_PROBE, IMAGES, x, NULL);
    eg_net_per_example(net, workspace, &of, room, what, scratch, sums);
    for (size_t k = 0; k < (size_t)ROUNDS * IMAGES; k++) {
        const eg_real *dy = all.dy + k / IMAGES * OUTPUTS + k % IMAGES * IMAGE_CLASSES;
        (void)eg_net_forward(net, workspace, EG_MODE_PROBE, 1, x + k % IMAGES * IMAGE_NUMBERS,
                             NULL);
        eg_net_backward(net, workspace, dy, NULL);
        for (size_t i = 0; i < net->param_count; i++) {
            double g = (double)net->grads[i];
            expected[i] += what == EG_PER_EXAMPLE_SQUARE ? g * g : fabs(g);
        }
    }
    size_t positive = 0;
    for (size_t i = 0; i < net->param_count; i++) {
        assert_close((double)sums[i], expected[i], 1e-11 * fmax(1, expected[i]));
        positive += expected[i] > 1e-9 ? 1 : 0;
    }
    assert_true(2 * positive > eg_parameter_table_size(&net->table, EG_ROLE_COUNT));
    eg_workspace_free(workspace);
    eg_free(expected);
    eg_free(scratch);
    eg_free(sums);
    eg_net_free(net);
}

static void residual_and_flattened(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        eg_per_example what = k == 0 ? EG_PER_EXAMPLE_SQUARE : EG_PER_EXAMPLE_ABSOLUTE;
        check(image_net_residual("tanh"), what);
        check(image_net_flat("swish", true), what);
        check(image_net_flat("relu", false), what);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(residual_and_flattened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
