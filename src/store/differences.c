/** In what two sweeps differ; see store/differences.h. */
#include "store/differences.h"

#include "engram/memory.h"
#include "engram/pack.h"
#include "store/results_owner.h"
#include "store/string_pool.h"

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
static uint64_t key_of(const char *text)
{
    return text == NULL ? 0 : eg_hash64(text, strlen(text));
}

static eg_status add_value(values *v, const char *text)
{
    uint64_t key = key_of(text);
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

/** The values of a setting that are not among the `known` ones (NULL: all). `column` NULL: no point
 *  has the setting. */
static eg_status take_values(values *v, const eg_results *results, const eg_column *column,
                             const values *known)
{
    for (size_t p = 0; p < results->point_count; p++) {
        const char *text = column == NULL ? NULL : column->text[p];
        if (known == NULL || eg_index_get(&known->seen, key_of(text)) == SIZE_MAX) {
            EG_TRY(add_value(v, text));
        }
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
static bool keeps_results(const eg_plan *plan, const char *name)
{
    for (size_t p = 0; plan != NULL && p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        if (setting != NULL) {
            return setting->param->keeps_results;
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
    EG_TRY_DONE(status, take_values(&theirs, there, column, NULL));
    EG_TRY_DONE(status, take_values(&ours, here, find_column(here, column->name), NULL));
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
        if (!keeps_results(plan, there->columns[i].name)) {
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
        say(&w, "no combination of settings and seed is in both (or another version of engram, or "
                "of a plug-in, computed them)");
    }
    return eg_strdup(out, w.text);
}

/** Says which values a setting has now that it had not before, and the other way round. */
static eg_status compare_values(const eg_results *before, const eg_results *now, const char *name,
                                words *w, size_t *changes)
{
    const eg_column *was = find_column(before, name);
    const eg_column *is = find_column(now, name);
    values old = {0};
    values current = {0};
    values gained = {0};
    values lost = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, take_values(&old, before, was, NULL));
    EG_TRY_DONE(status, take_values(&current, now, is, NULL));
    EG_TRY_DONE(status, take_values(&gained, now, is, &old));
    EG_TRY_DONE(status, take_values(&lost, before, was, &current));
    if (gained.count + lost.count > 0 && (*changes)++ < SHOWN_SETTINGS) {
        say(w, "; %s", name);
        if (gained.count > 0) {
            say(w, " has now ");
            say_values(w, &gained);
        }
        if (lost.count > 0) {
            say(w, "%s ", gained.count > 0 ? " and no longer" : " has no longer");
            say_values(w, &lost);
        }
    }
done:
    eg_index_clear(&old.seen);
    eg_index_clear(&current.seen);
    eg_index_clear(&gained.seen);
    eg_index_clear(&lost.seen);
    return status;
}

/** Counts trials of `a` that are not in `b`, and those of them that are finished. */
static eg_status count_missing(const eg_results *a, const eg_results *b, size_t *missing,
                               size_t *finished)
{
    eg_index ids = {0};
    eg_status status = eg_ok();
    *missing = 0;
    *finished = 0;
    for (size_t i = 0; i < b->trial_count; i++) {
        EG_TRY_DONE(status, eg_index_put(&ids, b->trials[i].attempt.trial, i));
    }
    for (size_t i = 0; i < a->trial_count; i++) {
        if (eg_index_get(&ids, a->trials[i].attempt.trial) == SIZE_MAX) {
            (*missing)++;
            *finished += eg_trial_status_is_finished(a->trials[i].status) ? 1 : 0;
        }
    }
done:
    eg_index_clear(&ids);
    return status;
}

eg_status eg_store_changes(char **out, const eg_journal_state *state, const eg_results *now)
{
    /* What is left of still older plans did not change now, and what the second stage is comes
     * later. */
    eg_results planned = state->owner->results;
    planned.trial_count = state->base_trials;
    planned.point_count = state->plan_points;
    const eg_results *before = &planned;
    words w = {0};
    size_t added = 0;
    size_t gone = 0;
    size_t finished = 0;
    size_t changes = 0;
    EG_TRY(count_missing(now, &state->owner->results, &added, &finished));
    EG_TRY(count_missing(before, now, &gone, &finished));
    if (added > 0) {
        say(&w, "%zu of its %zu trials are new", added, now->trial_count);
    }
    if (gone > 0) {
        say(&w, "%s%zu trials are not in it any more%s", added > 0 ? ", " : "", gone,
            finished > 0 ? " (finished ones stay in the file)" : "");
    }
    for (size_t i = 0; i < now->column_count; i++) {
        EG_TRY(compare_values(before, now, now->columns[i].name, &w, &changes));
    }
    for (size_t i = 0; i < before->column_count; i++) {
        if (find_column(now, before->columns[i].name) == NULL) {
            EG_TRY(compare_values(before, now, before->columns[i].name, &w, &changes));
        }
    }
    if (changes > SHOWN_SETTINGS) {
        say(&w, "; %zu more settings changed", changes - SHOWN_SETTINGS);
    }
    if (strcmp(before->objective, now->objective) != 0) {
        say(&w, "; the objective was %s, is %s", before->objective, now->objective);
    }
    bool same = added + gone == 0;
    if (w.length == 0) {
        return eg_strdup(out, "");
    }
    return eg_format(out, "%s%s", same ? "its trials are the same" : "", w.text);
}
