/** Keyed random numbers on Philox4x32-10; see engram/random.h. */
#include "engram/random.h"

#include <math.h>

/* Random123's headers convert freely between widths. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

static const double two_pi = 6.283185307179586476925;

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    philox4x32_ctr_t c = {{counter[0], counter[1], counter[2], counter[3]}};
    philox4x32_key_t k = {{key[0], key[1]}};
    philox4x32_ctr_t r = philox4x32(c, k);
    for (int i = 0; i < 4; i++) {
        out[i] = r.v[i];
    }
}

eg_rng eg_rng_make(uint64_t seed, eg_purpose purpose, uint64_t index)
{
    /* Seed and purpose are mixed into the key by one block of the cipher itself, so that
     * neighbouring seeds share nothing; the index goes into the upper half of the counter. */
    const uint32_t mix[4] = {(uint32_t)seed, (uint32_t)(seed >> 32), (uint32_t)purpose, 0};
    const uint32_t fixed[2] = {0x656e6772U, 0x616d3031U};
    uint32_t mixed[4];
    philox(mix, fixed, mixed);
    const eg_rng made = {.key = {mixed[0], mixed[1]}};
    return eg_rng_at(&made, index);
}

eg_rng eg_rng_at(const eg_rng *made, uint64_t index)
{
    return (eg_rng){.counter = {0, 0, (uint32_t)index, (uint32_t)(index >> 32)},
                    .key = {made->key[0], made->key[1]},
                    .used = 4};
}

uint64_t eg_member_seed(uint64_t seed, size_t member)
{
    if (member == 0) {
        return seed;
    }
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_MEMBER, member);
    return eg_rng_u64(&rng);
}

uint32_t eg_rng_u32(eg_rng *rng)
{
    if (rng->used == 4) {
        philox(rng->counter, rng->key, rng->block);
        rng->used = 0;
        if (++rng->counter[0] == 0) {
            rng->counter[1]++;
        }
    }
    return rng->block[rng->used++];
}

uint64_t eg_rng_u64(eg_rng *rng)
{
    uint64_t low = eg_rng_u32(rng);
    return low | (uint64_t)eg_rng_u32(rng) << 32;
}

double eg_rng_uniform(eg_rng *rng)
{
    return (double)(eg_rng_u64(rng) >> 11) * 0x1.0p-53;
}

double eg_rng_normal(eg_rng *rng)
{
    double u = 1.0 - eg_rng_uniform(rng); /* in (0, 1]: its logarithm is finite */
    double v = eg_rng_uniform(rng);
    return sqrt(-2.0 * log(u)) * cos(two_pi * v);
}

uint32_t eg_rng_below(eg_rng *rng, uint32_t n)
{
    /* Lemire 2019: multiply, reject the few low products that would be over-represented. */
    uint64_t product = (uint64_t)eg_rng_u32(rng) * n;
    if ((uint32_t)product < n) {
        uint32_t threshold = (0U - n) % n;
        while ((uint32_t)product < threshold) {
            product = (uint64_t)eg_rng_u32(rng) * n;
        }
    }
    return (uint32_t)(product >> 32);
}

void eg_rng_shuffle(eg_rng *rng, size_t n, uint32_t *index)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = eg_rng_below(rng, (uint32_t)i);
        uint32_t kept = index[i - 1];
        index[i - 1] = index[j];
        index[j] = kept;
    }
}
