/** Checks before a sweep starts; see cli/preflight.h. */
#include "cli/preflight.h"

#include "engram/dataset.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/settings.h"

#include <string.h>

/** A hash of everything said about the dataset, paths included. */
static eg_status dataset_hash(uint64_t *out, const eg_settings *settings)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        const char *name = setting->name;
        if (strcmp(name, "dataset") == 0 || strncmp(name, "dataset.", 8) == 0) {
            eg_write_text(&writer, name);
            eg_write_text(&writer, setting->value.text);
        }
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_free(&writer);
    return status;
}

static eg_status open_once(const eg_settings *settings)
{
    eg_view root = eg_settings_root(settings);
    eg_dataset *dataset = NULL;
    EG_TRY(eg_dataset_open(&dataset, &root));
    eg_dataset_free(dataset);
    return eg_ok();
}

static bool contains(const uint64_t *seen, size_t count, uint64_t hash)
{
    for (size_t i = 0; i < count; i++) {
        if (seen[i] == hash) {
            return true;
        }
    }
    return false;
}

eg_status eg_preflight_data(const eg_plan *plan)
{
    uint64_t *seen = NULL;
    size_t count = 0;
    size_t capacity = 0;
    eg_status status = eg_ok();
    for (size_t point = 0; point < plan->point_count; point++) {
        uint64_t hash = 0;
        EG_TRY_DONE(status, dataset_hash(&hash, plan->points[point].settings));
        if (contains(seen, count, hash)) {
            continue;
        }
        EG_TRY_DONE(status, open_once(plan->points[point].settings));
        EG_TRY_DONE(status, eg_grow(&seen, &capacity, count + 1, sizeof *seen));
        seen[count++] = hash;
    }
done:
    eg_free(seen);
    return status;
}

eg_status eg_preflight_overrides(char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(words[i], '=');
        if (equals == NULL || equals == words[i]) {
            return eg_fail(EG_INVALID, "\"%s\": expected a setting, name=value", words[i]);
        }
    }
    return eg_ok();
}
