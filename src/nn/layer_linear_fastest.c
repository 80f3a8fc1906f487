/** Which linear layer to take; see nn/layers.h. */
#include "nn/layers.h"

eg_status eg_layer_linear_fastest(eg_layer *out, bool first, size_t batch, eg_shape in,
                                  size_t outputs, eg_norm norm, bool bias,
                                  eg_initializer initializer)
{
    if (batch == 1 && norm == EG_NORM_NONE) {
        return eg_layer_linear_online(out, in, outputs, bias, initializer);
    }
    return (first ? eg_layer_linear_panels : eg_layer_linear)(out, in, outputs, norm, bias,
                                                              initializer);
}
