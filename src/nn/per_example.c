/** Sums of squares and absolute values of the gradients of single examples; see engram/net.h.
 *
 *      scratch | powers of each node with parameters [B][outputs], in their order | of one layer |
 *
 *  Where an example uses a weight once, its gradient is linear in dy_b, and its square is dy_b^2
 *  times what does not depend on dy_b (nn/linear_per_example.c). So the rounds are added up as
 *  squares of dy, by a backward that leaves out the gradients of parameters, and each such layer
 *  makes its products once. Where it is used at several places, as in convolutions, the layer makes
 *  them in every round. */
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
              (layer->block_count == 0 || layer->ops->per_example != NULL ||
               layer->ops->per_example_round != NULL);
    }
    return all;
}

/* Numbers of a node's powers. */
static size_t powers_of(const eg_net *net, size_t i, size_t batch)
{
    const eg_layer *layer = &net->nodes[i].layer;
    return layer->ops->per_example != NULL ? batch * eg_layer_outputs(layer) : 0;
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

double eg_net_per_example_flops(const eg_net *net, size_t rounds)
{
    double products = 0;
    double back = 0;
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_layer *layer = &net->nodes[i].layer;
        double flops = layer->ops->flops(layer);
        products += layer->ops->per_example != NULL ? flops : 0;
        back += layer->ops->per_example_round != NULL ? flops : 0;
        back += eg_node_passes_back(net, i) ? flops : 0;
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

/* What all rounds add to. */
typedef struct per_example_sums {
    eg_per_example what;
    eg_real *scratch; /* of one layer */
    eg_real *sums;    /* [table.count] */
} per_example_sums;

static void add_node(const eg_node *node, const eg_layer_context *context, const eg_real *dy,
                     const per_example_sums *to)
{
    const eg_layer_ops *layer_ops = node->layer.ops;
    eg_layer_context with = *context;
    eg_real *of_block[EG_LAYER_BLOCKS_MAX];
    for (size_t b = 0; b < node->layer.block_count; b++) {
        of_block[b] = to->sums + node->offset[b];
    }
    with.dy = dy;
    (layer_ops->per_example != NULL ? layer_ops->per_example : layer_ops->per_example_round)(
        &node->layer, &with, to->what, to->scratch, of_block);
}

/* One round: back to the outputs of every layer with parameters. `powers`: behind those of all. */
static void add_round(const eg_net *net, eg_workspace *workspace, eg_real *powers,
                      const per_example_sums *to)
{
    size_t batch = workspace->context[0].batch;
    for (size_t i = net->node_count; i-- > 0;) {
        const eg_layer *layer = &net->nodes[i].layer;
        eg_layer_context *context = &workspace->context[i];
        size_t count = powers_of(net, i, batch);
        powers -= count;
        add_powers(to->what, count, context->dy, powers);
        if (layer->ops->per_example_round != NULL) {
            add_node(&net->nodes[i], context, context->dy, to);
        }
        if (eg_node_passes_back(net, i)) {
            context->consumer = NULL;
            context->grads = NULL;
            layer->ops->backward(layer, context);
            context->grads = net->nodes[i].grads;
            eg_workspace_add_input_gradients(net, workspace, i);
        }
    }
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
    const per_example_sums to = {.what = what, .scratch = scratch + all, .sums = sums};
    memset(scratch, 0, all * sizeof *scratch);
    eg_workspace_begin_backward(net, workspace, dy, true);
    for (size_t round = 0; round < of->rounds; round++) {
        of->fill(of->user, round, dy);
        add_round(net, workspace, scratch + all, &to);
    }
    const eg_real *powers = scratch;
    for (size_t i = 0; i < net->node_count; i++) {
        if (net->nodes[i].layer.ops->per_example != NULL) {
            add_node(&net->nodes[i], &workspace->context[i], powers, &to);
            powers += powers_of(net, i, batch);
        }
    }
}
