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

/** EG_INVALID, naming the setting, if a model of these settings is none that eg_vgg_candidates
 *  knows: it has no biases but in the head, which is a convolution, and batch normalisation. */
eg_status eg_vgg_check_candidates(const eg_view *view) EG_WARN_UNUSED;

/** What growth could add to such a network: parts of every convolution in eg_vgg_candidates, blocks
 *  NODE.PART.weight of its table. The head has the first, and the second is of all convolutions but
 *  the first. */
typedef enum eg_vgg_part {
    EG_VGG_OLD_FROM_NEW, /**< q [filters, candidates]: existing filters read new ones */
    EG_VGG_NEW_FROM_NEW, /**< q [candidates, candidates]: new filters read new ones */
    EG_VGG_SPLIT,        /**< v [filters, inputs]: half of what filters do differently when split */
    EG_VGG_NEW,          /**< u [candidates, inputs]: new filters read existing ones */
    EG_VGG_PARTS
} eg_vgg_part;

/** How these parts start. */
typedef struct eg_vgg_trial {
    size_t candidates; /**< new filters of every convolution */
    eg_initial initial[EG_VGG_PARTS];
} eg_vgg_trial;

/** The graph of a network of these widths with all that growth could add. With x the existing
 *  inputs of a convolution W, x' the new ones, and n its normalisation, existing and new filters
 *  are
 *
 *      1/2 [f(n(W x + q x' + v x)) + f(n(W x + q x' - v x))]        f(u x + q x')
 *
 *  and the head is W x + b + q x'. EG_INVALID as for eg_vgg_graph. The settings are those that
 *  eg_vgg_check_candidates accepts. */
eg_status eg_vgg_candidates(eg_graph **out, const eg_view *view, const size_t *widths,
                            const eg_vgg_trial *trial, eg_shape input, size_t outputs,
                            size_t batch) EG_WARN_UNUSED;
/** The number of a block in the table of that network; SIZE_MAX: there is none. `convolution` is
 *  the number of all of them for the head. */
size_t eg_vgg_block(const eg_net *net, const eg_view *view, size_t convolution, eg_vgg_part part);
/** Puts the parameters and running statistics of the network in their places in the one with
 *  candidates. */
void eg_vgg_load(eg_net *candidates, const eg_net *net);

#endif
