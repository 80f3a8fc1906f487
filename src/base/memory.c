/** Aligned allocation with checked sizes; see engram/memory.h. */
#include "engram/memory.h"

#include "base/pages.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Test instruments, not program state: a countdown to an injected failure and a balance of blocks.
 * Atomic because rank 0 runs a scheduler thread beside a compute thread. */
static atomic_size_t fail_countdown;
static atomic_size_t live_blocks;

static bool must_fail(void)
{
    size_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    if (left == 0) {
        return false;
    }
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

void eg_memory_fail_after(size_t n)
{
    atomic_store(&fail_countdown, n);
}

size_t eg_memory_live_blocks(void)
{
    return atomic_load(&live_blocks);
}

/* Arrays of images are gone through from end to end in every minibatch: they stand in large pages
 * where there are some, which cost the processor fewer look-ups and the system fewer faults. */
static void *allocate(size_t bytes, bool zeroed)
{
    if (must_fail() || bytes > SIZE_MAX - EG_ALIGNMENT) {
        return NULL;
    }
    size_t rounded = (bytes + EG_ALIGNMENT) / EG_ALIGNMENT * EG_ALIGNMENT;
    void *block = NULL;
    if (posix_memalign(&block, rounded < EG_LARGE_PAGE ? EG_ALIGNMENT : EG_LARGE_PAGE, rounded) !=
        0) {
        return NULL;
    }
    eg_pages_enlarge(block, rounded);
    if (zeroed) {
        memset(block, 0, rounded);
    }
    atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
    return block;
}

/* The address of any object pointer, seen as void **: memcpy keeps it within the aliasing rules. */
static void store_pointer(void *out, void *value)
{
    memcpy(out, &value, sizeof value);
}

static eg_status allocate_items(void *out, size_t count, size_t size, bool zeroed)
{
    store_pointer(out, NULL);
    if (size != 0 && count > SIZE_MAX / size) {
        return eg_fail(EG_MEMORY, "out of memory: %zu items of %zu bytes exceed the address space",
                       count, size);
    }
    void *block = allocate(count * size, zeroed);
    if (block == NULL) {
        return eg_fail_memory(count * size);
    }
    store_pointer(out, block);
    return eg_ok();
}

eg_status eg_alloc(void *out, size_t count, size_t size)
{
    return allocate_items(out, count, size, true);
}

eg_status eg_alloc_unset(void *out, size_t count, size_t size)
{
    return allocate_items(out, count, size, false);
}

eg_status eg_grow(void *block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) {
        return eg_ok();
    }
    size_t wanted = *capacity < SIZE_MAX / 2 && *capacity * 2 > needed ? *capacity * 2 : needed;
    if (wanted < 8) {
        wanted = 8;
    }
    void *grown = NULL;
    EG_TRY(eg_alloc(&grown, wanted, size));
    void *old = NULL;
    memcpy(&old, block, sizeof old);
    if (old != NULL) {
        memcpy(grown, old, *capacity * size);
        eg_free(old);
    }
    store_pointer(block, grown);
    *capacity = wanted;
    return eg_ok();
}

void eg_free(void *block)
{
    if (block != NULL) {
        atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
        free(block);
    }
}

eg_status eg_strdup(char **out, const char *text)
{
    size_t size = strlen(text) + 1;
    EG_TRY(eg_alloc(out, size, 1));
    memcpy(*out, text, size);
    return eg_ok();
}

eg_status eg_format(char **out, const char *format, ...)
{
    *out = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return eg_fail(EG_INTERNAL, "cannot format \"%s\"", format);
    }
    EG_TRY(eg_alloc(out, (size_t)length + 1, 1));
    va_start(arguments, format);
    (void)vsnprintf(*out, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return eg_ok();
}
