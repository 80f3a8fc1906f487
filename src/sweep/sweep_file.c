/** The files a sweep is made of: reading them, and following their includes. */
#include "sweep/sweep_read.h"

#include "base/shared/value.h"
#include "engram/file.h"
#include "plugin/shared/plugin_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/** Sizes of one file and of all files of a sweep together; includes, each counted as often as it is
 *  included. */
enum {
    FILE_SIZE_MAX = 64 << 20,
    TOTAL_SIZE_MAX = 64 << 20,
    INCLUDES_MAX = 256,
    INCLUDE_DEPTH_MAX = 16,
    SUGGESTION_SIZE = 256
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

eg_status eg_sweep_beside(eg_sweep *sweep, const char *beside, const char *name, const char **path)
{
    size_t folder = (size_t)(base_name(beside) - beside);
    if (name[0] == '/' || folder == 0) {
        return eg_arena_copy(sweep->arena, path, name, strlen(name));
    }
    const char *prefix = NULL;
    EG_TRY(eg_arena_copy(sweep->arena, &prefix, beside, folder));
    return eg_arena_join(sweep->arena, path, prefix, name, "");
}

/** The file in the same folder whose name is closest; "" if none is close. */
static void similar_file(const char *path, char suggestion[SUGGESTION_SIZE])
{
    suggestion[0] = '\0';
    const char *name = base_name(path);
    char folder[1024] = ".";
    size_t length = (size_t)(name - path);
    if (length >= sizeof folder) {
        return;
    }
    if (length > 0) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        return;
    }
    size_t distance = SIZE_MAX;
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        eg_nearest nearest = {0};
        eg_nearest_offer(&nearest, name, entry->d_name);
        bool nearer =
            nearest.best != NULL && entry->d_name[0] != '.' && nearest.distance < distance;
        if (nearer && strlen(entry->d_name) < SUGGESTION_SIZE) {
            distance = nearest.distance;
            strcpy(suggestion, entry->d_name);
        }
    }
    (void)closedir(directory);
}

static eg_status open_failure(int error, const char *path, const eg_origin *from)
{
    if (error != ENOENT && error != ENOTDIR) {
        return eg_fail_at(from, "cannot read %s: %s", path, strerror(error));
    }
    char suggestion[SUGGESTION_SIZE];
    similar_file(path, suggestion);
    return suggestion[0] == '\0'
               ? eg_fail_at(from, "%s does not exist", path)
               : eg_fail_at(from, "%s does not exist; did you mean %s?", path, suggestion);
}

static eg_status check_size(const eg_sweep *sweep, const struct stat *info, const char *path,
                            const eg_origin *from)
{
    if (S_ISDIR(info->st_mode)) {
        return eg_fail_at(from, "%s is a directory, not a file", path);
    }
    if (!S_ISREG(info->st_mode)) {
        return eg_fail_at(from, "%s is a pipe or a device, not a regular file", path);
    }
    if (info->st_size > FILE_SIZE_MAX) {
        return eg_fail_at(from, "%s is larger than %d MiB", path, (int)(FILE_SIZE_MAX >> 20));
    }
    if ((size_t)info->st_size > TOTAL_SIZE_MAX - sweep->read_bytes) {
        return eg_fail_at(from, "%s: the files of this sweep are larger than %d MiB together", path,
                          (int)(TOTAL_SIZE_MAX >> 20));
    }
    return eg_ok();
}

static eg_status read_open(eg_sweep *sweep, int fd, const char *path, const eg_origin *from,
                           const char **text, size_t *size)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return eg_fail_errno(errno, "cannot read %s", path);
    }
    EG_TRY(check_size(sweep, &info, path, from));
    char *buffer = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &buffer, (size_t)info.st_size + 1, 1));
    int error = eg_read_fully(fd, buffer, (size_t)info.st_size, 0, size);
    if (error != 0) {
        return eg_fail_errno(error, "cannot read %s", path);
    }
    buffer[*size] = '\0';
    sweep->read_bytes += *size;
    *text = buffer;
    return eg_ok();
}

eg_status eg_sweep_read_file(eg_sweep *sweep, const char *path, const eg_origin *from,
                             const char **text, size_t *size)
{
    int fd = eg_open_file(path, O_RDONLY);
    if (fd < 0) {
        return open_failure(errno, path, from);
    }
    eg_status status = read_open(sweep, fd, path, from, text, size);
    (void)close(fd);
    return status;
}

/** A stream, whose size is not known before. */
static eg_status read_stream(eg_sweep *sweep, FILE *file, const char *path, const eg_origin *from,
                             const char **text, size_t *size)
{
    char *buffer = NULL;
    size_t capacity = 0;
    *size = 0;
    for (;;) {
        EG_TRY(eg_arena_grow(sweep->arena, &buffer, &capacity, *size + 4096, 1));
        size_t room = capacity - *size - 1;
        size_t got = fread(buffer + *size, 1, room, file);
        *size += got;
        if (*size > FILE_SIZE_MAX) {
            return eg_fail_at(from, "%s is larger than %d MiB", path, (int)(FILE_SIZE_MAX >> 20));
        }
        if (got < room) {
            break;
        }
    }
    if (ferror(file)) {
        return eg_fail(EG_SYSTEM, "cannot read %s: %s", path, strerror(errno));
    }
    buffer[*size] = '\0';
    sweep->read_bytes += *size;
    *text = buffer;
    return eg_ok();
}

eg_status eg_sweep_read_main(eg_sweep *sweep, const char **text, size_t *size)
{
    const eg_origin nowhere = {0};
    if (strcmp(sweep->path, "-") != 0) {
        return eg_sweep_read_file(sweep, sweep->path, &nowhere, text, size);
    }
    sweep->path = "standard input";
    return read_stream(sweep, stdin, sweep->path, &nowhere, text, size);
}

/* Includes ------------------------------------------------------------------------------------- */

/** The files that are being included at the moment, innermost first. */
typedef struct chain {
    const struct chain *outer;
    const char *path;
    dev_t device;
    ino_t file;
    bool known; /* device and file */
} chain;

static chain link_of(const chain *outer, const char *path)
{
    chain link = {.outer = outer, .path = path};
    struct stat info;
    if (stat(path, &info) == 0) {
        link.device = info.st_dev;
        link.file = info.st_ino;
        link.known = true;
    }
    return link;
}

static eg_status check_chain(const chain *link, const eg_origin *at)
{
    unsigned depth = 0;
    for (const chain *outer = link->outer; outer != NULL; outer = outer->outer) {
        depth++;
        bool same = link->known && outer->known && outer->device == link->device &&
                    outer->file == link->file;
        if (same || strcmp(outer->path, link->path) == 0) {
            return eg_fail_at(at, "%s includes itself", link->path);
        }
    }
    if (depth > INCLUDE_DEPTH_MAX) {
        return eg_fail_at(at, "files include each other more than %d deep", (int)INCLUDE_DEPTH_MAX);
    }
    return eg_ok();
}

static eg_status add_part(eg_sweep *sweep, const chain *link, const char *text, size_t size);

static eg_status include(eg_sweep *sweep, const chain *outer, const eg_node *name)
{
    EG_TRY(eg_node_expect(name, EG_NODE_SCALAR, "a file name in include"));
    if (name->text[0] == '\0') {
        return eg_fail_at(&name->at, "include names no file");
    }
    const char *path = NULL;
    const char *text = NULL;
    size_t size = 0;
    EG_TRY(eg_sweep_beside(sweep, outer->path, name->text, &path));
    chain link = link_of(outer, path);
    EG_TRY(check_chain(&link, &name->at));
    if (sweep->include_count == INCLUDES_MAX) {
        return eg_fail_at(&name->at,
                          "more than %d includes, a file counted each time it is included",
                          (int)INCLUDES_MAX);
    }
    sweep->include_count++;
    EG_TRY(eg_sweep_read_file(sweep, path, &name->at, &text, &size));
    return add_part(sweep, &link, text, size);
}

/* Plug-ins ------------------------------------------------------------------------------------- */

static eg_status load_plugin(eg_sweep *sweep, const char *beside, const eg_node *name)
{
    const char *path = NULL;
    EG_TRY(eg_node_expect(name, EG_NODE_SCALAR, "a file name in plugins"));
    if (name->text[0] == '\0') {
        return eg_fail_at(&name->at, "plugins names no file");
    }
    EG_TRY(eg_sweep_beside(sweep, beside, name->text, &path));
    return eg_origin_wrap(eg_plugin_load(path), &name->at);
}

eg_status eg_sweep_load_plugins(eg_sweep *sweep, const char *beside, const eg_node *names)
{
    if (names == NULL) {
        return eg_ok();
    }
    if (names->kind != EG_NODE_LIST) {
        return load_plugin(sweep, beside, names);
    }
    for (size_t i = 0; i < names->count; i++) {
        EG_TRY(load_plugin(sweep, beside, names->items[i]));
    }
    return eg_ok();
}

/** Adds what the file includes, then the file. Recursion is bounded by INCLUDE_DEPTH_MAX. */
static eg_status add_part(eg_sweep *sweep, const chain *link, const char *text, size_t size)
{
    static const char *const keys[] = {
        "name",        "doc",          "include",   "base",     "grid",   "zip",
        "around",      "when",         "exclude",   "only",     "sample", "points",
        "blocks",      "seeds",        "objective", "protocol", "stop",   "select",
        "max_seconds", "max_failures", "baselines", "plugins",  NULL};
    eg_sweep_part part = {.path = link->path, .text = text, .size = size};
    EG_TRY(eg_yaml_parse(&part.root, sweep->arena, link->path, text, size, false));
    const eg_origin whole = {.file = link->path};
    if (part.root == NULL || (part.root->kind == EG_NODE_SCALAR && part.root->text[0] == '\0')) {
        return eg_fail_at(&whole, "the file is empty");
    }
    if (part.root->kind != EG_NODE_MAP) {
        return eg_fail_at(&part.root->at,
                          "a sweep file is a map of keys (name, base, grid …), not %s",
                          part.root->kind == EG_NODE_LIST ? "a list" : "plain text");
    }
    EG_TRY(eg_node_keys(part.root, keys, "the sweep file"));
    const eg_node *names = eg_node_get(part.root, "include");
    if (names != NULL && names->kind == EG_NODE_LIST) {
        for (size_t i = 0; i < names->count; i++) {
            EG_TRY(include(sweep, link, names->items[i]));
        }
    } else if (names != NULL) {
        EG_TRY(include(sweep, link, names));
    }
    EG_TRY(eg_sweep_load_plugins(sweep, link->path, eg_node_get(part.root, "plugins")));
    EG_TRY(eg_arena_grow(sweep->arena, &sweep->parts, &sweep->part_capacity, sweep->part_count + 1,
                         sizeof *sweep->parts));
    sweep->parts[sweep->part_count++] = part;
    return eg_ok();
}

eg_status eg_sweep_add_parts(eg_sweep *sweep, const char *path, const char *text, size_t size)
{
    chain link = link_of(NULL, path);
    return add_part(sweep, &link, text, size);
}

const eg_node *eg_sweep_key(const eg_sweep *sweep, const char *key)
{
    for (size_t i = sweep->override_count; i > 0; i--) {
        const eg_override *override = &sweep->overrides[i - 1];
        if (override->key && strcmp(override->name, key) == 0) {
            return override->node;
        }
    }
    for (size_t i = sweep->part_count; i > 0; i--) {
        const eg_node *node = eg_node_get(sweep->parts[i - 1].root, key);
        if (node != NULL) {
            return node;
        }
    }
    return NULL;
}
