/** Where each pair of neighbours stands in a text, for byte pairs, which are merged again and
 *  again. */
#ifndef DATA_PAIR_OCCURRENCES_H
#define DATA_PAIR_OCCURRENCES_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** One pair and the list of its places. */
typedef struct eg_pair_entry {
    uint64_t key; /**< eg_pair_key; 0: no entry */
    size_t times; /**< places in the list */
    size_t first, last;
} eg_pair_entry;

/** A place stands in the list of one pair at most: that which begins there. Begins zero. */
typedef struct eg_pair_occurrences {
    size_t slots; /**< a power of 2 */
    size_t used;
    eg_pair_entry *entry;  /**< [slots], with open addressing */
    size_t *next, *before; /**< [places] in the list of the pair that begins there */
} eg_pair_occurrences;

/** Ordered as pairs are: by the left symbol, then by the right one. */
static inline uint64_t eg_pair_key(uint32_t left, uint32_t right)
{
    return ((uint64_t)left + 1) << 32 | right;
}

static inline uint32_t eg_pair_left(uint64_t key)
{
    return (uint32_t)(key >> 32) - 1;
}

static inline uint32_t eg_pair_right(uint64_t key)
{
    return (uint32_t)key;
}

/** For a text of `places` symbols. Errors: EG_MEMORY, and cleared. */
eg_status eg_pair_occurrences_make(eg_pair_occurrences *out, size_t places) EG_WARN_UNUSED;

void eg_pair_occurrences_clear(eg_pair_occurrences *occurrences);

/** Room for `more` other pairs; those that stand nowhere are forgotten. Errors: EG_MEMORY, and
 *  nothing changes. */
eg_status eg_pair_occurrences_reserve(eg_pair_occurrences *occurrences, size_t more) EG_WARN_UNUSED;

/** The entry of a pair, with times = 0 where it never stood. There is room for one more. */
eg_pair_entry *eg_pair_occurrences_of(const eg_pair_occurrences *occurrences, uint64_t key);

/** Puts a place at the end of the pair's list; there is room. Returns how often the pair stands. */
size_t eg_pair_occurrences_add(eg_pair_occurrences *occurrences, uint64_t key, size_t place);

/** Takes a place out of the list of its pair. */
void eg_pair_occurrences_remove(eg_pair_occurrences *occurrences, uint64_t key, size_t place);

#endif
