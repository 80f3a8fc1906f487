/** Sums of squares and absolute values of the gradients of single examples; see engram/net.h.
 *
 *      scratch | powers of each node with parameters [B][outputs], in their order | of one layer |
 *
 *  The gradient of example b at a weight is linear in dy_b, and its square is dy_b^2 times what
 *  does not depend on dy_b (nn/linear_per_example.c). So the rounds are added up as squares of dy,
 *  by a backward that leaves out the gradients of parameters, and each layer makes its products
 *  once. */
#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "nn/node.h"
#include "nn/workspace.h"

#include <assert.h>
#include <string.h>

bool eg_net_has_per_example(const eg_net *net)
{
    bool all = true;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        all = all && !net->nodes[i].shared &&
              (layer->block_count == 0 || layer->ops->per_example != NULL);
    }
    return all;
}

/* Numbers of a node's powers. */
static size_t powers_of(const eg_net *net, size_t i, size_t batch)
{
    const eg_layer *layer = &net->nodes[i].layer;
    return layer->block_count > 0 ? batch * eg_layer_outputs(layer) : 0;
}

size_t eg_net_per_example_scratch(const eg_net *net, size_t batch)
{
    size_t most = 0;
    size_t powers = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        size_t own = layer->ops->per_example_scratch != NULL
                         ? layer->ops->per_example_scratch(layer, batch)
                         : 0;
        most = own > most ? own : most;
        powers += powers_of(net, i, batch);
    }
    return powers + most;
}

static bool wants_input_gradient(const eg_net *net, size_t i)
{
    bool wanted = false;
    for (size_t k = 0; k < net->nodes[i].read_count; k++) {
        wanted = wanted || eg_node_takes_gradient(net, net->nodes[i].reads[k]);
    }
    return wanted;
}

double eg_net_per_example_flops(const eg_net *net, size_t rounds)
{
    double products = 0;
    double back = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        double flops = layer->ops->flops(layer);
        products += layer->block_count > 0 ? flops : 0;
        back += wants_input_gradient(net, i) ? flops : 0;
    }
    return products + (double)rounds * back;
}

EG_CLONES static void add_powers(eg_per_example what, size_t n, const eg_real *restrict dy,
                                 eg_real *restrict sum)
{
    for (size_t k = 0; what == EG_PER_EXAMPLE_SQUARE && k < n; k++) {
        sum[k] += dy[k] * dy[k];
    }
    for (size_t k = 0; what == EG_PER_EXAMPLE_ABSOLUTE && k < n; k++) {
        sum[k] += eg_abs(dy[k]);
    }
}

/* One round: back to the outputs of every layer with parameters. */
static void add_round(const eg_net *net, eg_workspace *workspace, eg_per_example what,
                      eg_real *powers, size_t all)
{
    size_t batch = workspace->context[0].batch;
    eg_real *own = powers + all;
    for (size_t i = net->node_count; i-- > 0;) {
        const eg_layer *layer = &net->nodes[i].layer;
        eg_layer_context *context = &workspace->context[i];
        size_t count = powers_of(net, i, batch);
        own -= count;
        add_powers(what, count, context->dy, own);
        if (wants_input_gradient(net, i)) {
            context->consumer = NULL;
            context->grads = NULL;
            layer->ops->backward(layer, context);
            context->grads = net->nodes[i].grads;
            eg_workspace_add_input_gradients(net, workspace, i);
        }
    }
}

static void add_node(const eg_node *node, eg_layer_context context, eg_per_example what,
                     const eg_real *powers, eg_real *scratch, eg_real *sums)
{
    eg_real *of_block[EG_LAYER_BLOCKS_MAX];
    for (size_t b = 0; b < node->layer.block_count; b++) {
        of_block[b] = sums + node->offset[b];
    }
    context.dy = powers;
    node->layer.ops->per_example(&node->layer, &context, what, scratch, of_block);
}

void eg_net_per_example(eg_net *net, eg_workspace *workspace, const eg_output_gradients *of,
                        eg_real *dy, eg_per_example what, eg_real *scratch, eg_real *sums)
{
    assert(eg_net_has_per_example(net));
    size_t batch = workspace->context[0].batch;
    size_t all = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        all += powers_of(net, i, batch);
    }
    memset(scratch, 0, all * sizeof *scratch);
    eg_workspace_begin_backward(net, workspace, dy, true);
    for (size_t round = 0; round < of->rounds; round++) {
        of->fill(of->user, round, dy);
        add_round(net, workspace, what, scratch, all);
    }
    const eg_real *powers = scratch;
    for (size_t i = 0; i < net->node_count; i++) {
        if (net->nodes[i].layer.block_count > 0) {
            add_node(&net->nodes[i], workspace->context[i], what, powers, scratch + all, sums);
            powers += powers_of(net, i, batch);
        }
    }
}
