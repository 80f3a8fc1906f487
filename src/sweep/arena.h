/** Inside the sweep room: memory for everything that lives while a plan is made, released
 *  together. */
#ifndef SWEEP_ARENA_H
#define SWEEP_ARENA_H

#include "engram/status.h"

#include <stddef.h>

typedef struct eg_arena {
    struct eg_arena_chunk *last; /**< owned; start with {0} */
} eg_arena;

/** `count` zeroed items of `size` bytes into *out. */
eg_status eg_arena_alloc(eg_arena *arena, void *out, size_t count, size_t size) EG_WARN_UNUSED;

/** Like eg_grow; the old block stays behind in the arena. */
eg_status eg_arena_grow(eg_arena *arena, void *block, size_t *capacity, size_t needed,
                        size_t size) EG_WARN_UNUSED;

/** `length` bytes of `text` and a NUL. */
eg_status eg_arena_copy(eg_arena *arena, const char **out, const char *text,
                        size_t length) EG_WARN_UNUSED;

/** `a` followed by `b` followed by `c`. */
eg_status eg_arena_join(eg_arena *arena, const char **out, const char *a, const char *b,
                        const char *c) EG_WARN_UNUSED;

void eg_arena_clear(eg_arena *arena);

#endif
