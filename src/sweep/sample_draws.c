/** Random, Halton and Sobol numbers; see sweep/sample_draws.h.
 *
 *  Halton: radical inverses in the first primes, moved by a keyed shift modulo 1 (Cranley and
 *  Patterson 1976). Sobol: GSL's sequence (Sobol 1967; direction numbers of Bratley and Fox 1988),
 *  with 30 binary digits. A keyed digital shift flips some of them, the same ones in all draws of a
 *  setting (Matousek 1998). Both keep the even spacing, and give another sweep seed other
 *  points. */
#include "sweep/sample_draws.h"

#include "engram/random.h"

#include <assert.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <math.h>

enum { SOBOL_DIGITS = 30 };

static const uint32_t primes[EG_SAMPLE_DIMENSIONS_MAX] = {
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89};

static double radical_inverse(uint64_t k, uint32_t base)
{
    double value = 0;
    double scale = 1.0 / base;
    for (; k > 0; k /= base) {
        value += (double)(k % base) * scale;
        scale /= base;
    }
    return value;
}

static double halton(const eg_draw_dimension *d, uint64_t k)
{
    eg_rng rng = eg_rng_make(d->key, EG_PURPOSE_SAMPLE, UINT64_MAX);
    uint32_t base = primes[d->rank % EG_SAMPLE_DIMENSIONS_MAX];
    double u = radical_inverse(k + 1, base) + eg_rng_uniform(&rng);
    return u - floor(u);
}

static double uniform(const eg_draw_dimension *d, uint64_t k)
{
    eg_rng rng = eg_rng_make(d->key, EG_PURPOSE_SAMPLE, k);
    return eg_rng_uniform(&rng);
}

/** The origin, which GSL leaves out and without which the first 2^m rows are no net, then rows of
 *  GSL's sequence; with the digits of each setting flipped, and in the middle of their cells, so
 *  that none is 0 or 1. */
static eg_status fill_sobol(double *out, const eg_draw_dimension *dimensions, size_t count,
                            size_t draws)
{
    /* GSL's own answer to a failure is to end the process. */
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, EG_SAMPLE_DIMENSIONS_MAX);
    (void)gsl_set_error_handler(handler);
    if (sequence == NULL) {
        return eg_fail(EG_MEMORY, "no memory for a Sobol sequence");
    }
    for (size_t k = 0; k < draws; k++) {
        double row[EG_SAMPLE_DIMENSIONS_MAX] = {0};
        if (k > 0) {
            (void)gsl_qrng_get(sequence, row);
        }
        for (size_t i = 0; i < count; i++) {
            const eg_draw_dimension *d = &dimensions[i];
            eg_rng rng = eg_rng_make(d->key, EG_PURPOSE_SOBOL, 0);
            uint32_t flips = eg_rng_u32(&rng) >> (32 - SOBOL_DIGITS);
            uint32_t digits = (uint32_t)ldexp(row[d->written], SOBOL_DIGITS) ^ flips;
            out[k * count + i] = ldexp(digits + 0.5, -SOBOL_DIGITS);
        }
    }
    gsl_qrng_free(sequence);
    return eg_ok();
}

eg_status eg_sweep_draws(double **out, eg_arena *arena, eg_sample_method method,
                         const eg_draw_dimension *dimensions, size_t count, size_t draws)
{
    assert(count <= EG_SAMPLE_DIMENSIONS_MAX);
    EG_TRY(eg_arena_alloc(arena, out, draws * count, sizeof **out));
    if (method == EG_SAMPLE_SOBOL) {
        return fill_sobol(*out, dimensions, count, draws);
    }
    for (size_t k = 0; k < draws; k++) {
        for (size_t i = 0; i < count; i++) {
            double u =
                method == EG_SAMPLE_HALTON ? halton(&dimensions[i], k) : uniform(&dimensions[i], k);
            (*out)[k * count + i] = u > 0 ? u : 0x1.0p-54;
        }
    }
    return eg_ok();
}
