/** Who gets the gradients of a backward: a network gives them piece by piece, while they are in cache,
 *  and an optimizer is what usually takes them (eg_optimizer_begin). */
#ifndef ENGRAM_GRADIENT_CONSUMER_H
#define ENGRAM_GRADIENT_CONSUMER_H

#include "engram/real.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_gradient_consumer {
    /** g [count] belongs to the network's parameters first … first+count-1; it may be changed. */
    void (*consume)(void *user, size_t first, size_t count, eg_real *g);
    void *user;
    /** true: consume changes the parameters at once, and g is scratch. false: it does not, and g is
     * where the network's gradients are stored. */
    bool updates;
} eg_gradient_consumer;

#endif
