/** Drawing one output from its scores. */
#ifndef ENGRAM_TRIAL_SAMPLING_H
#define ENGRAM_TRIAL_SAMPLING_H

#include "engram/real.h"

#include <stddef.h>

/** The output j in which `uniform`, from [0, 1), lies:
 *
 *      sum_{i<j} p_i <= uniform < sum_{i<=j} p_i,   p = softmax(z/T) over z = score [count]
 *
 *  T = temperature = 0: the first of the largest scores, whatever `uniform` is. */
size_t eg_draw_output(const eg_real *score, size_t count, double temperature, double uniform);

#endif
