/** Text pool and id index; see store/string_pool.h. Open addressing with linear probing, at most
 *  half full. */
#include "store/string_pool.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <string.h>

enum { BLOCK_SIZE = 1 << 16, FIRST_CAPACITY = 64 };

void eg_index_clear(eg_index *index)
{
    eg_free(index->keys);
    eg_free(index->values);
    *index = (eg_index){0};
}

/** The slot that holds `key`, or the free one where it belongs. */
static size_t slot_of(const eg_index *index, uint64_t key)
{
    /* Ids are hashes already; the multiplication spreads those of tests and damaged files. */
    size_t slot = (size_t)(key * 0x9E3779B97F4A7C15u >> 16) & (index->capacity - 1);
    while (index->values[slot] != 0 && index->keys[slot] != key) {
        slot = (slot + 1) & (index->capacity - 1);
    }
    return slot;
}

static eg_status grow_index(eg_index *index)
{
    eg_index grown = {.capacity = index->capacity == 0 ? FIRST_CAPACITY : index->capacity * 2,
                      .count = index->count};
    eg_status status = eg_alloc(&grown.keys, grown.capacity, sizeof *grown.keys);
    eg_status_keep(&status, eg_alloc(&grown.values, grown.capacity, sizeof *grown.values));
    if (status.code != EG_OK) {
        eg_index_clear(&grown);
        return status;
    }
    for (size_t i = 0; i < index->capacity; i++) {
        if (index->values[i] != 0) {
            size_t slot = slot_of(&grown, index->keys[i]);
            grown.keys[slot] = index->keys[i];
            grown.values[slot] = index->values[i];
        }
    }
    eg_index_clear(index);
    *index = grown;
    return eg_ok();
}

eg_status eg_index_put(eg_index *index, uint64_t key, size_t value)
{
    if (index->count * 2 >= index->capacity) {
        EG_TRY(grow_index(index));
    }
    size_t slot = slot_of(index, key);
    index->count += index->values[slot] == 0 ? 1 : 0;
    index->keys[slot] = key;
    index->values[slot] = value + 1;
    return eg_ok();
}

size_t eg_index_get(const eg_index *index, uint64_t key)
{
    /* A free slot holds 0, and 0 - 1 is SIZE_MAX. */
    return index->capacity == 0 ? SIZE_MAX : index->values[slot_of(index, key)] - 1;
}

void eg_string_pool_clear(eg_string_pool *pool)
{
    for (size_t i = 0; i < pool->block_count; i++) {
        eg_free(pool->blocks[i]);
    }
    eg_free(pool->blocks);
    eg_free(pool->texts);
    eg_index_clear(&pool->index);
    *pool = (eg_string_pool){0};
}

static eg_status take(eg_string_pool *pool, char **out, size_t size)
{
    if (pool->block_count == 0 || size > pool->room - pool->used) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        EG_TRY(eg_grow(&pool->blocks, &pool->block_capacity, pool->block_count + 1,
                       sizeof *pool->blocks));
        EG_TRY(eg_alloc(&pool->blocks[pool->block_count], room, 1));
        pool->block_count++;
        pool->used = 0;
        pool->room = room;
    }
    *out = pool->blocks[pool->block_count - 1] + pool->used;
    pool->used += size;
    return eg_ok();
}

eg_status eg_string_pool_add(eg_string_pool *pool, char **out, const char *text)
{
    *out = NULL;
    size_t size = strlen(text) + 1;
    uint64_t hash = eg_hash64(text, size);
    size_t found = eg_index_get(&pool->index, hash);
    if (found != SIZE_MAX && strcmp(pool->texts[found], text) == 0) {
        *out = pool->texts[found];
        return eg_ok();
    }
    char *copy = NULL;
    EG_TRY(take(pool, &copy, size));
    memcpy(copy, text, size);
    if (found == SIZE_MAX) { /* two texts of one hash: the second is simply not shared */
        EG_TRY(
            eg_grow(&pool->texts, &pool->text_capacity, pool->text_count + 1, sizeof *pool->texts));
        EG_TRY(eg_index_put(&pool->index, hash, pool->text_count));
        pool->texts[pool->text_count++] = copy;
    }
    *out = copy;
    return eg_ok();
}
