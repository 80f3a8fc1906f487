/** Files that are read and written whole, with care for whatever may happen in between. `what`
 *  names the contents in messages: "the results file". */
#ifndef ENGRAM_FILE_H
#define ENGRAM_FILE_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Writes all of `data` at `offset`, however often the system interrupts or shortens it. Returns 0
 * or errno. */
int eg_write_fully(int fd, const void *data, size_t size, uint64_t offset);
/** Reads up to `size` bytes at `offset` (fewer at the end of the file); *got tells how many.
 * Returns 0 or errno. */
int eg_read_fully(int fd, void *data, size_t size, uint64_t offset, size_t *got);

/** Opens /dev/null as whichever of standard input, output and error is closed, so that no file gets
 *  its number and is written to by messages. Using one fails as it did. Returns 0 or errno. */
int eg_take_standard_descriptors(void);

/** Like open, ftruncate and fdatasync, begun again when a signal interrupts them. The first returns
 *  the descriptor, never one of the standard streams', or -1 with errno; the others 0 or errno.
 *  Opening a pipe or a device does not wait for anybody. */
int eg_open_file(const char *path, int flags);
/** Creates a file for reading and writing where there is none; links are not followed. What an
 *  interrupted earlier call left there, a file that is empty or begins like `start` [size], is
 *  removed first. Returns the descriptor or -1 with errno: EEXIST if something else is there, which
 *  is left alone. */
int eg_create_file(const char *path, const void *start, size_t size);
/** Locks the file against others that do so, under whatever name they opened it, until the
 *  descriptor is closed. Returns 0, EWOULDBLOCK if another one has it, or why this file system
 *  cannot tell. */
int eg_lock_file(int fd);
/** The same, but waits until nobody else has it. */
int eg_lock_file_in_turn(int fd);
/** Makes a lock that this process has from eg_lock_file visible to eg_has_lock, which takes none
 *  itself and so is in nobody's way. Where the file system knows no such locks, it is not seen. */
void eg_show_lock(int fd);
bool eg_has_lock(int fd);
/** Gives a file another name, at which nothing may be: 0 or errno, EEXIST if something is. Where
 *  the file system knows neither renaming without replacing nor links, the name is looked at just
 *  before. */
int eg_rename_new(const char *from, const char *to);
/** The file at `path` is the one behind the descriptor: nobody removed or replaced it. */
bool eg_is_same_file(int fd, const char *path);
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
 *  temporary name (`path`.`suffix`, or one with a number behind that if this belongs to somebody),
 *  fsync, rename, fsync of the directory. On failure the temporary file is removed. An old file
 *  keeps its mode. Where `path` is a symbolic link, the file behind it is replaced, if that begins
 *  like the new one. Errors: EG_SYSTEM, EG_MEMORY. */
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
