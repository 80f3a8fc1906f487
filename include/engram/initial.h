/** Initial distributions: what parameters start as, and what fresh values of a unit are drawn from.
 *
 *      kind      value                                    of what
 *      VALUE     scale                                    biases, scales, shifts
 *      UNIFORM   U(-a, a), a = scale/divisor              weights
 *      NORMAL    N(0, s^2), s = scale/divisor             weights
 *      TRUNCATED the same, drawn again outside +-2 s      weights
 *
 *  A block of parameters says which one is its own (eg_parameter_block.initial). Where the fan-in
 *  of a unit is n, its layer has m units, and g is the gain of the activation that follows:
 *
 *      normal    N(0, 2/n)                        biases 0         He et al. 2015, arXiv 1502.01852
 *      uniform   a = 1/sqrt(n)                    biases too       LeCun et al. 1998
 *      kaiming   a = g sqrt(3/n)                  biases 0         He et al. 2015
 *      xavier    a = g sqrt(6/(n + m))            biases 0         Glorot and Bengio 2010
 *      lecun     a = sqrt(3/n)                    biases 0
 *      default   uniform, by the name that it has in programs on PyTorch
 *      variance_scaling  truncated, 1/sqrt(n) after it       biases 0         TensorFlow's default
 *
 *  The gain of an output layer is 1. */
#ifndef ENGRAM_INITIAL_H
#define ENGRAM_INITIAL_H

#include "engram/random.h"

typedef enum eg_initial_kind {
    EG_INITIAL_VALUE,
    EG_INITIAL_UNIFORM,
    EG_INITIAL_NORMAL,
    EG_INITIAL_TRUNCATED,
} eg_initial_kind;

/** One of them; zeroed it is the value 0. Two numbers, because uniform weights have always been
 * divided by sqrt(n), which is not quite a product with its inverse. */
typedef struct eg_initial {
    eg_initial_kind kind;
    double scale, divisor;
} eg_initial;

/** The next value. */
double eg_initial_draw(const eg_initial *initial, eg_rng *rng);
/** a of UNIFORM, s of NORMAL and TRUNCATED, 0 of VALUE. */
double eg_initial_spread(const eg_initial *initial);

/** The order is that of the names. */
typedef enum eg_initializer {
    EG_INITIALIZER_NORMAL,
    EG_INITIALIZER_UNIFORM,
    EG_INITIALIZER_KAIMING,
    EG_INITIALIZER_XAVIER,
    EG_INITIALIZER_LECUN,
    EG_INITIALIZER_DEFAULT,
    EG_INITIALIZER_VARIANCE_SCALING,
} eg_initializer;

/** "normal", "uniform", "kaiming", "xavier", "lecun", "default", "variance_scaling", NULL. */
extern const char *const eg_initializer_names[];

/** The distribution of weights, or biases, of a layer of `units` with so many inputs. `gain` counts
 * for kaiming and xavier alone. */
eg_initial eg_initializer_weight(eg_initializer initializer, double gain, size_t inputs,
                                 size_t units);
eg_initial eg_initializer_bias(eg_initializer initializer, size_t inputs);

#endif
