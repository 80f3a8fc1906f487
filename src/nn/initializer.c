/** Laws of starting weights; see nn/initializer.h. */
#include "nn/initializer.h"

#include <math.h>

const char *const eg_initializer_names[] = {
    [EG_INITIALIZER_NORMAL] = "normal",
    [EG_INITIALIZER_UNIFORM] = "uniform",
    NULL,
};

static double uniform(size_t inputs, eg_rng *rng)
{
    return (2.0 * eg_rng_uniform(rng) - 1.0) / sqrt((double)inputs);
}

double eg_initializer_weight(eg_initializer initializer, size_t inputs, eg_rng *rng)
{
    if (initializer == EG_INITIALIZER_UNIFORM) {
        return uniform(inputs, rng);
    }
    return sqrt(2.0 / (double)inputs) * eg_rng_normal(rng);
}

double eg_initializer_bias(eg_initializer initializer, size_t inputs, eg_rng *rng)
{
    return initializer == EG_INITIALIZER_UNIFORM ? uniform(inputs, rng) : 0.0;
}
