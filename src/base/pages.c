/** Pages of memory from the operating system; see base/pages.h. */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "base/pages.h"

#include <stdint.h>

#if defined(__linux__)

#include <sys/mman.h>

void eg_pages_enlarge(void *block, size_t bytes)
{
    char *start = block;
    const size_t before =
        (EG_LARGE_PAGE - (uintptr_t)start % EG_LARGE_PAGE) % EG_LARGE_PAGE; /* of the first page */
    if (bytes >= before + EG_LARGE_PAGE) {
        (void)madvise(start + before, (bytes - before) / EG_LARGE_PAGE * EG_LARGE_PAGE,
                      MADV_HUGEPAGE);
    }
}

#else

void eg_pages_enlarge(void *block, size_t bytes)
{
    (void)block, (void)bytes;
}

#endif
