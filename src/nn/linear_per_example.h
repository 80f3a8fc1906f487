/** The gradients of single examples in a fully connected layer, added up as squares or absolute
 * values without ever being formed where that can be avoided. */
#ifndef ENGRAM_NN_LINEAR_PER_EXAMPLE_H
#define ENGRAM_NN_LINEAR_PER_EXAMPLE_H

#include "nn/layers.h"

/** One call on one layer. The weight of input i of unit j is weight[s*strip_stride + i*input_stride
 * + l*unit_stride] with s = j/width, l = j%width. */
typedef struct eg_linear_per_example {
    size_t batch, inputs, outputs;
    size_t width; /**< at most EG_PER_EXAMPLE_WIDTH */
    size_t strip_stride, input_stride, unit_stride;
    eg_norm norm;
    const eg_real *weight;
    const eg_real *bias;         /**< [outputs] or NULL */
    const eg_real *x;            /**< [batch, inputs] */
    const eg_sparse *transposed; /**< the transpose of x in sparse form, which is faster; or NULL */
    const eg_real *y;            /**< [batch, outputs] */
    const eg_real *power;        /**< [batch, outputs] squares or absolute values of dy */
    eg_per_example what;
    eg_real *scratch; /**< [eg_linear_per_example_scratch] */
} eg_linear_per_example;

enum { EG_PER_EXAMPLE_WIDTH = 64 };

size_t eg_linear_per_example_scratch(size_t batch, size_t inputs);

/** weight_sums[p] += sum over the examples of g[p]^2 or |g[p]|, for every weight p of the layer;
 * the same for the biases, if there are any. */
void eg_linear_per_example_add(const eg_linear_per_example *layer, eg_real *weight_sums,
                               eg_real *bias_sums);

#endif
