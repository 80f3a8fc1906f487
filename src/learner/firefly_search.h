/** Firefly's search: what could be added to a VGG is trained for one pass over the training
 *  examples of a phase, while the network stays as it is, and scored in a second one.
 *
 *      pass 1   RMSprop on v, u and q by the mean loss + penalty (|v|^2 + 0.01 |u|^2)
 *      pass 2   score of filter i, of its split = mean over minibatches of <v_i, dL/dv_i>
 *               score of new filter m           = mean over minibatches of <u_m, dL/du_m>
 *
 *  A score is dL/ds at s = 1 of a factor s of all of v_i, or of u_m: what a filter computes is
 *  linear in them, so no more than the gradient is needed. Normalisation is by running statistics,
 *  examples are not augmented, and minibatches are those of the first epoch of the phase.
 *
 *  Source: Wu et al. 2020, arXiv 2102.08574, with the integral of scores by one point, as in its
 *  program. */
#ifndef ENGRAM_LEARNER_FIREFLY_SEARCH_H
#define ENGRAM_LEARNER_FIREFLY_SEARCH_H

#include "learner/gradient_learner.h"
#include "learner/growth.h"

typedef struct eg_firefly_setup {
    const eg_view *view;          /**< inside the settings of the model; borrowed */
    eg_gradient_learner *learner; /**< of the network; borrowed */
    eg_cursor *cursor;            /**< plain minibatches; borrowed */
    eg_shape input;
    size_t batch; /**< most examples of a minibatch */
    size_t convolutions;
    const size_t *widths; /**< [convolutions] of the network; borrowed */
    size_t candidates;    /**< new filters of each */
    size_t rank;          /**< all with scores not above that of this rank grow */
    bool joins;           /**< as in eg_growth_realise */
    double lr, penalty;
    uint64_t seed;              /**< of the candidates */
    bool (*wanted)(void *user); /**< as in eg_learner_setup; asked before every minibatch */
    void *user;
} eg_firefly_setup;

typedef struct eg_firefly_search {
    eg_firefly_setup setup;
    eg_growth *growth;                    /**< borrowed */
    eg_net *net;                          /**< the network with its candidates */
    eg_workspace *workspace;              /**< of it */
    const struct eg_optimizer_kind *rule; /**< RMSprop */
    eg_real *mean_square, *velocity;      /**< [net->param_count] */
} eg_firefly_search;

/** For the candidates of `growth`, which start as the seed says. On failure the caller still clears
 *  it. */
eg_status eg_firefly_search_init(eg_firefly_search *out, const eg_firefly_setup *setup,
                                 eg_growth *growth) EG_WARN_UNUSED;
void eg_firefly_search_clear(eg_firefly_search *search);

/** The first pass over the training examples of a phase. EG_STOPPED if it is not wanted. */
eg_status eg_firefly_search_train(eg_firefly_search *search, size_t phase) EG_WARN_UNUSED;
/** The second one: fills growth->score. */
eg_status eg_firefly_search_score(eg_firefly_search *search, size_t phase) EG_WARN_UNUSED;

/** A network after growth. */
typedef struct eg_firefly_grown {
    eg_net *net;    /**< owned */
    size_t *widths; /**< [convolutions] of it; owned */
    /** Mean losses over the training examples of the phase, in evaluation mode, of the network
     *  there was and of this one. */
    double loss_before, loss_after;
    double train_flops; /**< of both passes and both losses, as in eg_learner_costs */
    double extra_flops; /**< the same as in extra_flops of eg_learner_ops */
} eg_firefly_grown;

/** A search before a phase, and what grows of it; the learner and its network stay as they are.
 *  EG_STOPPED if it is not wanted. *out is empty on failure. */
eg_status eg_firefly_grow(eg_firefly_grown *out, const eg_firefly_setup *setup,
                          size_t phase) EG_WARN_UNUSED;
/** How often it asks whether it is wanted. */
size_t eg_firefly_polls(const eg_stream *stream, size_t phase);
void eg_firefly_grown_clear(eg_firefly_grown *grown);

#endif
