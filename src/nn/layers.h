/** The kinds of layers models are made of. */
#ifndef ENGRAM_NN_LAYERS_H
#define ENGRAM_NN_LAYERS_H

#include "engram/activation.h"
#include "engram/layer.h"

/** How the rows of a weight matrix are normalised before use; the order is that of the names. */
typedef enum eg_norm {
    EG_NORM_CENTERED, /**< v = w - mean(w), then v / |v| */
    EG_NORM_PLAIN,    /**< w / |w| */
    EG_NORM_NONE,     /**< w */
} eg_norm;

extern const char *const eg_norm_names[]; /**< "centered", "plain", "none", NULL */

/** Blocks of parameters of the linear layers. */
enum { EG_LINEAR_WEIGHT, EG_LINEAR_BIAS };

/* Layers that cannot be made leave nothing behind: *out is zeroed. */

/** y = W x + b with W [outputs, inputs] row-major, and b [outputs] if `bias`. The shape of the
 *  input only says which weights belong to one unit of the layer before.
 *  A row of norm 0 is used as zeros and gets no gradient. */
eg_status eg_layer_linear(eg_layer *out, eg_shape in, size_t outputs, eg_norm norm, bool bias,
                          eg_initializer initializer) EG_WARN_UNUSED;
/** The same function with weights in panels: faster, for wide inputs that may come in sparse form;
 *  see layer_linear_panels.c. Starts from the same weights. */
eg_status eg_layer_linear_panels(eg_layer *out, eg_shape in, size_t outputs, eg_norm norm,
                                 bool bias, eg_initializer initializer) EG_WARN_UNUSED;

/** The same function without normalisation, for networks that learn example by example, with the
 *  weights of an input in one row; see layer_linear_online.c. Starts from the same weights. */
eg_status eg_layer_linear_online(eg_layer *out, eg_shape in, size_t outputs, bool bias,
                                 eg_initializer initializer) EG_WARN_UNUSED;

/** The fastest of the linear layers: for minibatches of one rows of inputs; else panels next to the
 *  input, which may be wide and sparse, and BLAS behind. */
eg_status eg_layer_linear_fastest(eg_layer *out, bool first, size_t batch, eg_shape in,
                                  size_t outputs, eg_norm norm, bool bias,
                                  eg_initializer initializer) EG_WARN_UNUSED;

/** Lanes of a panel for so many outputs: the weight of input i of unit j stands at
 *  (j/width*inputs + i)*width + j%width, biases a block of their own. */
size_t eg_linear_panels_width(size_t outputs);

/** A convolution of images, with zeros around them; see layer_conv.c. */
typedef struct eg_conv {
    size_t filters, kernel_height, kernel_width, stride;
    size_t padding; /**< rows and columns of zeros at each side */
    bool bias;
    eg_initial initial;      /**< of weights */
    eg_initial bias_initial; /**< of biases; zeroed: they start as 0 */
} eg_conv;

/** Blocks of parameters of convolutions. */
enum { EG_CONV_WEIGHT, EG_CONV_BIAS };

/** Units are filters: output [(height + 2 padding - kernel_height)/stride + 1, …, filters], rounded
 *  down. Blocks "weight" [filters, kernel_height*kernel_width*channels] and "bias". EG_INVALID if
 *  the kernel does not fit into the padded image. */
eg_status eg_layer_conv(eg_layer *out, eg_shape in, const eg_conv *spec) EG_WARN_UNUSED;

/** What is done to the weights after every update and to the inputs before use; see
 *  layer_constrained.c. */
typedef struct eg_constraint {
    bool unit_input;  /**< negative inputs become 0, then each example is scaled to length 1 */
    bool nonnegative; /**< parameters below 0 become 0 */
    bool unit_rows;   /**< each unit's weights are scaled to length 1; for panels only */
    bool bias;
} eg_constraint;
/** A linear layer under a constraint, with weights in rows or, for wide inputs that may come in
 *  sparse form, in panels. */
eg_status eg_layer_constrained(eg_layer *out, eg_shape in, size_t outputs, bool panels,
                               const eg_constraint *spec) EG_WARN_UNUSED;

/** What both share. 1/|v| from |v|^2: 0 for a row of norm 0; a norm that overflowed gives NaN, so
 * that divergence is seen and not taken for such a row. */
eg_real eg_inverse_norm(eg_real square);
double eg_linear_flops(size_t inputs, size_t outputs, bool bias);

/** What keeps hidden units from all being active; see layer_inhibition.c. The order is that of the
 * names "gaba", "annealed", "flat". */
typedef enum eg_inhibition_kind {
    EG_INHIBITION_GABA,
    EG_INHIBITION_ANNEALED,
    EG_INHIBITION_FLAT,
} eg_inhibition_kind;
extern const char *const eg_inhibition_names[];

typedef struct eg_inhibition {
    eg_inhibition_kind kind;
    bool masked;         /**< winners keep their value; else it is lowered; not with gaba */
    size_t k;            /**< units that stay active */
    double switch_count; /**< gaba: N, examples; above 0 */
    size_t k_start;      /**< annealed: k before the first minibatch, at least k */
    uint64_t annealing;  /**< annealed: minibatches until k is reached */
} eg_inhibition;

/** Units that stay active at a minibatch, 0, 1, …: floor of the line from k_start to k. */
size_t eg_inhibition_k(const eg_inhibition *spec, uint64_t step);
/** The counts of the units' activity are a buffer. */
eg_status eg_layer_inhibition(eg_layer *out, size_t units,
                              const eg_inhibition *spec) EG_WARN_UNUSED;

/** Hidden units with an activation (borrowed); p [its param_count] is copied. Units that depend on
 * each other do so over all numbers of an example. The output has as many channels per unit as the
 * activation has parts. */
eg_status eg_layer_activation(eg_layer *out, const eg_activation *activation, const double *p,
                              eg_shape shape) EG_WARN_UNUSED;
double eg_activation_flops(size_t n);

/** Every number is 0 with probability p in [0, 1) in training. `number`: of this layer among those
 * of the network that draw, below 256. */
eg_status eg_layer_dropout(eg_layer *out, double p, size_t number, eg_shape shape) EG_WARN_UNUSED;
double eg_dropout_flops(size_t n);

/** Normalisations of units, between their weights and their activation: over the example (of an
 * image: over all its channels and places, with a scale and a shift for every number), which needs
 * no memory of its own, and by running statistics, whose decays lie between 0 and 1. */
void eg_layer_norm(eg_layer *out, eg_shape shape);
eg_status eg_layer_online_norm(eg_layer *out, size_t units, double forward_decay,
                               double backward_decay) EG_WARN_UNUSED;
double eg_unit_norm_flops(size_t n);

/** y = factor * (x_1 + … + x_count): residual sums with factor 1, uniform mixtures with 1/count. */
eg_status eg_layer_sum(eg_layer *out, size_t count, double factor, eg_shape shape) EG_WARN_UNUSED;

/** y = x_1 - x_2. */
void eg_layer_difference(eg_layer *out, eg_shape shape);

/* Layers of images. Shapes are of images in the order of engram/shape.h, NHWC. */

/** From the order of datasets, channel by channel, to that of images; the first layer of a network
 * that sees places. Its input is [channels][height][width], its output `shape`. */
void eg_layer_image_order(eg_layer *out, eg_shape shape);
/** The other way: from an image to a vector in which the numbers of a channel are neighbours,
 * number p of channel c at c*positions + p. Units go on through it: to the layer that reads the
 * vector, each is `positions` neighbouring inputs (engram/units.h). */
void eg_layer_flatten(eg_layer *out, eg_shape in);

/** Windows of a pooling: output place (i, j) looks at rows i*stride - before … and columns
 * j*stride - before … of the input. What lies outside is not there: it does not win, and does not
 * count in averages. */
typedef struct eg_pool {
    size_t height, width; /**< of a window; at most EG_POOL_PLACES places */
    size_t stride;
    size_t before; /**< rows above and columns left of the image; fewer than the window has */
    size_t after;  /**< rows below and columns right of it; fewer than the window has */
} eg_pool;
enum { EG_POOL_PLACES = 256 };

/** The maximum of every window, channel by channel. Among equals the first in row-major order gets
 * the gradient; a NaN wins. EG_INVALID if a window does not fit into the image. */
eg_status eg_layer_max_pool(eg_layer *out, eg_shape in, const eg_pool *spec) EG_WARN_UNUSED;
/** The mean of every window's numbers inside the image. */
eg_status eg_layer_average_pool(eg_layer *out, eg_shape in, const eg_pool *spec) EG_WARN_UNUSED;
/** Means of height x width windows that cover the image, whatever its size: average pooling to a
 *  fixed size; see layer_adaptive_pool.c. */
void eg_layer_adaptive_pool(eg_layer *out, eg_shape in, size_t height, size_t width);
/** The mean of every channel, as a vector of `in.channels`. */
void eg_layer_global_pool(eg_layer *out, eg_shape in);

/** Batch normalisation, channel by channel over the examples and places of a minibatch, or by
 * running statistics r <- decay r + (1 - decay) s; see layer_batch_norm.c. */
eg_status eg_layer_batch_norm(eg_layer *out, eg_shape shape, double eps,
                              double decay) EG_WARN_UNUSED;

/** What the other channels of a place do to one; see layer_local_response.c. */
typedef struct eg_response {
    size_t radius;            /**< neighbours at either side */
    double bias, alpha, beta; /**< bias above 0, alpha not below */
} eg_response;
eg_status eg_layer_local_response(eg_layer *out, eg_shape shape,
                                  const eg_response *spec) EG_WARN_UNUSED;

/** Every channel of an example, all its places together, is 0 with probability p in training; else
 * as eg_layer_dropout, which counts its `number` with these. */
eg_status eg_layer_dropout_maps(eg_layer *out, double p, size_t number,
                                eg_shape shape) EG_WARN_UNUSED;

/* Layers of sequences: shapes are {positions, 1, features}. A linear layer of every position is a
 * convolution of one tap. */

/** What stands for each of `tokens` tokens: from {positions, 1, 1} numbers of tokens, as reals, to
 * {positions, 1, size}. Block "weight" [tokens, size], laid out as the weights of a convolution of
 * one tap with as many filters as there are tokens, to which it may be tied (eg_graph_tie). */
void eg_layer_embedding(eg_layer *out, size_t positions, size_t tokens, size_t size,
                        eg_initial initial);
/** Adds a learned number for every position and feature: block "weight" [positions][features]. */
void eg_layer_positions(eg_layer *out, eg_shape shape, eg_initial initial);
/** Layer normalisation over the channels of every position (or pixel) by itself, with a scale and a
 * shift for each channel. */
void eg_layer_position_norm(eg_layer *out, eg_shape shape);
/** Causal attention of `heads` heads of `size` numbers: from queries, keys and values of all heads,
 * {positions, 1, 3*heads*size} in this order, to {positions, 1, heads*size}. */
eg_status eg_layer_attention(eg_layer *out, size_t positions, size_t heads,
                             size_t size) EG_WARN_UNUSED;
double eg_attention_flops(size_t positions, size_t heads, size_t size);

/** Feed-forward experts, of which every position goes through one; see layer_switch.c. */
typedef struct eg_switch {
    size_t experts, hidden;          /**< experts; hidden units of each */
    const eg_activation *activation; /**< elementwise; borrowed */
    const double *p;                 /**< its parameters, which are copied */
    double capacity;    /**< of an expert in training, in equal shares of a minibatch; above 0 */
    double balance;     /**< factor alpha of the loss that keeps experts equally busy */
    eg_initial initial; /**< of the router and of weights to hidden units */
    eg_initial down_initial; /**< of weights from hidden units; biases start at 0 */
} eg_switch;
/** EG_INVALID unless features and hidden units fill whole panels: 8, 16, or a multiple of 32. */
eg_status eg_layer_switch(eg_layer *out, eg_shape in, const eg_switch *spec) EG_WARN_UNUSED;
/** Of one position. */
double eg_switch_flops(size_t width, size_t hidden, size_t experts);

/** A soft mixture: y = sum_k p_k x_k with p = softmax(x_0), x_0 [count] the gate's outputs and
 *  x_1 … x_count the branches. */
eg_status eg_layer_mixture(eg_layer *out, size_t count, eg_shape shape) EG_WARN_UNUSED;
/** A hard mixture of the same inputs: y = x_c, branch c drawn with probability p_c in training, and
 *  otherwise the first of those with the largest p; see layer_hard_mixture.c. `number`: of this
 *  layer among those of the network that draw with the same seed. */
enum { EG_HARD_MIXTURES_MAX = 256 /**< numbers */ };
eg_status eg_layer_hard_mixture(eg_layer *out, size_t count, size_t number,
                                eg_shape shape) EG_WARN_UNUSED;

#endif
