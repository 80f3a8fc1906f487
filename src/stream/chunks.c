/** Partitions into mega-batches; see stream/chunks.h. */
#include "stream/chunks.h"

#include "engram/random.h"

#include <math.h>

uint64_t eg_chunk_seed(const eg_view *view, uint64_t trial)
{
    int64_t own = eg_view_value(view, "partition_seed")->integer;
    return own < 0 ? trial : (uint64_t)own;
}

void eg_chunk_permute(uint64_t seed, size_t n, uint32_t *order)
{
    for (size_t i = 0; i < n; i++) {
        order[i] = (uint32_t)i;
    }
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_PARTITION, 0);
    eg_rng_shuffle(&rng, n, order);
}

size_t eg_chunk_begin(size_t n, size_t chunks, size_t c)
{
    size_t longer = n % chunks;
    return c * (n / chunks) + (c < longer ? c : longer);
}

size_t eg_chunk_share(size_t count, double fraction)
{
    return (size_t)floor(fraction * (double)count + 1e-9);
}
