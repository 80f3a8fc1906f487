/** The plug-ins of this process; see plugin/shared/plugin_load.h. */
#include "plugin/shared/plugin_load.h"

#include "engram/pack.h"
#include "engram/trial.h"
#include "plugin/plugin_read.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LOADED_MAX = 64 };

/* As long as the process, like the schema. */
static eg_plugin_loaded loaded[LOADED_MAX];
static size_t loaded_count;

size_t eg_plugin_count(void)
{
    return loaded_count;
}

const eg_plugin_loaded *eg_plugin_at(size_t index)
{
    return &loaded[index];
}

static const eg_plugin_loaded *find_hash(uint64_t hash)
{
    for (size_t i = 0; i < loaded_count; i++) {
        if (loaded[i].hash == hash) {
            return &loaded[i];
        }
    }
    return NULL;
}

/** Refuses, or with `add` adds, one component. */
static eg_status take(const char *family, const eg_component *component, uint64_t hash, bool add)
{
    if (add) {
        return eg_trial_add_component(family, component, hash);
    }
    const eg_component *known =
        eg_family_find(eg_schema_family(eg_trial_schema(), family), component->name);
    if (known == NULL) {
        return eg_ok();
    }
    const eg_plugin_loaded *owner = find_hash(eg_trial_origin(known));
    return owner == NULL
               ? eg_fail(EG_INVALID, "%s %s exists already: engram has it", family, known->name)
               : eg_fail(EG_INVALID, "%s %s exists already: it is from plug-in %s", family,
                         component->name, owner->path);
}

static eg_status take_all(const eg_plugin *plugin, uint64_t hash, bool add)
{
    for (size_t i = 0; i < plugin->activation_count; i++) {
        EG_TRY(take("activation", &plugin->activations[i]->component, hash, add));
    }
    for (size_t i = 0; i < plugin->optimizer_count; i++) {
        EG_TRY(take("optimizer", &plugin->optimizers[i]->component, hash, add));
    }
    for (size_t i = 0; i < plugin->schedule_count; i++) {
        EG_TRY(take("schedule", &plugin->schedules[i]->component, hash, add));
    }
    return eg_ok();
}

static eg_status load(const char *name, uint64_t hash)
{
    const eg_plugin *plugin = NULL;
    char *path = NULL;
    if (loaded_count == LOADED_MAX) {
        return eg_fail(EG_INVALID, "more than %d plug-ins", LOADED_MAX);
    }
    EG_TRY(eg_plugin_open(&plugin, name, false));
    EG_TRY(eg_status_wrap(take_all(plugin, hash, false), "plug-in %s", name));
    EG_TRY(eg_strdup(&path, name));
    eg_status status = take_all(plugin, hash, true);
    loaded[loaded_count++] = (eg_plugin_loaded){.path = path, .hash = hash, .plugin = plugin};
    return status; /* of families that are full; what was added is owned */
}

/** expected NULL: any. */
static eg_status load_expected(const char *name, const uint64_t *expected)
{
    char *path = NULL;
    uint64_t hash = 0;
    EG_TRY(eg_plugin_identify(&path, &hash, name));
    eg_status status = eg_ok();
    if (expected != NULL && hash != *expected) {
        status = eg_fail(EG_INVALID,
                         "another plug-in than at rank 0: %s has hash %016" PRIx64
                         " here and %016" PRIx64 " there; every host needs the same files",
                         name, hash, *expected);
    } else if (find_hash(hash) == NULL) {
        status = load(path, hash);
    }
    eg_free(path);
    return status;
}

eg_status eg_plugin_load(const char *path)
{
    return load_expected(path, NULL);
}

eg_status eg_plugin_list(char **out)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < loaded_count; i++) {
        char *line = NULL;
        eg_status status = eg_format(&line, "%016" PRIx64 " %s\n", loaded[i].hash, loaded[i].path);
        if (status.code != EG_OK) {
            eg_writer_clear(&writer);
            return status;
        }
        eg_write_bytes(&writer, line, strlen(line));
        eg_free(line);
    }
    eg_write_u8(&writer, 0);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}

eg_status eg_plugin_expect(const char *list)
{
    for (const char *line = list; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        char *end = NULL;
        uint64_t hash = strtoull(line, &end, 16);
        if (*end != ' ' || line[length] != '\n') {
            return eg_fail(EG_INVALID, "'%.*s' names no plug-in", (int)length, line);
        }
        if (find_hash(hash) == NULL) {
            char *path = NULL;
            EG_TRY(eg_format(&path, "%.*s", (int)(line + length - end - 1), end + 1));
            eg_status status = load_expected(path, &hash);
            eg_free(path);
            EG_TRY(status);
        }
        line += length + 1;
    }
    return eg_ok();
}
