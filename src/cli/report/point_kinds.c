/** Points by what they cost; see cli/report/point_kinds.h. */
#include "cli/report/point_kinds.h"

#include "engram/memory.h"
#include "engram/pack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool tells_kinds_apart(const eg_setting *setting)
{
    static const char activation[] = "model.activation.";
    return strncmp(setting->name, activation, sizeof activation - 1) != 0 &&
           setting->param->type != EG_TYPE_TEXT;
}

static eg_status key_of(uint64_t *out, const eg_settings *settings)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (!tells_kinds_apart(setting)) {
            continue;
        }
        eg_write_text(&writer, setting->name);
        if (setting->param->type == EG_TYPE_REAL) {
            eg_write_u8(&writer, setting->value.real != 0);
        } else {
            eg_write_text(&writer, setting->value.text);
        }
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_clear(&writer);
    return status;
}

/** Does a point have the key of the one before? Known without making it where they share their
 *  settings; false says nothing. */
static bool same_key(const eg_settings *before, const eg_settings *settings)
{
    bool same = eg_settings_alike(before, settings);
    for (size_t i = 0; same && i < eg_settings_count(settings); i++) {
        const eg_setting *here = eg_settings_at(settings, i);
        const eg_setting *there = eg_settings_at(before, i);
        bool real = here->param->type == EG_TYPE_REAL;
        same = here == there || !tells_kinds_apart(here) ||
               (real && (here->value.real != 0) == (there->value.real != 0));
    }
    return same;
}

static int by_key(const void *a, const void *b)
{
    const eg_point_kind *x = a;
    const eg_point_kind *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->example < y->example ? -1 : x->example > y->example;
}

typedef struct place {
    double cost;
    size_t example, kind;
} place;

static int dearest_first(const void *a, const void *b)
{
    const place *x = a;
    const place *y = b;
    if (x->cost != y->cost) {
        return x->cost > y->cost ? -1 : 1;
    }
    return x->example < y->example ? -1 : x->example > y->example;
}

static eg_status put_in_order(eg_point_kinds *kinds)
{
    place *places = NULL;
    EG_TRY(eg_alloc(&kinds->order, kinds->count, sizeof *kinds->order));
    EG_TRY(eg_alloc(&places, kinds->count, sizeof *places));
    for (size_t k = 0; k < kinds->count; k++) {
        places[k] = (place){kinds->items[k].cost, kinds->items[k].example, k};
    }
    qsort(places, kinds->count, sizeof *places, dearest_first);
    for (size_t k = 0; k < kinds->count; k++) {
        kinds->order[k] = places[k].kind;
    }
    eg_free(places);
    return eg_ok();
}

/** The kind with this key. */
static size_t find(const eg_point_kinds *kinds, uint64_t key)
{
    size_t low = 0;
    size_t high = kinds->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kinds->items[middle].key < key) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/** From a row per point, sorted by key, to a row per key. */
static void join(eg_point_kinds *kinds, size_t points)
{
    for (size_t i = 0; i < points; i++) {
        const eg_point_kind one = kinds->items[i];
        if (kinds->count > 0 && kinds->items[kinds->count - 1].key == one.key) {
            eg_point_kind *last = &kinds->items[kinds->count - 1];
            last->points++;
            last->cost += one.cost;
        } else {
            kinds->items[kinds->count++] = one;
        }
    }
}

eg_status eg_point_kinds_find(eg_point_kinds *out, const eg_plan *plan)
{
    *out = (eg_point_kinds){0};
    EG_TRY(eg_alloc(&out->items, plan->point_count, sizeof *out->items));
    EG_TRY(eg_alloc(&out->of, plan->point_count, sizeof *out->of));
    uint64_t *keys = NULL;
    EG_TRY(eg_alloc(&keys, plan->point_count, sizeof *keys));
    eg_status status = eg_ok();
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_settings *settings = plan->points[p].settings;
        if (p > 0 && same_key(plan->points[p - 1].settings, settings)) {
            keys[p] = keys[p - 1];
        } else {
            EG_TRY_DONE(status, key_of(&keys[p], settings));
        }
        out->items[p] =
            (eg_point_kind){.key = keys[p], .example = p, .points = 1, .rate = (double)NAN};
    }
    for (size_t t = 0; t < plan->trial_count; t++) {
        size_t point = plan->trials[t].point;
        out->items[point].cost += plan->points[point].cost;
    }
    qsort(out->items, plan->point_count, sizeof *out->items, by_key);
    join(out, plan->point_count);
    for (size_t p = 0; p < plan->point_count; p++) {
        out->of[p] = find(out, keys[p]);
    }
    status = put_in_order(out);
done:
    eg_free(keys);
    return status;
}

void eg_point_kinds_clear(eg_point_kinds *kinds)
{
    eg_free(kinds->items);
    eg_free(kinds->of);
    eg_free(kinds->order);
    *kinds = (eg_point_kinds){0};
}
