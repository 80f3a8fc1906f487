/** The files of a sweep, NAME.h5, NAME.journal and NAME.lock, and careful writing. */
#ifndef ENGRAM_STORE_PATHS_H
#define ENGRAM_STORE_PATHS_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

typedef struct eg_paths {
    char *file;      /**< NAME.h5 */
    char *journal;   /**< NAME.journal */
    char *lock;      /**< NAME.lock */
    char *directory; /**< that holds them */
} eg_paths;

/** From NAME.h5 or NAME.journal. Errors: EG_INVALID for other names. */
eg_status eg_paths_make(eg_paths *out, const char *path) EG_WARN_UNUSED;
void eg_paths_clear(eg_paths *paths);

/** EG_INVALID unless results can be written there: the directory exists and is one, the names are
 * not taken by directories or devices. */
eg_status eg_paths_check(const eg_paths *paths) EG_WARN_UNUSED;

typedef enum eg_path_kind { EG_PATH_NONE, EG_PATH_FILE, EG_PATH_OTHER } eg_path_kind;
/** What is at `path`. Errors: EG_SYSTEM if that cannot be found out. */
eg_status eg_path_look(const char *path, eg_path_kind *out) EG_WARN_UNUSED;

/** Writes all of `data` at `offset`, however often the system interrupts or shortens it. Returns 0
 * or errno. */
int eg_write_fully(int fd, const void *data, size_t size, uint64_t offset);
/** Reads up to `size` bytes at `offset` (fewer at the end of the file); *got tells how many.
 * Returns 0 or errno. */
int eg_read_fully(int fd, void *data, size_t size, uint64_t offset, size_t *got);

/** Makes names created in `directory` survive a power failure. */
eg_status eg_sync_directory(const char *directory) EG_WARN_UNUSED;

/** Replaces NAME.h5 by `data` so that a reader sees the old file or the new one, whole: temporary
 * name ("NAME.h5.SUFFIX"), fsync, rename, fsync of the directory. On failure the temporary file is
 * removed. */
eg_status eg_replace_file(const eg_paths *paths, const char *suffix, const void *data,
                          size_t size) EG_WARN_UNUSED;

#endif
