/** Opening a plug-in's file, and whether it was built for this engram; see plugin/plugin_read.h. */
#define _GNU_SOURCE /* ElfW */

#include "plugin/plugin_read.h"

#include "base/shared/file_name.h"
#include "engram/file.h"
#include "engram/pack.h"
#include "plugin/conform.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <string.h>

/** Whether all that the loader would map is there: it takes a file that was cut for whole, and the
 *  process ends at the first byte that is missing. */
static bool is_whole(const unsigned char *bytes, size_t size)
{
    ElfW(Ehdr) head;
    memcpy(&head, bytes, sizeof head);
    const size_t entry = sizeof(ElfW(Phdr));
    if (head.e_phentsize != entry || head.e_phoff > size ||
        head.e_phnum > (size - head.e_phoff) / entry) {
        return false;
    }
    for (size_t i = 0; i < head.e_phnum; i++) {
        ElfW(Phdr) part;
        memcpy(&part, bytes + head.e_phoff + i * entry, entry);
        if (part.p_offset > size || part.p_filesz > size - part.p_offset) {
            return false;
        }
    }
    return true;
}

static eg_status hash_file(uint64_t *hash, const char *path)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    EG_TRY(eg_load_file(&bytes, &size, path, "the plug-in"));
    if (bytes == NULL) {
        return eg_fail(EG_INVALID, "plug-in %s does not exist", path);
    }
    bool is_object = size > sizeof(ElfW(Ehdr)) && memcmp(bytes, ELFMAG, SELFMAG) == 0;
    bool whole = is_object && is_whole(bytes, size);
    *hash = whole ? eg_hash64(bytes, size) : 0;
    eg_free(bytes);
    return whole ? eg_ok()
                 : eg_fail(EG_INVALID, "plug-in %s is %s", path,
                           is_object ? "cut off, or damaged" : "no shared object (ELF)");
}

eg_status eg_plugin_identify(char **path, uint64_t *hash, const char *name)
{
    *path = NULL;
    if (strchr(name, '\n') != NULL) {
        return eg_fail(EG_INVALID, "plug-in %s: a path with a line break", name);
    }
    EG_TRY(eg_file_absolute(path, name));
    eg_status status = hash_file(hash, *path);
    if (status.code != EG_OK) {
        eg_free(*path);
        *path = NULL;
    }
    return status;
}

/* A number that has to be the same on both sides. */
typedef struct field {
    const char *name;
    uint32_t expected, found;
} field;

static eg_status compare_fields(const char *path, const field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fields[i].found != fields[i].expected) {
            return eg_fail(EG_INVALID,
                           "plug-in %s: %s of %s: expected %" PRIu32 ", found %" PRIu32
                           "; build it against the headers of this engram",
                           path, fields[i].name, EG_PLUGIN_SYMBOL, fields[i].expected,
                           fields[i].found);
        }
    }
    return eg_ok();
}

static const char *real_name(uint32_t bytes)
{
    return bytes == sizeof(float) ? "float" : bytes == sizeof(double) ? "double" : "unknown";
}

static eg_status check_build(const eg_plugin *plugin, const char *path, bool any_real)
{
    static const eg_plugin ours = {EG_PLUGIN_BUILD};
    if (plugin->magic != EG_PLUGIN_MAGIC) {
        return eg_fail(EG_INVALID,
                       "plug-in %s: magic of %s: expected %016" PRIx64 ", found %016" PRIx64, path,
                       EG_PLUGIN_SYMBOL, EG_PLUGIN_MAGIC, plugin->magic);
    }
    /* The version says more than the size, and both stand where they always do. */
    const field head[] = {{"version", ours.version, plugin->version},
                          {"size", ours.size, plugin->size}};
    EG_TRY(compare_fields(path, head, EG_COUNT(head)));
    bool other = any_real && plugin->real == eg_plugin_build_double.real;
    if (plugin->real != ours.real && !other) {
        return eg_fail(
            EG_INVALID,
            "plug-in %s: real (the type eg_real) of %s: expected %s, found %s (%" PRIu32 " bytes)",
            path, EG_PLUGIN_SYMBOL, real_name(ours.real), real_name(plugin->real), plugin->real);
    }
    const eg_plugin *like = other ? &eg_plugin_build_double : &ours;
    const field rest[] = {
        {"alignment", like->alignment, plugin->alignment},
        {"parameter_size", like->parameter_size, plugin->parameter_size},
        {"activation_size", like->activation_size, plugin->activation_size},
        {"optimizer_size", like->optimizer_size, plugin->optimizer_size},
        {"update_size", like->update_size, plugin->update_size},
        {"schedule_size", like->schedule_size, plugin->schedule_size},
        {"status_size", like->status_size, plugin->status_size},
    };
    return compare_fields(path, rest, EG_COUNT(rest));
}

eg_status eg_plugin_open(const eg_plugin **out, const char *path, bool any_real)
{
    *out = NULL;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        const char *why = dlerror();
        return eg_fail(EG_INVALID, "plug-in %s cannot be loaded: %s", path,
                       why == NULL ? "unknown error" : why);
    }
    const eg_plugin *plugin = dlsym(handle, EG_PLUGIN_SYMBOL);
    eg_status status = plugin == NULL ? eg_fail(EG_INVALID,
                                                "plug-in %s has no symbol %s: EG_PLUGIN of "
                                                "engram/plugin.h makes it",
                                                path, EG_PLUGIN_SYMBOL)
                                      : check_build(plugin, path, any_real);
    if (status.code == EG_OK) {
        status = eg_status_wrap(eg_plugin_validate(plugin), "plug-in %s", path);
    }
    if (status.code != EG_OK) {
        (void)dlclose(handle);
        return status;
    }
    *out = plugin;
    return eg_ok();
}
