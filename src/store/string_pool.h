/** Texts kept once, and numbers found by id: what keeps a hundred thousand trials small in memory.
 */
#ifndef ENGRAM_STORE_STRING_POOL_H
#define ENGRAM_STORE_STRING_POOL_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** A map from 64-bit ids to indices. Start with {0}. */
typedef struct eg_index {
    uint64_t *keys;
    size_t *values; /**< value + 1; 0: the slot is free */
    size_t capacity, count;
} eg_index;

void eg_index_clear(eg_index *index);
/** Adds `key`, or changes its value. */
eg_status eg_index_put(eg_index *index, uint64_t key, size_t value) EG_WARN_UNUSED;
/** SIZE_MAX if there is no such key. */
size_t eg_index_get(const eg_index *index, uint64_t key);

/** Texts that live as long as the pool, equal ones once. Start with {0}. */
typedef struct eg_string_pool {
    char **blocks;
    size_t block_count, block_capacity;
    size_t used, room; /**< in the last block */
    char **texts;
    size_t text_count, text_capacity;
    eg_index index; /**< hash of a text -> place in texts */
} eg_string_pool;

void eg_string_pool_clear(eg_string_pool *pool);
/** The pool's copy of `text`; callers must not change it. */
eg_status eg_string_pool_add(eg_string_pool *pool, char **out, const char *text) EG_WARN_UNUSED;

#endif
