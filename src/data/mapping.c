/** Files in memory; see data/mapping.h. */
#include "data/mapping.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void eg_mapping_clear(eg_mapping *mapping)
{
    if (mapping->address != NULL) {
        (void)munmap(mapping->address, mapping->size);
    }
    *mapping = (eg_mapping){.address = NULL};
}

static eg_status map_file(eg_mapping *out, int file, const char *path, size_t size, int protection)
{
    void *address = mmap(NULL, size, protection, MAP_SHARED, file, 0);
    if (address == MAP_FAILED) {
        return eg_fail_errno(errno, "%s: cannot be mapped into memory", path);
    }
    *out = (eg_mapping){.address = address, .size = size};
    return eg_ok();
}

eg_status eg_mapping_open(eg_mapping *out, const char *path, size_t size)
{
    int file = eg_open_file(path, O_RDONLY);
    if (file < 0) {
        return eg_fail(EG_INVALID, "%s: cannot be read: %s", path, strerror(errno));
    }
    eg_status status = map_file(out, file, path, size, PROT_READ);
    (void)close(file);
    return status;
}

/** --- Bytes that are made once on a node ------------------------------------------------------ */

/* The file is a page that says what is in it, written last, and the bytes. */
enum { PAGE = 4096 };

typedef struct head {
    char magic[16];
    uint64_t key, size;
} head;

static const char magic[16] = "engram bytes 01";
static const time_t forgotten_after = 86400; /* seconds: a day */

typedef struct shared {
    char *path;
    int file;
    uint64_t key;
    size_t size;
} shared;

/* "DIRECTORY/engram-UID-", or only the name. */
static eg_status stem(char **out, const char *directory)
{
    return eg_format(out, "%s%sengram-%ju-", directory, directory[0] == '\0' ? "" : "/",
                     (uintmax_t)geteuid());
}

static const char *directory_name(void)
{
    const char *directory = getenv("TMPDIR");
    return directory != NULL && directory[0] != '\0' ? directory : "/tmp";
}

/* In a folder that everybody may write to, somebody else may have put a file of that name. */
static eg_status open_file(shared *self)
{
    struct stat info;
    self->file = eg_open_file(self->path, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (self->file < 0) {
        return eg_fail_errno(errno,
                             "%s: cannot be made (TMPDIR says where there is room for files that "
                             "all processes of this machine share)",
                             self->path);
    }
    bool mine = fstat(self->file, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid();
    (void)fchmod(self->file, S_IRUSR | S_IWUSR); /* some file systems have no modes */
    if (!mine) {
        return eg_fail(EG_SYSTEM, "%s: is not a file of this user; expected none of that name",
                       self->path);
    }
    return eg_ok();
}

static bool is_complete(const shared *self)
{
    struct stat info;
    head found;
    size_t got = 0;
    return fstat(self->file, &info) == 0 && (uint64_t)info.st_size == PAGE + self->size &&
           eg_read_fully(self->file, &found, sizeof found, 0, &got) == 0 && got == sizeof found &&
           memcmp(found.magic, magic, sizeof magic) == 0 && found.key == self->key &&
           found.size == self->size;
}

/* Removes files of this user that nobody has opened for a day. */
static eg_status remove_forgotten(void)
{
    const char *directory = directory_name();
    char *begin = NULL;
    EG_TRY(stem(&begin, ""));
    DIR *list = opendir(directory);
    for (struct dirent *entry = list == NULL ? NULL : readdir(list); entry != NULL;
         entry = readdir(list)) {
        struct stat info;
        size_t length = strlen(entry->d_name);
        if (strncmp(entry->d_name, begin, strlen(begin)) == 0 && length > 6 &&
            strcmp(entry->d_name + length - 6, ".bytes") == 0 &&
            fstatat(dirfd(list), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            info.st_uid == geteuid() && time(NULL) - info.st_mtime > forgotten_after) {
            (void)unlinkat(dirfd(list), entry->d_name, 0);
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    eg_free(begin);
    return eg_ok();
}

/* Space is taken before anything is written through the mapping, where there is no error but the
 * end of the process. */
static eg_status fill(const shared *self, eg_bytes_maker make, void *user)
{
    EG_TRY(remove_forgotten());
    int problem = eg_truncate_file(self->file, 0);
    if (problem == 0) {
        do {
            problem = posix_fallocate(self->file, 0, (off_t)(PAGE + self->size));
        } while (problem == EINTR);
    }
    if (problem != 0) {
        (void)eg_truncate_file(self->file, 0);
        return eg_fail_errno(problem,
                             "%s: no room for %zu bytes (TMPDIR says where files go that all "
                             "processes of this machine share)",
                             self->path, PAGE + self->size);
    }
    eg_mapping mapping = {.address = NULL};
    EG_TRY(map_file(&mapping, self->file, self->path, PAGE + self->size, PROT_READ | PROT_WRITE));
    eg_status status = make(user, (uint8_t *)mapping.address + PAGE);
    eg_mapping_clear(&mapping);
    if (!eg_is_ok(&status)) {
        (void)eg_truncate_file(self->file, 0);
        return status;
    }
    head complete = {.key = self->key, .size = self->size};
    memcpy(complete.magic, magic, sizeof magic);
    problem = eg_sync_data(self->file);
    problem = problem != 0 ? problem : eg_write_fully(self->file, &complete, sizeof complete, 0);
    return problem == 0 ? eg_ok() : eg_fail_errno(problem, "%s: cannot be written", self->path);
}

/* Fills it unless somebody else has while this process waited; *again: it was removed meanwhile. */
static eg_status fill_in_turn(const shared *self, eg_bytes_maker make, void *user, bool *again)
{
    int problem = eg_lock_file_in_turn(self->file);
    if (problem != 0) {
        return eg_fail_errno(problem, "%s: cannot be locked", self->path);
    }
    *again = !eg_is_same_file(self->file, self->path);
    return *again || is_complete(self) ? eg_ok() : fill(self, make, user);
}

static eg_status open_complete(shared *self, eg_mapping *out, eg_bytes_maker make, void *user,
                               bool *again)
{
    *again = false;
    EG_TRY(open_file(self));
    if (!is_complete(self)) {
        EG_TRY(fill_in_turn(self, make, user, again));
    }
    if (*again) {
        return eg_ok();
    }
    (void)futimens(self->file, NULL); /* not forgotten */
    return map_file(out, self->file, self->path, PAGE + self->size, PROT_READ);
}

eg_status eg_mapping_make(eg_mapping *out, const uint8_t **data, uint64_t key, size_t size,
                          eg_bytes_maker make, void *user)
{
    shared self = {.file = -1, .key = key, .size = size};
    char *begin = NULL;
    EG_TRY(stem(&begin, directory_name()));
    eg_status status = eg_format(&self.path, "%s%016" PRIx64 ".bytes", begin, key);
    eg_free(begin);
    for (bool again = true; eg_is_ok(&status) && again;) {
        status = open_complete(&self, out, make, user, &again);
        if (self.file >= 0) {
            (void)close(self.file);
        }
    }
    eg_free(self.path);
    if (eg_is_ok(&status)) {
        *data = (const uint8_t *)out->address + PAGE;
    }
    return status;
}

eg_status eg_mapping_key(uint64_t *key, const char *path, const uint64_t *facts, size_t count)
{
    struct stat info;
    uint64_t *all = NULL;
    if (stat(path, &info) != 0) {
        return eg_fail(EG_INVALID, "%s: cannot be read: %s", path, strerror(errno));
    }
    const uint64_t file[] = {(uint64_t)info.st_dev,          (uint64_t)info.st_ino,
                             (uint64_t)info.st_size,         (uint64_t)info.st_mtim.tv_sec,
                             (uint64_t)info.st_mtim.tv_nsec, (uint64_t)info.st_ctim.tv_sec,
                             (uint64_t)info.st_ctim.tv_nsec};
    EG_TRY(eg_alloc(&all, count + EG_COUNT(file), sizeof *all));
    memcpy(all, facts, count * sizeof *all);
    memcpy(all + count, file, sizeof file);
    *key = eg_hash64(all, (count + EG_COUNT(file)) * sizeof *all);
    eg_free(all);
    return eg_ok();
}
