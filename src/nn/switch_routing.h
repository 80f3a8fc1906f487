/** Which expert of a Switch layer a token goes to, and what the router learns; see
 *  layer_switch.c. */
#ifndef ENGRAM_NN_SWITCH_ROUTING_H
#define ENGRAM_NN_SWITCH_ROUTING_H

#include "nn/shared/switch_layers.h"

#include <stddef.h>

enum {
    EG_SWITCH_ROWS = 8 /**< tokens of an expert are filled up to a multiple of these */
};

/** Tokens n on their way to E experts. Arrays are the caller's. */
typedef struct eg_switch_routes {
    size_t tokens, experts;
    size_t pitch; /**< numbers from the probabilities of a token to the next */
    eg_real *p;   /**< [tokens][pitch] logits, then probabilities */
    /** [tokens] the row of an expert's inputs that a token has; tokens that are dropped have a
     * negative number. */
    eg_real *row;
    eg_real *expert;                     /**< [tokens] */
    size_t count[EG_SWITCH_EXPERTS_MAX]; /**< tokens that chose it */
    size_t kept[EG_SWITCH_EXPERTS_MAX];  /**< of them not dropped */
    size_t first[EG_SWITCH_EXPERTS_MAX]; /**< its first row */
} eg_switch_routes;

/** Tokens an expert takes: ceil(factor n / E). */
size_t eg_switch_capacity(double factor, size_t tokens, size_t experts);

/** Probabilities from logits, in place; the most probable expert of each token, the first of
 *  equals; and rows, tokens in their order, up to `capacity` per expert. */
void eg_switch_route(eg_switch_routes *routes, size_t capacity);
/** Counts and rows again, from `expert` and `row`. */
void eg_switch_recall(eg_switch_routes *routes);

/** The balance loss alpha E sum_e f_e P_e. */
double eg_switch_balance(const eg_switch_routes *routes, double alpha);
/** Gradients of the logits, dlogit [tokens][pitch], from those of the probabilities of the experts
 *  that were chosen, dp [tokens], and of the balance loss; alpha 0: there is none. */
void eg_switch_differentiate(const eg_switch_routes *routes, double alpha, const eg_real *dp,
                             eg_real *dlogit);

#endif
