/** Mixtures of experts: networks of a model whose parts (eg_graph_part) are each a tree of experts.
 *
 *      y(x) = sum_j p_j(x) h_j(x)      p_j: product of the gates' probabilities on the path to h_j
 *
 *  An expert is the whole part. A gate is a linear layer with bias from what the part reads to its
 *  two children, and a softmax. All else of the model is shared. With one expert in every part the
 *  network is that of the model, bit for bit, and its nodes have their names. Otherwise node "a" of
 *  the expert at place 5 is "expert5.a"; the gate and the mixture at place 2 of the part that
 *  begins with "layer1" or "layer1.a" are "gate2.layer1" and "mixture2.layer1" (places:
 *  engram/expert_tree.h).
 *
 *  Initial values of an expert or a gate depend on the seed, its part and its place alone.
 *
 *  Source: Caccia et al. 2022, arXiv 2106.09563, "growing mixture of experts". */
#ifndef ENGRAM_MIXTURE_H
#define ENGRAM_MIXTURE_H

#include "engram/expert_tree.h"
#include "engram/model.h"

/** How gates mix; the order is that of the names. */
typedef enum eg_gating {
    EG_GATING_SOFT, /**< all experts, by their probabilities */
    EG_GATING_HARD  /**< one child: drawn in training, else the most probable */
} eg_gating;

extern const char *const eg_gating_names[]; /**< "soft", "hard", NULL */

typedef struct eg_mixture_part {
    char name[EG_NODE_NAME_SIZE]; /**< "layer1": what its nodes' names begin with */
    size_t first, last;           /**< its nodes in the model's graph */
    eg_expert_tree tree;
} eg_mixture_part;

/** What network a mixture is. */
typedef struct eg_mixture {
    eg_gating gating;
    size_t part_count;
    eg_mixture_part *part; /**< [part_count] owned */
    size_t nodes;          /**< of the model's graph */
} eg_mixture;

/** What the network is made from. */
typedef struct eg_mixture_setup {
    const eg_view *root; /**< its setting `model` names the model */
    eg_shape input;
    size_t outputs;
    size_t batch; /**< as for eg_model_build */
    uint64_t seed;
} eg_mixture_setup;

/** One expert in every part of the model. EG_INVALID if the model has no parts with these settings.
 *  On failure the caller still clears it. */
eg_status eg_mixture_init(eg_mixture *out, const eg_mixture_setup *setup,
                          eg_gating gating) EG_WARN_UNUSED;
void eg_mixture_clear(eg_mixture *mixture);
/** Its network with initial values. */
eg_status eg_mixture_build(eg_net **out, const eg_mixture *mixture,
                           const eg_mixture_setup *setup) EG_WARN_UNUSED;

/** Parameters, buffers and count of steps of an earlier network of the mixture into one in which
 *  experts were split since: both halves of one are what it was, and new gates keep their initial
 *  values. Outputs stay what they are, but for rounding, as the two probabilities of a gate add up
 *  to 1. */
void eg_mixture_copy(const eg_mixture *mixture, eg_net *to, const eg_net *from);

/** Probabilities p [B, experts] of the experts of a part, of the batch last given to forward, in a
 *  workspace that keeps. Hard gates: 1 for the expert that was taken, 0 for others. */
void eg_mixture_probabilities(const eg_mixture *mixture, const eg_net *net,
                              const eg_workspace *workspace, size_t part, eg_real *p);

/** Of one part, for each example of that batch: the product of probabilities on the path to a
 *  place, which is 1 or 0 with hard gates. reach [B]. */
void eg_mixture_reach(const eg_mixture *mixture, const eg_net *net, const eg_workspace *workspace,
                      size_t part, uint64_t place, eg_real *reach);

/** What of a part is meant. */
typedef enum eg_mixture_what { EG_MIXTURE_EXPERTS, EG_MIXTURE_GATES } eg_mixture_what;
/** Multiply-adds of all experts or all gates of a part together (eg_net_macs). */
eg_net_work eg_mixture_macs(const eg_mixture *mixture, const eg_net *net, size_t part,
                            eg_mixture_what what);

/** The name of a gate's node, for this place of a part. EG_INVALID if it is too long. */
eg_status eg_mixture_gate_name(char out[EG_NODE_NAME_SIZE], const eg_mixture *mixture, size_t part,
                               uint64_t place) EG_WARN_UNUSED;

/** The trees, for checkpoints. */
void eg_mixture_write(const eg_mixture *mixture, eg_writer *writer);
/** EG_INVALID for other than the trees of as many parts. */
eg_status eg_mixture_read(eg_mixture *mixture, eg_reader *reader) EG_WARN_UNUSED;

#endif
