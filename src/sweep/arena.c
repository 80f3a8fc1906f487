/** An arena: chunks of doubling size, filled from the front. */
#include "sweep/arena.h"

#include "engram/memory.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, SLICE_ALIGNMENT = 16 };

struct eg_arena_chunk {
    struct eg_arena_chunk *before;
    size_t used, size;
    unsigned char *bytes;
};

static eg_status add_chunk(eg_arena *arena, size_t bytes)
{
    size_t size = arena->last == NULL ? FIRST_CHUNK : arena->last->size * 2;
    size = size > LARGEST_CHUNK ? LARGEST_CHUNK : size;
    size = size < bytes ? bytes : size;
    struct eg_arena_chunk *chunk = NULL;
    EG_TRY(eg_alloc(&chunk, 1, sizeof *chunk));
    eg_status status = eg_alloc(&chunk->bytes, size, 1);
    if (status.code != EG_OK) {
        eg_free(chunk);
        return status;
    }
    chunk->size = size;
    chunk->before = arena->last;
    arena->last = chunk;
    return eg_ok();
}

static eg_status take(eg_arena *arena, unsigned char **out, size_t count, size_t size)
{
    if (size != 0 && count > (SIZE_MAX / 2) / size) {
        return eg_fail_memory(SIZE_MAX);
    }
    size_t bytes = (count * size + SLICE_ALIGNMENT) / SLICE_ALIGNMENT * SLICE_ALIGNMENT;
    if (arena->last == NULL || arena->last->size - arena->last->used < bytes) {
        EG_TRY(add_chunk(arena, bytes));
    }
    *out = arena->last->bytes + arena->last->used;
    arena->last->used += bytes;
    return eg_ok();
}

eg_status eg_arena_alloc(eg_arena *arena, void *out, size_t count, size_t size)
{
    unsigned char *slice = NULL;
    EG_TRY(take(arena, &slice, count, size));
    void *block = slice;
    memcpy(out, &block, sizeof block); /* any pointer's address, within the aliasing rules */
    return eg_ok();
}

eg_status eg_arena_grow(eg_arena *arena, void *block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return eg_ok();
    }
    size_t wanted = *capacity * 2 > needed ? *capacity * 2 : needed;
    wanted = wanted < 4 ? 4 : wanted;
    unsigned char *slice = NULL;
    EG_TRY(take(arena, &slice, wanted, size));
    assert(slice != NULL);
    void *grown = slice;
    void *old = NULL;
    memcpy(&old, block, sizeof old);
    if (old != NULL) {
        memcpy(grown, old, *capacity * size);
    }
    memcpy(block, &grown, sizeof grown);
    *capacity = wanted;
    return eg_ok();
}

eg_status eg_arena_copy(eg_arena *arena, const char **out, const char *text, size_t length)
{
    unsigned char *copy = NULL;
    EG_TRY(take(arena, &copy, length + 1, 1));
    assert(copy != NULL);
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = (const char *)copy;
    return eg_ok();
}

eg_status eg_arena_join(eg_arena *arena, const char **out, const char *a, const char *b,
                        const char *c)
{
    size_t first = strlen(a);
    size_t second = strlen(b);
    size_t third = strlen(c);
    unsigned char *joined = NULL;
    EG_TRY(take(arena, &joined, first + second + third + 1, 1));
    assert(joined != NULL);
    memcpy(joined, a, first);
    memcpy(joined + first, b, second);
    memcpy(joined + first + second, c, third + 1);
    *out = (const char *)joined;
    return eg_ok();
}

void eg_arena_clear(eg_arena *arena)
{
    while (arena->last != NULL) {
        struct eg_arena_chunk *before = arena->last->before;
        eg_free(arena->last->bytes);
        eg_free(arena->last);
        arena->last = before;
    }
}
