/** Initial distributions; see engram/initial.h. */
#include "engram/initial.h"

#include <math.h>
#include <stdbool.h>

const char *const eg_initializer_names[] = {
    [EG_INITIALIZER_NORMAL] = "normal",
    [EG_INITIALIZER_UNIFORM] = "uniform",
    [EG_INITIALIZER_KAIMING] = "kaiming",
    [EG_INITIALIZER_XAVIER] = "xavier",
    [EG_INITIALIZER_LECUN] = "lecun",
    [EG_INITIALIZER_DEFAULT] = "default",
    [EG_INITIALIZER_VARIANCE_SCALING] = "variance_scaling",
    NULL,
};

/* Standard deviation of a standard normal number that is drawn again outside +-2. */
static const double truncated_deviation = 0.87962566103423978;

static double draw_truncated(eg_rng *rng)
{
    double z = eg_rng_normal(rng);
    while (fabs(z) > 2.0) {
        z = eg_rng_normal(rng);
    }
    return z;
}

double eg_initial_draw(const eg_initial *initial, eg_rng *rng)
{
    switch (initial->kind) {
    case EG_INITIAL_UNIFORM:
        return initial->scale * (2.0 * eg_rng_uniform(rng) - 1.0) / initial->divisor;
    case EG_INITIAL_NORMAL:
        return initial->scale * eg_rng_normal(rng) / initial->divisor;
    case EG_INITIAL_TRUNCATED:
        return initial->scale * draw_truncated(rng) / initial->divisor;
    case EG_INITIAL_VALUE:
        break;
    }
    return initial->scale;
}

double eg_initial_spread(const eg_initial *initial)
{
    return initial->kind == EG_INITIAL_VALUE ? 0.0 : initial->scale / initial->divisor;
}

static eg_initial uniform(double scale, double divisor)
{
    return (eg_initial){.kind = EG_INITIAL_UNIFORM, .scale = scale, .divisor = divisor};
}

eg_initial eg_initializer_weight(eg_initializer initializer, double gain, size_t inputs,
                                 size_t units)
{
    const double n = (double)inputs;
    switch (initializer) {
    case EG_INITIALIZER_KAIMING:
        return uniform(gain * sqrt(3.0), sqrt(n));
    case EG_INITIALIZER_XAVIER:
        return uniform(gain * sqrt(6.0), sqrt(n + (double)units));
    case EG_INITIALIZER_LECUN:
        return uniform(sqrt(3.0), sqrt(n));
    case EG_INITIALIZER_UNIFORM:
    case EG_INITIALIZER_DEFAULT:
        return uniform(1.0, sqrt(n));
    case EG_INITIALIZER_VARIANCE_SCALING:
        return (eg_initial){
            .kind = EG_INITIAL_TRUNCATED, .scale = 1.0 / truncated_deviation, .divisor = sqrt(n)};
    case EG_INITIALIZER_NORMAL:
        break;
    }
    return (eg_initial){.kind = EG_INITIAL_NORMAL, .scale = sqrt(2.0 / n), .divisor = 1.0};
}

eg_initial eg_initializer_bias(eg_initializer initializer, size_t inputs)
{
    bool random = initializer == EG_INITIALIZER_UNIFORM || initializer == EG_INITIALIZER_DEFAULT;
    return random ? uniform(1.0, sqrt((double)inputs)) : (eg_initial){.kind = EG_INITIAL_VALUE};
}
