/** Memory for numbers: aligned to cache lines, checked sizes, one place to make allocation fail in
 * tests. */
#ifndef ENGRAM_MEMORY_H
#define ENGRAM_MEMORY_H

#include "engram/status.h"

#include <stddef.h>

enum { EG_ALIGNMENT = 64 /**< bytes; one cache line, one AVX-512 register */ };

/** Allocates count*size zeroed bytes aligned to EG_ALIGNMENT into *out (a pointer's address).
 *  count*size == 0 gives a valid pointer that may not be read. On failure *out is NULL.
 *  Errors: EG_MEMORY. Release with eg_free. */
eg_status eg_alloc(void *out, size_t count, size_t size) EG_WARN_UNUSED;

/** The same without the zeros, for arrays that are written before they are read: large ones take no
 *  memory before that. */
eg_status eg_alloc_unset(void *out, size_t count, size_t size) EG_WARN_UNUSED;

/** Grows *block (from eg_alloc, or NULL) so that it holds at least `needed` elements of `size`
 * bytes; *capacity counts elements and grows geometrically. Contents are kept, new bytes are zero.
 */
eg_status eg_grow(void *block, size_t *capacity, size_t needed, size_t size) EG_WARN_UNUSED;

/** Releases memory from eg_alloc, eg_alloc_unset, eg_grow, eg_strdup; NULL is accepted. */
void eg_free(void *block);

/** A copy of `text` in *out. Errors: EG_MEMORY. */
eg_status eg_strdup(char **out, const char *text) EG_WARN_UNUSED;

/** A formatted string in *out, any length. Errors: EG_MEMORY. */
eg_status eg_format(char **out, const char *format, ...) EG_WARN_UNUSED EG_PRINTF(2, 3);

/** For tests: the n-th allocation from now on fails (1 = the next one); 0 switches it off. */
void eg_memory_fail_after(size_t n);

/** For tests: blocks allocated and not yet released. */
size_t eg_memory_live_blocks(void);

#endif
