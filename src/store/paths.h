/** The files of a sweep: NAME.h5, NAME.journal and NAME.lock. */
#ifndef ENGRAM_STORE_PATHS_H
#define ENGRAM_STORE_PATHS_H

#include "engram/status.h"

typedef struct eg_paths {
    char *file;      /**< NAME.h5 */
    char *journal;   /**< NAME.journal */
    char *lock;      /**< NAME.lock */
    char *directory; /**< that holds them */
} eg_paths;

/** From what eg_store_file says. Errors: EG_INVALID for other names. */
eg_status eg_paths_init(eg_paths *out, const char *path) EG_WARN_UNUSED;
void eg_paths_clear(eg_paths *paths);

/** EG_INVALID unless results can be written there: the directory exists and is one, the names are
 * not taken by directories or devices. */
eg_status eg_paths_check(const eg_paths *paths) EG_WARN_UNUSED;

/** EG_INVALID unless this process may write there. */
eg_status eg_paths_check_writable(const eg_paths *paths) EG_WARN_UNUSED;

typedef enum eg_path_kind { EG_PATH_NONE, EG_PATH_FILE, EG_PATH_OTHER } eg_path_kind;
/** What is at `path`. Errors: EG_SYSTEM if that cannot be found out. */
eg_status eg_path_look(const char *path, eg_path_kind *out) EG_WARN_UNUSED;

#endif
