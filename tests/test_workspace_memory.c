/** What a workspace holds: outputs that somebody looks at after the forward, what layers keep, and a few arrays that
 *  gradients and the other outputs take turns in. */
#include "image_nets.h"

#include "nn/workspace.h"

#include <string.h>

enum { B = 7, SIZE = IMAGE_HEIGHT * IMAGE_WIDTH };

static size_t numbers(const eg_net *net, size_t capacity, bool keeps)
{
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, capacity, keeps));
    size_t bytes = eg_workspace_bytes(workspace);
    eg_workspace_free(workspace);
    return bytes / sizeof(eg_real);
}

/* Numbers per example: of two sizes of minibatches, what does not depend on the batch drops out. */
static size_t per_example(const eg_net *net, bool keeps)
{
    return (numbers(net, 2 * B, keeps) - numbers(net, B, keeps)) / B;
}

/* stem – norm – relu, four times: what is normalised and what the next convolution reads. */
static eg_net *deep_chain(size_t depth)
{
    image_net n = image_net_begin("relu");
    for (size_t d = 0; d < depth; d++) {
        char name[] = {(char)('a' + d), 'c', '\0'};
        (void)image_net_conv(&n, name, 5, 3, 1);
        name[1] = 'n';
        (void)image_net_norm(&n, name);
        name[1] = 'r';
        (void)image_net_act(&n, name);
    }
    return image_net_end(&n);
}

/* The image in its order, of every convolution its output and what the activation makes of it, two gradients, of
 * which one lends its place to the normalised numbers, and the outputs. */
static void a_chain(void **state)
{
    (void)state;
    for (size_t depth = 1; depth < 5; depth++) {
        eg_net *net = deep_chain(depth);
        assert_int_equal(per_example(net, true), IMAGE_NUMBERS + depth * 2 * SIZE * 5 +
                                                     2 * (size_t)SIZE * 5 + IMAGE_CLASSES);
        /* Two arrays in turns, however deep; the head's output in one of them. */
        assert_int_equal(per_example(net, false), 2 * (size_t)SIZE * 5);
        eg_net_free(net);
    }
}

/* Of a block of c channels and n places: the outputs of its convolutions, and of its two activations. What is
 * normalised, and the sum, are not kept. */
static void a_residual_network(void **state)
{
    (void)state;
    eg_net *net = image_net_residual("relu");
    const size_t small = SIZE / 4 * 6;
    const size_t large = SIZE * 4;
    const size_t kept = IMAGE_NUMBERS + 2 * large /* stem */ + 4 * large /* a */ +
                        5 * small /* b */ + 6 /* pool */ + IMAGE_CLASSES;
    /* Three gradients at a time, and one that is added to another. */
    assert_int_equal(per_example(net, true), kept + 4 * large);
    /* A block's input, its main branch, and what is made of that. */
    assert_int_equal(per_example(net, false), 3 * large);
    eg_net_free(net);
}

/* Of a maximum pooling one byte per output is kept, and neither of what it reads nor of what it gives anything. */
static void poolings(void **state)
{
    (void)state;
    eg_net *net = image_net_flat("relu", false);
    const size_t bytes = (SIZE / 4 * 5 + sizeof(eg_real) - 1) / sizeof(eg_real);
    /* order, act1, pool, act2, flat, head; and two gradients. */
    assert_int_equal(per_example(net, true), IMAGE_NUMBERS + SIZE * 5 + SIZE / 4 * 5 + bytes +
                                                 SIZE / 4 * 6 * 2 + IMAGE_CLASSES + SIZE * 5 +
                                                 SIZE * 5);
    eg_net_free(net);
}

static const eg_layer_context *context_of(const eg_net *net, const eg_workspace *workspace,
                                          const char *name)
{
    for (size_t i = 0; i < net->node_count; i++) {
        if (strcmp(net->nodes[i].name, name) == 0) {
            return &workspace->context[i];
        }
    }
    fail_msg("there is no node %s", name);
    return NULL;
}

/* A zero behind a rectifier stays one in a maximum and in another order, but may come about in a mean. */
static void what_is_flat_at_zero(void **state)
{
    (void)state;
    for (int form = 0; form < 3; form++) {
        eg_net *net = image_net_flat(form == 2 ? "swish" : "relu", form == 1);
        eg_workspace *workspace = NULL;
        assert_ok(eg_workspace_create(&workspace, net, B, true));
        assert_false(context_of(net, workspace, "a")->flat_input);
        assert_true(context_of(net, workspace, "b")->flat_input == (form == 0));
        assert_true(context_of(net, workspace, "head")->flat_input == (form < 2));
        eg_workspace_free(workspace);
        eg_net_free(net);
    }
}

/* The first convolution gives no gradient to the image in front of it, which has nothing to learn. */
static void gradients_end_at_the_first_parameters(void **state)
{
    (void)state;
    eg_net *net = image_net_residual("relu");
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    assert_null(context_of(net, workspace, "stem")->dx[0]);
    assert_non_null(context_of(net, workspace, "norm")->dx[0]);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

/* A sum passes its gradient on: that of its first input is in the same place, that of the other is not. */
static void a_sum_passes_its_gradient_on(void **state)
{
    (void)state;
    eg_net *net = image_net_residual("relu");
    eg_workspace *workspace = NULL;
    assert_ok(eg_workspace_create(&workspace, net, B, true));
    const eg_layer_context *sum = context_of(net, workspace, "as");
    assert_ptr_equal(sum->dx[0], sum->dy);
    assert_ptr_not_equal(sum->dx[1], sum->dy);
    eg_workspace_free(workspace);
    eg_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain),
        cmocka_unit_test(a_residual_network),
        cmocka_unit_test(poolings),
        cmocka_unit_test(what_is_flat_at_zero),
        cmocka_unit_test(gradients_end_at_the_first_parameters),
        cmocka_unit_test(a_sum_passes_its_gradient_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
