/** One backward per example; see nn/per_example_backward.h. */
#include "nn/per_example_backward.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>

EG_CLONES static void add_powers(eg_per_example what, size_t n, const eg_real *restrict g,
                                 eg_real *restrict sum)
{
    for (size_t i = 0; what == EG_PER_EXAMPLE_SQUARE && i < n; i++) {
        sum[i] += g[i] * g[i];
    }
    for (size_t i = 0; what == EG_PER_EXAMPLE_ABSOLUTE && i < n; i++) {
        sum[i] += eg_abs(g[i]);
    }
}

size_t eg_per_example_backward_scratch(const eg_layer *layer, size_t batch)
{
    (void)batch;
    return eg_layer_param_count(layer);
}

void eg_per_example_backward(const eg_layer *layer, const eg_layer_context *context,
                             eg_per_example what, eg_real *scratch, eg_real *const *sums)
{
    eg_real *grads[EG_LAYER_BLOCKS_MAX];
    eg_real *const no_dx[] = {NULL};
    eg_layer_context one = *context;
    assert(layer->input_count == 1 && layer->cache_per_example == 0);
    assert(!eg_mode_uses_batch(context->mode));
    for (size_t b = 0; b < layer->block_count; b++) {
        grads[b] = scratch;
        scratch += layer->blocks[b].count;
    }
    one.batch = 1;
    one.grads = grads;
    one.dx = no_dx;
    one.consumer = NULL;
    for (size_t e = 0; e < context->batch; e++) {
        const eg_real *const x[] = {context->x[0] + e * eg_layer_inputs(layer)};
        one.x = x;
        one.y = context->y + e * eg_layer_outputs(layer);
        one.dy = context->dy + e * eg_layer_outputs(layer);
        layer->ops->backward(layer, &one);
        for (size_t b = 0; b < layer->block_count; b++) {
            add_powers(what, layer->blocks[b].count, grads[b], sums[b]);
        }
    }
}
