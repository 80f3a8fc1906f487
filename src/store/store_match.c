/** Tells an edited sweep from another one; see store/store_match.h. */
#include "store/store_match.h"

#include "engram/memory.h"

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
    char *shown[SHOWN_VALUES];
    size_t count; /* all distinct ones */
    eg_index seen;
} values;

/** `text` belongs to the pool, so equal texts have equal addresses; NULL: the point lacks the
 * setting. */
static eg_status add_value(values *v, char *text)
{
    uint64_t key = (uint64_t)(uintptr_t)text;
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

static eg_status values_here(values *v, const eg_plan *plan, const char *name, eg_pool *pool)
{
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        char *text = NULL;
        if (setting != NULL) {
            EG_TRY(eg_pool_add(pool, &text, setting->value.text));
        }
        EG_TRY(add_value(v, text));
    }
    return eg_ok();
}

static eg_status values_there(values *v, const eg_results *results, const eg_column *column)
{
    for (size_t p = 0; p < results->point_count; p++) {
        EG_TRY(add_value(v, column->text[p]));
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
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        if (setting != NULL) {
            return setting->param->neutral;
        }
    }
    return false;
}

/** Says how a setting differs if none of its values is on both sides. */
static eg_status compare_column(const eg_book *book, const eg_plan *plan, const eg_column *column,
                                words *w, size_t *differences)
{
    values here = {0};
    values there = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, values_there(&there, &book->box->results, column));
    EG_TRY_DONE(status, values_here(&here, plan, column->name, &book->box->pool));
    if (disjoint(&here, &there)) {
        if ((*differences)++ < SHOWN_SETTINGS) {
            say(w, "%s%s is ", w->length > 0 ? "; " : "", column->name);
            say_values(w, &there);
            say(w, " there, ");
            say_values(w, &here);
            say(w, " here");
        }
    }
done:
    eg_index_clear(&here.seen);
    eg_index_clear(&there.seen);
    return status;
}

static eg_status common_seed(const eg_book *book, const eg_plan *plan, bool *common)
{
    const eg_results *results = &book->box->results;
    eg_index seeds = {0};
    eg_status status = eg_ok();
    *common = false;
    for (size_t i = 0; i < results->trial_count; i++) {
        EG_TRY_DONE(status, eg_index_put(&seeds, results->trials[i].seed, i));
    }
    for (size_t i = 0; i < plan->trial_count && !*common; i++) {
        *common = eg_index_get(&seeds, plan->trials[i].seed) != SIZE_MAX;
    }
done:
    eg_index_clear(&seeds);
    return status;
}

static eg_status explain(const eg_book *book, const eg_plan *plan, words *w)
{
    const eg_results *results = &book->box->results;
    size_t differences = 0;
    for (size_t i = 0; i < results->column_count; i++) {
        if (!is_neutral(plan, results->columns[i].name)) {
            EG_TRY(compare_column(book, plan, &results->columns[i], w, &differences));
        }
    }
    if (differences > SHOWN_SETTINGS) {
        say(w, "; %zu more settings differ", differences - SHOWN_SETTINGS);
    }
    bool common = false;
    EG_TRY(common_seed(book, plan, &common));
    if (!common) {
        say(w, "%sthe seeds begin with %" PRIu64 " there, %" PRIu64 " here",
            w->length > 0 ? "; " : "", results->trials[0].seed, plan->trials[0].seed);
    }
    if (w->length == 0) {
        say(w, "no combination of settings and seed is in both (or another version of engram "
               "computed them)");
    }
    return eg_ok();
}

/** The same sweep, but no point with the same replicate: the file holds another slice of it. */
static eg_status other_slice(const eg_book *book, const eg_plan *plan, bool *other)
{
    const eg_results *results = &book->box->results;
    eg_index places = {0};
    eg_status status = eg_ok();
    *other =
        strcmp(results->text, plan->text) == 0 && strcmp(results->overrides, plan->overrides) == 0;
    for (size_t i = 0; i < results->trial_count && *other; i++) {
        const eg_result *trial = &results->trials[i];
        EG_TRY_DONE(status,
                    eg_index_put(&places, (uint64_t)trial->point << 32U | trial->replicate, i));
    }
    for (size_t i = 0; i < plan->trial_count && *other; i++) {
        const eg_plan_trial *trial = &plan->trials[i];
        uint64_t place = (uint64_t)trial->point << 32U | trial->replicate;
        *other = eg_index_get(&places, place) == SIZE_MAX;
    }
done:
    eg_index_clear(&places);
    return status;
}

eg_status eg_store_match(const eg_book *book, const eg_plan *plan, const char *file)
{
    const eg_results *results = &book->box->results;
    if (!book->has_plan) {
        return eg_ok();
    }
    if (strcmp(results->name, plan->name) != 0) {
        return eg_fail(EG_INVALID,
                       "%s belongs to another sweep: its name is '%s' there, '%s' here; choose "
                       "another file with -o",
                       file, results->name, plan->name);
    }
    for (size_t i = 0; i < plan->trial_count; i++) {
        if (eg_index_get(&book->ids, plan->trials[i].id) != SIZE_MAX) {
            return eg_ok();
        }
    }
    bool finished = false;
    for (size_t i = 0; i < results->trial_count && !finished; i++) {
        finished = eg_is_finished(results->trials[i].status);
    }
    if (!finished) {
        return eg_ok();
    }
    bool slice = false;
    EG_TRY(other_slice(book, plan, &slice));
    if (slice) {
        return eg_fail(EG_INVALID,
                       "%s holds another slice of this sweep; every slice needs a file of its own "
                       "(engram merge joins them)",
                       file);
    }
    words w = {0};
    EG_TRY(explain(book, plan, &w));
    return eg_fail(EG_INVALID, "%s belongs to another sweep: %s; choose another file with -o", file,
                   w.text);
}
