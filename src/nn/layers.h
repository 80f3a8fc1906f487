/** The kinds of layers models are made of. */
#ifndef ENGRAM_NN_LAYERS_H
#define ENGRAM_NN_LAYERS_H

#include "engram/activation.h"
#include "engram/layer.h"
#include "nn/start.h"

/** How the rows of a weight matrix are normalised before use; the order is that of the words. */
typedef enum eg_norm {
    EG_NORM_CENTERED, /**< v = w - mean(w), then v / |v| */
    EG_NORM_PLAIN,    /**< w / |w| */
    EG_NORM_NONE,     /**< w */
} eg_norm;

extern const char *const eg_norm_words[]; /**< "centered", "plain", "none", NULL */

/** y = W x + b with W [outputs, inputs] row-major, followed by b [outputs] if `bias`.
 *  A row of norm 0 is used as zeros and gets no gradient. */
eg_status eg_layer_linear(eg_layer *out, size_t inputs, size_t outputs, eg_norm norm, bool bias,
                          eg_start start) EG_WARN_UNUSED;
/** The same function with weights in panels: faster, for wide inputs that may come compressed; see
 *  layer_linear_panels.c. Starts from the same weights. */
eg_status eg_layer_linear_panels(eg_layer *out, size_t inputs, size_t outputs, eg_norm norm,
                                 bool bias, eg_start start) EG_WARN_UNUSED;

/** What both share. 1/|v| from |v|^2: 0 for a row of norm 0; a norm that overflowed gives NaN, so that
 * divergence is seen and not taken for such a row. */
eg_real eg_inverse_norm(eg_real square);
double eg_linear_flops(size_t inputs, size_t outputs, bool bias);

/** n hidden units with an activation (borrowed); p [its param_count] is copied. */
eg_status eg_layer_activation(eg_layer *out, const eg_activation *activation, const double *p,
                              size_t n) EG_WARN_UNUSED;
double eg_activation_flops(size_t n);

#endif
