/** Which hidden unit every parameter of a network makes, and which one it multiplies: the network
 *  as a graph of units, for learners that treat weights by the units at their ends.
 *
 *  Hidden units of all layers are numbered one after the other: unit u of hidden layer h is
 *  first[h] + u. */
#ifndef ENGRAM_LEARNER_WIRING_H
#define ENGRAM_LEARNER_WIRING_H

#include "engram/net.h"

#define EG_NO_UNIT UINT32_MAX

typedef struct eg_wiring {
    size_t layers; /**< hidden ones */
    size_t units;  /**< of all of them */
    size_t *first; /**< [layers + 1] */
    /** [param_count] the unit that a parameter makes: EG_NO_UNIT of the head and of padding. */
    uint32_t *to;
    /** [param_count] the unit that a weight multiplies: EG_NO_UNIT of the network's inputs, of
     *  biases, and of padding. */
    uint32_t *from;
} eg_wiring;

/** What of this can be said of its nodes alone. */
const char *eg_wiring_node_obstacle(size_t count, const eg_node *nodes);
/** Why it cannot be said of this network; NULL: it can. It has to be a chain of layers with
 *  weights, a hidden layer between every two of them, and no normalisation. */
const char *eg_wiring_obstacle(const eg_net *net);
/** Of a network without obstacle. On failure the caller still clears it. */
eg_status eg_wiring_init(eg_wiring *out, const eg_net *net) EG_WARN_UNUSED;
void eg_wiring_clear(eg_wiring *wiring);

#endif
