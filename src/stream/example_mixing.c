/** Blurred tasks and gradual changes; see stream/example_mixing.h. */
#include "stream/example_mixing.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/** Examples that leave group g. */
static size_t leaving(const eg_example_list *list, size_t g, double share)
{
    return (size_t)floor(share * (double)eg_example_list_count(list, g) + 0.5);
}

/** Where the i-th example that leaves group g goes. */
static size_t target(size_t g, size_t i, size_t groups)
{
    return (g + 1 + i % (groups - 1)) % groups;
}

eg_status eg_example_list_blur(eg_example_list *list, size_t groups, double share, uint64_t seed)
{
    size_t count = list->begin[groups];
    uint32_t *mixed = NULL;
    size_t *at = NULL; /* [groups + 1] begin of each group, then its end so far */
    if (groups < 2 || share <= 0) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&mixed, count, sizeof *mixed));
    eg_status status = eg_alloc(&at, groups + 1, sizeof *at);
    if (status.code != EG_OK) {
        eg_free(mixed);
        return status;
    }
    for (size_t g = 0; g < groups; g++) {
        size_t moved = leaving(list, g, share);
        at[g + 1] += eg_example_list_count(list, g) - moved;
        for (size_t i = 0; i < moved; i++) {
            at[target(g, i, groups) + 1]++;
        }
    }
    for (size_t g = 0; g < groups; g++) {
        at[g + 1] += at[g];
    }
    for (size_t g = 0; g < groups; g++) {
        size_t own = eg_example_list_count(list, g);
        size_t moved = leaving(list, g, share);
        uint32_t *index = list->index + list->begin[g];
        eg_rng rng = eg_rng_make(seed, EG_PURPOSE_BLUR, g);
        eg_rng_shuffle(&rng, own, index);
        for (size_t i = 0; i < own; i++) {
            mixed[at[i < moved ? target(g, i, groups) : g]++] = index[i];
        }
    }
    memcpy(list->index, mixed, count * sizeof *mixed);
    memcpy(list->begin + 1, at, groups * sizeof *at); /* where each one ended */
    for (size_t g = 0; g < groups; g++) {
        qsort(list->index + list->begin[g], eg_example_list_count(list, g), sizeof *list->index,
              by_number);
    }
    eg_free(at);
    eg_free(mixed);
    return eg_ok();
}

typedef struct arrival {
    double time;
    uint32_t number;
} arrival;

static int by_time(const void *a, const void *b)
{
    const arrival *x = a;
    const arrival *y = b;
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return by_number(&x->number, &y->number);
}

static double time_of(eg_rng *rng, double mean, double deviation)
{
    double time = -1;
    while (time < 0 || time >= 1) {
        time = mean + deviation * eg_rng_normal(rng);
    }
    return time;
}

/** One epoch into out [examples]; room [examples]. */
static void draw_epoch(const eg_example_list *list, size_t groups, double spread, size_t epoch,
                       uint64_t seed, arrival *room, uint32_t *out)
{
    size_t examples = list->begin[groups];
    const eg_rng made = eg_rng_make(seed, EG_PURPOSE_ARRIVAL, 0);
    for (size_t g = 0; g < groups; g++) {
        double mean = ((double)g + 0.5) / (double)groups;
        for (size_t i = list->begin[g]; i < list->begin[g + 1]; i++) {
            eg_rng rng = eg_rng_at(&made, epoch * examples + i);
            room[i] = (arrival){.time = time_of(&rng, mean, spread / (double)groups),
                                .number = list->index[i]};
        }
    }
    qsort(room, examples, sizeof *room, by_time);
    for (size_t i = 0; i < examples; i++) {
        out[i] = room[i].number;
    }
}

eg_status eg_example_list_arrive(eg_order_file *out, const eg_example_list *list, size_t groups,
                                 double spread, size_t batch, size_t epochs, uint64_t seed)
{
    size_t examples = list->begin[groups];
    size_t steps = (examples + batch - 1) / batch;
    arrival *room = NULL;
    *out = (eg_order_file){
        .batches = steps * epochs, .phases = 1, .largest = batch < examples ? batch : examples};
    EG_TRY(eg_alloc(&out->number, examples * epochs, sizeof *out->number));
    EG_TRY(eg_alloc(&out->begin, out->batches + 1, sizeof *out->begin));
    EG_TRY(eg_alloc(&out->phase, 2, sizeof *out->phase));
    EG_TRY(eg_alloc(&room, examples, sizeof *room));
    out->phase[1] = out->batches;
    for (size_t epoch = 0; epoch < epochs; epoch++) {
        draw_epoch(list, groups, spread, epoch, seed, room, out->number + epoch * examples);
        for (size_t s = 0; s < steps; s++) {
            out->begin[epoch * steps + s] = epoch * examples + s * batch;
        }
    }
    out->begin[out->batches] = examples * epochs;
    eg_free(room);
    return eg_ok();
}
