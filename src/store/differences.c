/** In what two sweeps differ; see store/differences.h. */
#include "store/differences.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "store/pool.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_VALUES = 3, SHOWN_SETTINGS = 3 };

/** Words for a message, cut off when it is full. */
typedef struct words {
    char text[EG_MESSAGE_SIZE];
    size_t length;
} words;

static void say(words *w, const char *format, ...) EG_PRINTF(2, 3);

static void say(words *w, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(w->text + w->length, sizeof w->text - w->length, format, arguments);
    va_end(arguments);
    if (length > 0) {
        size_t left = sizeof w->text - 1 - w->length;
        w->length += (size_t)length < left ? (size_t)length : left;
    }
}

/** The distinct values of one setting. */
typedef struct values {
    const char *shown[SHOWN_VALUES];
    size_t count; /* all distinct ones */
    eg_index seen;
} values;

/** `text` NULL: the point lacks the setting. */
static eg_status add_value(values *v, const char *text)
{
    uint64_t key = text == NULL ? 0 : eg_hash64(text, strlen(text));
    if (eg_index_get(&v->seen, key) != SIZE_MAX) {
        return eg_ok();
    }
    EG_TRY(eg_index_put(&v->seen, key, v->count));
    if (v->count < SHOWN_VALUES) {
        v->shown[v->count] = text;
    }
    v->count++;
    return eg_ok();
}

static void say_values(words *w, const values *v)
{
    for (size_t i = 0; i < v->count && i < SHOWN_VALUES; i++) {
        say(w, "%s%s", i > 0 ? ", " : "", v->shown[i] == NULL ? "not set" : v->shown[i]);
    }
    if (v->count > SHOWN_VALUES) {
        say(w, ", …");
    }
}

static const eg_column *find_column(const eg_results *results, const char *name)
{
    for (size_t i = 0; i < results->column_count; i++) {
        if (strcmp(results->columns[i].name, name) == 0) {
            return &results->columns[i];
        }
    }
    return NULL;
}

/** `column` NULL: no point has the setting. */
static eg_status take_values(values *v, const eg_results *results, const eg_column *column)
{
    for (size_t p = 0; p < results->point_count; p++) {
        EG_TRY(add_value(v, column == NULL ? NULL : column->text[p]));
    }
    return eg_ok();
}

static bool disjoint(const values *a, const values *b)
{
    for (size_t i = 0; i < a->seen.capacity; i++) {
        if (a->seen.values[i] != 0 && eg_index_get(&b->seen, a->seen.keys[i]) != SIZE_MAX) {
            return false;
        }
    }
    return true;
}

/** Neutral settings cannot make trials different. */
static bool is_neutral(const eg_plan *plan, const char *name)
{
    for (size_t p = 0; plan != NULL && p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        if (setting != NULL) {
            return setting->param->neutral;
        }
    }
    return false;
}

/** Says how a setting differs if none of its values is on both sides. */
static eg_status compare_column(const eg_results *there, const eg_results *here,
                                const eg_column *column, words *w, size_t *differences)
{
    values ours = {0};
    values theirs = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, take_values(&theirs, there, column));
    EG_TRY_DONE(status, take_values(&ours, here, find_column(here, column->name)));
    if (disjoint(&ours, &theirs) && (*differences)++ < SHOWN_SETTINGS) {
        say(w, "%s%s is ", w->length > 0 ? "; " : "", column->name);
        say_values(w, &theirs);
        say(w, " there, ");
        say_values(w, &ours);
        say(w, " here");
    }
done:
    eg_index_clear(&ours.seen);
    eg_index_clear(&theirs.seen);
    return status;
}

static eg_status common_seed(const eg_results *there, const eg_results *here, bool *common)
{
    eg_index seeds = {0};
    eg_status status = eg_ok();
    *common = false;
    for (size_t i = 0; i < there->trial_count; i++) {
        EG_TRY_DONE(status, eg_index_put(&seeds, there->trials[i].seed, i));
    }
    for (size_t i = 0; i < here->trial_count && !*common; i++) {
        *common = eg_index_get(&seeds, here->trials[i].seed) != SIZE_MAX;
    }
done:
    eg_index_clear(&seeds);
    return status;
}

eg_status eg_store_differences(char **out, const eg_results *there, const eg_results *here,
                               const eg_plan *plan)
{
    words w = {0};
    size_t differences = 0;
    for (size_t i = 0; i < there->column_count; i++) {
        if (!is_neutral(plan, there->columns[i].name)) {
            EG_TRY(compare_column(there, here, &there->columns[i], &w, &differences));
        }
    }
    if (differences > SHOWN_SETTINGS) {
        say(&w, "; %zu more settings differ", differences - SHOWN_SETTINGS);
    }
    bool common = false;
    EG_TRY(common_seed(there, here, &common));
    if (!common) {
        say(&w, "%sthe seeds begin with %" PRIu64 " there, %" PRIu64 " here",
            w.length > 0 ? "; " : "", there->trials[0].seed, here->trials[0].seed);
    }
    if (w.length == 0) {
        say(&w, "no combination of settings and seed is in both (or another version of engram "
                "computed them)");
    }
    return eg_strdup(out, w.text);
}
