/** Files that are read and written whole, with care for whatever may happen in between. `what` names the
 *  contents in messages: "the results file". */
#ifndef ENGRAM_FILE_H
#define ENGRAM_FILE_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** Writes all of `data` at `offset`, however often the system interrupts or shortens it. Returns 0
 * or errno. */
int eg_write_fully(int fd, const void *data, size_t size, uint64_t offset);
/** Reads up to `size` bytes at `offset` (fewer at the end of the file); *got tells how many.
 * Returns 0 or errno. */
int eg_read_fully(int fd, void *data, size_t size, uint64_t offset, size_t *got);

/** Like open, ftruncate and fdatasync, begun again when a signal interrupts them. The first returns the
 * descriptor, or -1 with errno; the others 0 or errno. Opening a pipe or a device does not wait for anybody. */
int eg_open_file(const char *path, int flags);
int eg_truncate_file(int fd, uint64_t size);
int eg_sync_data(int fd);

/** Makes names created in `directory` survive a power failure. */
eg_status eg_sync_directory(const char *directory) EG_WARN_UNUSED;

/** A stretch of what is written. */
typedef struct eg_file_part {
    const void *data;
    size_t size;
} eg_file_part;

/** Replaces the file `path` by `data` so that a reader sees the old file or the new one, whole:
 *  temporary name (`path`.`suffix`), fsync, rename, fsync of the directory. On failure the temporary
 *  file is removed. Errors: EG_SYSTEM, EG_MEMORY. */
eg_status eg_replace_file(const char *path, const char *suffix, const void *data, size_t size,
                          const char *what) EG_WARN_UNUSED;

/** The same for a file of several parts, one behind the other. */
eg_status eg_replace_file_parts(const char *path, const char *suffix, const eg_file_part *parts,
                                size_t count, const char *what) EG_WARN_UNUSED;

/** The whole file in *out (eg_free), *size bytes; NULL if there is none. Errors: EG_SYSTEM if it is
 *  there and cannot be read, EG_INVALID if it is no regular file, EG_MEMORY. */
eg_status eg_load_file(unsigned char **out, size_t *size, const char *path,
                       const char *what) EG_WARN_UNUSED;

#endif
