/** Which settings a plan varies: those that take several values. One that only some points have
 *  does not count by that: the component that brings it does. */
#include "sweep/plan_keys.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <assert.h>
#include <string.h>

typedef struct tracked {
    const char *name;
    const char *text; /* at the first point that has it */
    bool differs;
} tracked;

typedef struct table {
    tracked *items;
    size_t count, capacity;
    const eg_settings *last; /* the point before */
} table;

/** The row of `name`, looked for from `hint` on: points mostly share their order of settings. */
static size_t find(const table *t, const char *name, size_t hint)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t at = (hint + i) % t->count;
        if (strcmp(t->items[at].name, name) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

/** New names go behind the setting that precedes them in their point, which keeps the schema's
 *  order. */
static eg_status insert(table *t, size_t at, const char *name, const char *text)
{
    EG_TRY(eg_grow(&t->items, &t->capacity, t->count + 1, sizeof *t->items));
    memmove(t->items + at + 1, t->items + at, (t->count - at) * sizeof *t->items);
    t->items[at] = (tracked){.name = name, .text = text};
    t->count++;
    return eg_ok();
}

static eg_status track_point(table *t, const eg_settings *settings)
{
    size_t next = 0;
    bool all = eg_trial_uses_all(settings);
    bool alike = t->last != NULL && eg_settings_alike(t->last, settings);
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (alike && setting == eg_settings_at(t->last, i)) {
            next++; /* it was compared there, and its name is in the table */
            continue;
        }
        if (!all && !eg_trial_uses(settings, setting->name)) {
            continue;
        }
        size_t at = find(t, setting->name, next);
        if (at == SIZE_MAX) {
            at = next;
            EG_TRY(insert(t, at, setting->name, setting->value.text));
        }
        assert(t->items != NULL);
        t->items[at].differs =
            t->items[at].differs || strcmp(t->items[at].text, setting->value.text) != 0;
        next = at + 1;
    }
    t->last = settings;
    return eg_ok();
}

static eg_status keep_swept(eg_plan *plan, const table *t)
{
    EG_TRY(eg_alloc(&plan->swept, t->count, sizeof *plan->swept));
    for (size_t i = 0; i < t->count; i++) {
        if (t->items[i].differs) {
            EG_TRY(eg_strdup(&plan->swept[plan->swept_count], t->items[i].name));
            plan->swept_count++;
        }
    }
    return eg_ok();
}

eg_status eg_plan_find_swept(eg_plan *plan)
{
    table t = {0};
    eg_status status = eg_ok();
    for (size_t i = 0; i < plan->point_count && status.code == EG_OK; i++) {
        status = track_point(&t, plan->points[i].settings);
    }
    if (status.code == EG_OK) {
        status = keep_swept(plan, &t);
    }
    eg_free(t.items);
    return status;
}
