/** What only Linux knows of files: renaming without replacing, locks that can be looked at. See
 *  engram/file.h. */
#define _GNU_SOURCE /* renameat2, F_OFD_SETLK */

#include "engram/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_unknown(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EPERM ||
           error == EMLINK;
}

int eg_rename_new(const char *from, const char *to)
{
    struct stat info;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (!is_unknown(errno)) {
        return errno;
    }
    if (link(from, to) == 0) {
        return unlink(from) == 0 ? 0 : errno;
    }
    if (!is_unknown(errno)) {
        return errno;
    }
    if (lstat(to, &info) == 0) {
        return EEXIST;
    }
    return rename(from, to) == 0 ? 0 : errno;
}

/** The whole file, for writing. */
static struct flock whole(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

void eg_show_lock(int fd)
{
    struct flock lock = whole();
    (void)fcntl(fd, F_OFD_SETLK, &lock);
}

bool eg_has_lock(int fd)
{
    struct flock lock = whole();
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
