/** Asking for memory before it is needed, so that fetching overlaps with arithmetic. */
#ifndef ENGRAM_MATH_PREFETCH_H
#define ENGRAM_MATH_PREFETCH_H

#include "engram/memory.h"

#include <stddef.h>

/** Asks for `bytes` bytes from x on, which will soon be read and written, into the second-level
 *  cache. */
static inline void eg_prefetch(const void *x, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += EG_ALIGNMENT) {
        __builtin_prefetch((const char *)x + i, 1, 2);
    }
}

#endif
