/** Arrays between guard pages; see plugin/conform.h. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "plugin/conform.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xa5 };

eg_status eg_guarded_create(eg_guarded *out, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t inside = (bytes / page + 1) * page; /* at least one byte before the array */
    size_t size = inside + 2 * page;
    *out = (eg_guarded){0};
    void *pages = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return eg_fail_memory(size);
    }
    unsigned char *start = (unsigned char *)pages + page;
    if (mprotect(start, inside, PROT_READ | PROT_WRITE) != 0) {
        (void)munmap(pages, size);
        return eg_fail_memory(size);
    }
    memset(start, CANARY, inside - bytes);
    *out = (eg_guarded){
        .data = start + inside - bytes, .bytes = bytes, .pages = pages, .page = page, .size = size};
    return eg_ok();
}

void eg_guarded_free(eg_guarded *array)
{
    if (array->pages != NULL) {
        (void)munmap(array->pages, array->size);
    }
    *array = (eg_guarded){0};
}

bool eg_guarded_is_intact(const eg_guarded *array)
{
    const unsigned char *end = array->data;
    for (const unsigned char *at = array->pages + array->page; at < end; at++) {
        if (*at != CANARY) {
            return false;
        }
    }
    return true;
}
