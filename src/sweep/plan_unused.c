/** Points that differ only in settings that their learner does not look at: a warning. */
#include "sweep/plan_keys.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/trial.h"

#include <stdlib.h>

/** A hash of the learner's own settings and of whatever else it looks at. */
static eg_status hash_used(uint64_t *out, const eg_settings *settings)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (eg_trial_uses(settings, setting->name)) {
            eg_write_text(&writer, setting->name);
            eg_write_text(&writer, setting->value.text);
        }
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_clear(&writer);
    return status;
}

static int ascending(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;
    return first < second ? -1 : first > second;
}

eg_status eg_plan_warn_unused(eg_sweep *sweep, const eg_plan *plan)
{
    uint64_t *hashes = NULL;
    size_t count = 0;
    size_t same = 0;
    eg_status status = eg_alloc(&hashes, plan->point_count, sizeof *hashes);
    for (size_t p = 0; p < plan->point_count && status.code == EG_OK; p++) {
        if (!eg_trial_uses_all(plan->points[p].settings)) {
            status = hash_used(&hashes[count++], plan->points[p].settings);
        }
    }
    qsort(hashes, count, sizeof *hashes, ascending);
    for (size_t i = 1; i < count; i++) {
        same += hashes[i] == hashes[i - 1];
    }
    eg_free(hashes);
    if (status.code == EG_OK && same > 0) {
        status = eg_sweep_warn(sweep,
                               "%zu point%s from others only in settings that the learner or the "
                               "stream does not look at, and will have the same results",
                               same, same == 1 ? " differs" : "s differ");
    }
    return status;
}
