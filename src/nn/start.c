/** Laws of starting weights; see nn/start.h. */
#include "nn/start.h"

#include <math.h>

const char *const eg_start_words[] = {
    [EG_START_NORMAL] = "normal",
    [EG_START_UNIFORM] = "uniform",
    NULL,
};

static double uniform(size_t inputs, eg_rng *rng)
{
    return (2.0 * eg_rng_uniform(rng) - 1.0) / sqrt((double)inputs);
}

double eg_start_weight(eg_start start, size_t inputs, eg_rng *rng)
{
    if (start == EG_START_UNIFORM) {
        return uniform(inputs, rng);
    }
    return sqrt(2.0 / (double)inputs) * eg_rng_normal(rng);
}

double eg_start_bias(eg_start start, size_t inputs, eg_rng *rng)
{
    return start == EG_START_UNIFORM ? uniform(inputs, rng) : 0.0;
}
