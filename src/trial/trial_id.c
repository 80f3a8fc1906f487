/** The content id of a trial, and which settings matter to it. */
#include "engram/learner.h"
#include "engram/memory.h"
#include "engram/stream.h"
#include "engram/trial.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A trial names few components that could be from outside: activation, optimizer, schedule. */
enum { ORIGINS_MAX = 8, ORIGIN_TEXT = 24 /* "plugin=", 16 digits, "\n" */ };

/** "plugin=…\n" for every origin of the trial's components, in the order of the settings. */
static eg_status write_origins(char text[ORIGINS_MAX * ORIGIN_TEXT + 1],
                               const eg_settings *settings)
{
    uint64_t seen[ORIGINS_MAX];
    size_t count = 0;
    text[0] = '\0';
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        uint64_t origin = setting->param->type == EG_TYPE_COMPONENT
                              ? eg_trial_origin(setting->value.component)
                              : 0;
        bool known = origin == 0;
        for (size_t k = 0; k < count; k++) {
            known = known || seen[k] == origin;
        }
        if (!known && count == ORIGINS_MAX) {
            return eg_fail(EG_INVALID, "a trial has components from at most %d plug-ins",
                           (int)ORIGINS_MAX);
        }
        if (!known) {
            (void)snprintf(text + count * ORIGIN_TEXT, ORIGIN_TEXT + 1, "plugin=%016" PRIx64 "\n",
                           origin);
            seen[count++] = origin;
        }
    }
    return eg_ok();
}

eg_status eg_trial_ids(uint64_t *out, const eg_settings *settings, const uint64_t *seeds,
                       size_t count, eg_stream_orders *orders)
{
    enum {
        ORDER = 32,
        SEED = 64
    }; /* "order=…\n" and "seed=…\nresult_version=…\n" behind the text */
    char *text = NULL;
    char origins[ORIGINS_MAX * ORIGIN_TEXT + 1];
    uint64_t order = 0;
    EG_TRY(eg_stream_order_hash(&order, settings, orders));
    EG_TRY(write_origins(origins, settings));
    EG_TRY(eg_settings_text_with_room(&text, settings, false, sizeof origins + ORDER + SEED));
    size_t length = strlen(text);
    length += (size_t)sprintf(text + length, "%s", origins);
    if (order != 0) {
        length += (size_t)snprintf(text + length, ORDER, "order=%016" PRIx64 "\n", order);
    }
    for (size_t i = 0; i < count; i++) {
        int more = snprintf(text + length, SEED, "seed=%" PRIu64 "\nresult_version=%d\n", seeds[i],
                            EG_RESULT_VERSION);
        out[i] = eg_hash64(text, length + (size_t)more);
    }
    eg_free(text);
    return eg_ok();
}

eg_status eg_trial_id(uint64_t *out, const eg_settings *settings, uint64_t seed)
{
    eg_stream_orders orders = {0};
    eg_status status = eg_trial_ids(out, settings, &seed, 1, &orders);
    eg_stream_orders_clear(&orders);
    return status;
}

/** `name` is one of these settings or below one. */
static bool is_among(const char *const *list, const char *name)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        size_t length = strlen(list[i]);
        bool below = strncmp(name, list[i], length) == 0;
        if (below && (name[length] == '\0' || name[length] == '.')) {
            return true;
        }
    }
    return false;
}

static const char *const *unused_by_learner(const eg_settings *settings)
{
    const eg_setting *learner = eg_settings_find(settings, "learner");
    return ((const eg_learner_kind *)(const void *)learner->value.component)->unused;
}

bool eg_trial_reads_data(const eg_settings *settings)
{
    const eg_setting *stream = eg_settings_find(settings, "stream");
    return !((const eg_stream_kind *)(const void *)stream->value.component)->own_data;
}

bool eg_trial_uses_all(const eg_settings *settings)
{
    return unused_by_learner(settings) == NULL && eg_trial_reads_data(settings);
}

bool eg_trial_uses(const eg_settings *settings, const char *name)
{
    static const char *const data[] = {"dataset", NULL};
    return !is_among(unused_by_learner(settings), name) &&
           (eg_trial_reads_data(settings) || !is_among(data, name));
}
