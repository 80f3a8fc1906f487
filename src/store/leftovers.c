/** What killed processes left; see store/leftovers.h. */
#include "store/leftovers.h"

#include "engram/memory.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OLD_SECONDS = 600, DIGITS_MAX = 9 };

/** The process that `name` belongs to if it is BASE.PID.tmp, else 0. */
static pid_t owner_of(const char *name, const char *base)
{
    size_t length = strlen(base);
    if (strncmp(name, base, length) != 0 || name[length] != '.') {
        return 0;
    }
    const char *number = name + length + 1;
    size_t digits = strspn(number, "0123456789");
    bool ours = digits > 0 && digits <= DIGITS_MAX && strcmp(number + digits, ".tmp") == 0;
    return ours ? (pid_t)strtol(number, NULL, 10) : 0;
}

static void remove_if_left(const char *directory, const char *name, pid_t owner)
{
    char *path = NULL;
    struct stat info;
    eg_status status = eg_format(&path, "%s/%s", directory, name);
    bool gone = kill(owner, 0) != 0 && errno == ESRCH;
    if (status.code == EG_OK && gone && lstat(path, &info) == 0 && S_ISREG(info.st_mode) &&
        time(NULL) - info.st_mtime > OLD_SECONDS) {
        (void)unlink(path);
    }
    eg_free(path);
}

void eg_remove_leftovers(const eg_paths *paths)
{
    const char *slash = strrchr(paths->file, '/');
    const char *base = slash == NULL ? paths->file : slash + 1;
    DIR *directory = opendir(paths->directory);
    if (directory == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        pid_t owner = owner_of(entry->d_name, base);
        if (owner > 0) {
            remove_if_left(paths->directory, entry->d_name, owner);
        }
    }
    (void)closedir(directory);
}
