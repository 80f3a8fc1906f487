/** Algorithm R over rows of numbers; see learner/reservoir.h. */
#include "learner/reservoir.h"

#include "engram/memory.h"

#include <assert.h>
#include <string.h>

eg_status eg_reservoir_init(eg_reservoir *reservoir, size_t capacity, size_t features)
{
    *reservoir = (eg_reservoir){.capacity = capacity, .features = features};
    EG_TRY(eg_alloc(&reservoir->x, capacity, features * sizeof *reservoir->x));
    return eg_alloc(&reservoir->label, capacity, sizeof *reservoir->label);
}

void eg_reservoir_clear(eg_reservoir *reservoir)
{
    eg_free(reservoir->x);
    eg_free(reservoir->label);
}

size_t eg_reservoir_count(const eg_reservoir *reservoir)
{
    return reservoir->seen < reservoir->capacity ? (size_t)reservoir->seen : reservoir->capacity;
}

void eg_reservoir_offer(eg_reservoir *reservoir, eg_rng *rng, const eg_real *x, uint32_t label)
{
    uint64_t place = reservoir->seen++;
    if (place >= reservoir->capacity) {
        place = (uint64_t)(eg_rng_uniform(rng) * (double)reservoir->seen);
    }
    if (place < reservoir->capacity) {
        memcpy(reservoir->x + place * reservoir->features, x, reservoir->features * sizeof *x);
        reservoir->label[place] = label;
    }
}

size_t eg_reservoir_draw(const eg_reservoir *reservoir, eg_rng *rng)
{
    assert(reservoir->seen > 0);
    return eg_rng_below(rng, (uint32_t)eg_reservoir_count(reservoir));
}

void eg_reservoir_write(const eg_reservoir *reservoir, eg_writer *writer)
{
    size_t count = eg_reservoir_count(reservoir);
    eg_write_u64(writer, reservoir->seen);
    eg_write_reals(writer, count * reservoir->features, reservoir->x);
    for (size_t i = 0; i < count; i++) {
        eg_write_u32(writer, reservoir->label[i]);
    }
}

eg_status eg_reservoir_read(eg_reservoir *reservoir, size_t classes, eg_reader *reader)
{
    reservoir->seen = eg_read_u64(reader);
    size_t count = eg_reservoir_count(reservoir);
    EG_TRY(eg_read_reals(reader, count * reservoir->features, reservoir->x, "replay memory"));
    for (size_t i = 0; i < count; i++) {
        reservoir->label[i] = eg_read_u32(reader);
        if (reservoir->label[i] >= classes) {
            return eg_fail(EG_INVALID, "saved replay memory: label %u, expected 0 to %zu",
                           (unsigned)reservoir->label[i], classes - 1);
        }
    }
    return eg_reader_status(reader, false);
}
