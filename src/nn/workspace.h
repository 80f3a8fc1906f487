/** A workspace from the inside. */
#ifndef ENGRAM_NN_WORKSPACE_H
#define ENGRAM_NN_WORKSPACE_H

#include "engram/units.h"

/* Inputs of all nodes stand one after the other, those of node i from first_read[i] on. Every array
 * is a block of its own, so that the address sanitizer guards its ends. */
struct eg_workspace {
    size_t node_count, capacity;
    bool keeps;
    bool derives; /* the last backward left `derived` up to date with what it changed */
    eg_layer_context *context; /* [node_count] of the last forward */
    eg_layer_next *next;       /* [node_count] the node after it, if it is made with it */
    size_t *first_read;        /* [node_count + 1] */
    const eg_real **x;         /* [reads] */
    eg_real **dx;              /* [reads] NULL: the network's input */
    eg_real **sum;             /* [reads] where dx is added, if it is not the first for its node */
    eg_real **block;           /* [block_count] all arrays of numbers; owned */
    size_t block_count, block_capacity;
    size_t numbers;  /* in all of them */
    eg_real *shared; /* gradients of a node that shares blocks, on their way to the sum; or NULL */
    eg_real *shared_grads[EG_LAYER_BLOCKS_MAX]; /* where such a node puts them */
    eg_sparse *transposed;            /* of the input, if it is taken in sparse form; or NULL */
    eg_profile *profile;              /* borrowed; NULL: not measured */
    const eg_unit_observer *observer; /* borrowed; or NULL */
};

/* Whether node i makes the one after it. */
static inline bool eg_workspace_makes_next(const eg_workspace *workspace, size_t i)
{
    return workspace->next[i].layer != NULL;
}

/* Before going back through the nodes from dy [B, outputs]; `per_example`: for
 * eg_net_per_example. */
void eg_workspace_begin_backward(const eg_net *net, eg_workspace *workspace, const eg_real *dy,
                                 bool per_example);
/* After the backward of node i: adds the gradients of inputs that others read too. */
void eg_workspace_add_input_gradients(const eg_net *net, const eg_workspace *workspace, size_t i);

#endif
