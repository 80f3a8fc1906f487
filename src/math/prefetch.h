/** Asking for memory before it is needed, so that fetching overlaps with arithmetic. */
#ifndef ENGRAM_MATH_PREFETCH_H
#define ENGRAM_MATH_PREFETCH_H

#include "engram/memory.h"
#include "engram/real.h"

#include <stddef.h>

/** Asks for x[0] … x[n-1], which will soon be read and written, into the second-level cache. */
static inline void eg_prefetch(const eg_real *x, size_t n)
{
    const size_t line = EG_ALIGNMENT / sizeof *x;
    for (size_t i = 0; i < n; i += line) {
        __builtin_prefetch(x + i, 1, 2);
    }
}

#endif
