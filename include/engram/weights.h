/** Weights: what a learner's predictions are made of, as named arrays in row-major order, whatever
 *  the order inside. They leave a trial, and begin another one.
 *
 *  A learner names its arrays once, in eg_learner_ops.weights; the same call copies them out and
 *  in. */
#ifndef ENGRAM_WEIGHTS_H
#define ENGRAM_WEIGHTS_H

#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EG_WEIGHTS_RANK_MAX = 4, EG_WEIGHTS_NAME_SIZE = 128 };

/** One array. Numbers are exact as double, whatever they are inside. */
typedef struct eg_weights_array {
    char name[EG_WEIGHTS_NAME_SIZE]; /**< "network/layer1.weight": groups, and the name in them */
    char role[16]; /**< "weight", "bias", "scale", "shift"; "buffer" for what is no parameter */
    bool wide;     /**< stored as float64 and not as float32 */
    size_t rank;   /**< 1 to EG_WEIGHTS_RANK_MAX */
    size_t extent[EG_WEIGHTS_RANK_MAX];
    size_t count;   /**< product of the extents */
    double *values; /**< [count] row-major; owned */
    bool used;      /**< by the last pass into a learner */
} eg_weights_array;

/** Start with {0}. */
typedef struct eg_weights {
    eg_weights_array *arrays;
    size_t count, capacity;
    const char *source; /**< where they are from, for messages; borrowed; may be NULL */
    eg_real *room;      /**< of eg_weights_room; owned */
    size_t room_size;
} eg_weights;

void eg_weights_clear(eg_weights *weights);
/** The array of that name, or NULL. */
eg_weights_array *eg_weights_find(const eg_weights *weights, const char *name);
/** Adds an array of zeros, in *out, which is valid until the next one is added. Errors: EG_INVALID:
 *  no good name or extents, the name is there already; EG_MEMORY. */
eg_status eg_weights_add(eg_weights *weights, eg_weights_array **out, const char *name,
                         const char *role, bool wide, size_t rank,
                         const size_t *extent) EG_WARN_UNUSED;
/** A hash of names, extents and numbers. */
eg_status eg_weights_hash(uint64_t *out, const eg_weights *weights) EG_WARN_UNUSED;
/** Numbers in all arrays that are parameters. */
size_t eg_weights_parameters(const eg_weights *weights);

/** --- For learners ---------------------------------------------------------------------------- */

/** A pass over a learner's arrays: out of it into `weights`, or into it. */
typedef struct eg_weights_pass {
    eg_weights *weights;
    bool into_learner;
    /** Between steps of a learner that has learned: out, arrays that are there are filled again and
     *  what is missing is added; in, it gets back what it was, so that nothing begins with it.
     *  Counts of minibatches stay as they are. */
    bool again;
    char prefix
        [EG_WEIGHTS_NAME_SIZE]; /**< put before all names: groups of a learner in another one */
} eg_weights_pass;

/** Whether there is an array of that name: some may be left out. */
bool eg_weights_has(const eg_weights_pass *pass, const char *name);
/** An array. Into a learner: EG_INVALID, naming the array, if it is not there, has another shape or
 *  holds a number that is not finite. */
eg_status eg_weights_reals(eg_weights_pass *pass, const char *name, const char *role, size_t rank,
                           const size_t *extent, eg_real *values) EG_WARN_UNUSED;
eg_status eg_weights_doubles(eg_weights_pass *pass, const char *name, const char *role, size_t rank,
                             const size_t *extent, double *values) EG_WARN_UNUSED;
/** Room for `count` numbers, whose contents are lost with the next call. */
eg_status eg_weights_room(eg_weights_pass *pass, eg_real **out, size_t count) EG_WARN_UNUSED;
typedef struct eg_net eg_net;
/** Block number `block` of a network's table, from a plane or into it, as GROUP/layer1.weight;
 *  errors as above. */
eg_status eg_weights_block(eg_weights_pass *pass, const char *group, const char *role,
                           const eg_net *net, size_t block, eg_real *plane) EG_WARN_UNUSED;
/** The blocks and buffers of a network as GROUP/layer1.weight …, and how many minibatches it has
 *  learned as GROUP/step; errors as above. */
eg_status eg_weights_net(eg_weights_pass *pass, const char *group, eg_net *net) EG_WARN_UNUSED;

#endif
