/** A reservoir: a uniform sample, without replacement, of all examples offered so far, in fixed
 *  memory. Source: Vitter 1985, "Random sampling with a reservoir", algorithm R. */
#ifndef ENGRAM_LEARNER_RESERVOIR_H
#define ENGRAM_LEARNER_RESERVOIR_H

#include "engram/pack.h"
#include "engram/random.h"
#include "engram/real.h"
#include "engram/status.h"

typedef struct eg_reservoir {
    size_t capacity, features;
    uint64_t seen;   /**< examples offered */
    eg_real *x;      /**< [capacity, features] */
    uint32_t *label; /**< [capacity] */
} eg_reservoir;

/** An empty one. On failure the caller still closes it. */
eg_status eg_reservoir_init(eg_reservoir *reservoir, size_t capacity,
                            size_t features) EG_WARN_UNUSED;
void eg_reservoir_clear(eg_reservoir *reservoir);
/** Examples it holds. */
size_t eg_reservoir_count(const eg_reservoir *reservoir);

/** Offers x [features]: kept while there is room, then with probability capacity/seen in place of a
 * random one. Draws at most once from rng. */
void eg_reservoir_offer(eg_reservoir *reservoir, eg_rng *rng, const eg_real *x, uint32_t label);
/** The number of a random one, each equally likely; the reservoir must not be empty. */
size_t eg_reservoir_draw(const eg_reservoir *reservoir, eg_rng *rng);

void eg_reservoir_write(const eg_reservoir *reservoir, eg_writer *writer);
/** EG_INVALID also for a label that is not below `classes`. */
eg_status eg_reservoir_read(eg_reservoir *reservoir, size_t classes,
                            eg_reader *reader) EG_WARN_UNUSED;

#endif
