/** Pages of memory from the operating system. */
#ifndef ENGRAM_BASE_PAGES_H
#define ENGRAM_BASE_PAGES_H

#include <stddef.h>

enum { EG_LARGE_PAGE = 2 * 1024 * 1024 /**< bytes; of x86-64 and most others */ };

/** Asks for large pages for the whole ones inside of a block, before it is written. Where there are
 *  none nothing changes. */
void eg_pages_enlarge(void *block, size_t bytes);

#endif
