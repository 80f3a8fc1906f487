/** A file of bytes to read from its beginning, plain or gzip whatever its name. */
#ifndef DATA_BYTE_SOURCE_H
#define DATA_BYTE_SOURCE_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <zlib.h>

typedef struct eg_byte_source {
    const char *path; /**< borrowed */
    gzFile file;
    size_t file_size; /**< bytes on disk */
    bool plain;       /**< not compressed: file_size is the size of the data */
} eg_byte_source;

/** Opens a regular file. Errors: EG_INVALID naming the file, with what it should be in `expected`
 *  ("an IDX file"); EG_MEMORY. Close it with eg_byte_source_close. */
eg_status eg_byte_source_open(eg_byte_source *self, const char *path,
                              const char *expected) EG_WARN_UNUSED;
void eg_byte_source_close(eg_byte_source *self);

/** Reads up to `size` bytes; *got is less only at the end of the data. Errors name the file: not
 *  readable, truncated or corrupt gzip data. */
eg_status eg_byte_source_read(eg_byte_source *self, void *out, size_t size,
                              size_t *got) EG_WARN_UNUSED;

#endif
