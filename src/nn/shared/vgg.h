/** VGG with a width for every convolution, for those who let it grow; its settings are those of
 *  model vgg. Convolutions are counted from 0, block after block. */
#ifndef ENGRAM_NN_VGG_H
#define ENGRAM_NN_VGG_H

#include "engram/net.h"
#include "engram/settings.h"

/** Filters of every convolution, as the settings have them: *out [*count], the caller's. EG_INVALID
 *  if `widths` are not as many as there are convolutions. */
eg_status eg_vgg_widths(size_t **out, size_t *count, const eg_view *view) EG_WARN_UNUSED;

/** The name of the node of a convolution, "block2.conv1". */
enum { EG_VGG_NAME_SIZE = 2 * EG_NODE_NAME_SIZE /**< what is too long is refused by the graph */ };
void eg_vgg_name(char out[EG_VGG_NAME_SIZE], const eg_view *view, size_t convolution);

/** The graph with these widths; the rest as in eg_model_kind.graph. */
eg_status eg_vgg_graph(eg_graph **out, const eg_view *view, const size_t *widths, eg_shape input,
                       size_t outputs, size_t batch) EG_WARN_UNUSED;

#endif
