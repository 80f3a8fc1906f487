/** How the weights of fully connected layers start. */
#ifndef ENGRAM_NN_START_H
#define ENGRAM_NN_START_H

#include "engram/random.h"

/** The order is that of the words. */
typedef enum eg_start {
    EG_START_NORMAL,  /**< N(0, 2/inputs), biases 0. He et al. 2015, arXiv 1502.01852 */
    EG_START_UNIFORM, /**< uniform in ±1/sqrt(inputs), biases too. LeCun et al. 1998 */
} eg_start;

extern const char *const eg_start_words[]; /**< "normal", "uniform", NULL */

/** The next weight, or bias, of a unit with so many inputs. Weights are drawn first, unit by unit, then
 * the biases. */
double eg_start_weight(eg_start start, size_t inputs, eg_rng *rng);
double eg_start_bias(eg_start start, size_t inputs, eg_rng *rng);

#endif
