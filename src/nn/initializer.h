/** How the weights of fully connected layers start. */
#ifndef ENGRAM_NN_INITIALIZER_H
#define ENGRAM_NN_INITIALIZER_H

#include "engram/random.h"

/** The order is that of the names. */
typedef enum eg_initializer {
    EG_INITIALIZER_NORMAL,  /**< N(0, 2/inputs), biases 0. He et al. 2015, arXiv 1502.01852 */
    EG_INITIALIZER_UNIFORM, /**< uniform in ±1/sqrt(inputs), biases too. LeCun et al. 1998 */
} eg_initializer;

extern const char *const eg_initializer_names[]; /**< "normal", "uniform", NULL */

/** The next weight, or bias, of a unit with so many inputs. Weights are drawn first, unit by unit, then
 * the biases. */
double eg_initializer_weight(eg_initializer initializer, size_t inputs, eg_rng *rng);
double eg_initializer_bias(eg_initializer initializer, size_t inputs, eg_rng *rng);

#endif
