/** The points of a plan, each once: found by the content id of their first trial. */
#include "sweep/point_set.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <string.h>

enum { FIRST_SLOTS = 64 };

/** The slot that holds `id`, or the free one where it belongs. */
static size_t find_slot(const eg_point_set *set, uint64_t id)
{
    size_t slot = (size_t)id & (set->slot_count - 1);
    while (set->slots[slot] != 0 && set->ids[set->slots[slot] - 1] != id) {
        slot = (slot + 1) & (set->slot_count - 1);
    }
    return slot;
}

static eg_status make_room(eg_point_set *set, size_t count)
{
    if (set->slots != NULL && count * 2 < set->slot_count) {
        return eg_ok();
    }
    eg_point_set larger = *set;
    larger.slot_count = set->slots == NULL ? FIRST_SLOTS : set->slot_count * 2;
    EG_TRY(eg_alloc(&larger.slots, larger.slot_count, sizeof *larger.slots));
    for (size_t i = 0; i < count; i++) {
        larger.slots[find_slot(&larger, set->ids[i])] = i + 1;
    }
    eg_free(set->slots);
    *set = larger;
    return eg_ok();
}

/** Two different points with the same 64-bit id would silently become one. */
static eg_status check_same(const eg_settings *a, const eg_settings *b)
{
    char *first = NULL;
    char *second = NULL;
    eg_status status = eg_settings_text(&first, a, false);
    if (status.code == EG_OK) {
        status = eg_settings_text(&second, b, false);
    }
    if (status.code == EG_OK && strcmp(first, second) != 0) {
        status = eg_fail(EG_INTERNAL, "two different points have the same id");
    }
    eg_free(first);
    eg_free(second);
    return status;
}

/** Points have most settings in common: they keep what is their own. */
static eg_status share(eg_point_set *set, eg_settings **settings)
{
    bool shares = false;
    for (size_t i = 0; i < set->model_count && !shares; i++) {
        EG_TRY(eg_settings_share(settings, set->models[i], &shares));
    }
    if (!shares && set->model_count < EG_POINT_MODELS) {
        set->models[set->model_count++] = *settings;
    }
    return eg_ok();
}

static eg_status append(eg_point_set *set, eg_plan *plan, eg_settings *settings, uint64_t id,
                        size_t slot)
{
    double cost = 0;
    size_t count = plan->point_count;
    EG_TRY(eg_trial_cost(&cost, settings));
    EG_TRY(eg_grow(&set->ids, &set->id_capacity, count + 1, sizeof *set->ids));
    EG_TRY(eg_grow(&plan->points, &set->point_capacity, count + 1, sizeof *plan->points));
    EG_TRY(share(set, &settings));
    plan->points[count] = (eg_point){.settings = settings, .cost = cost};
    set->ids[count] = id;
    set->slots[slot] = count + 1;
    plan->point_count++;
    return eg_ok();
}

eg_status eg_point_set_add(eg_point_set *set, eg_plan *plan, eg_settings *settings)
{
    uint64_t id = 0;
    eg_status status = eg_trial_id(&id, settings, plan->seeds[0]);
    if (status.code == EG_OK) {
        status = make_room(set, plan->point_count);
    }
    if (status.code != EG_OK) {
        eg_settings_free(settings);
        return status;
    }
    size_t slot = find_slot(set, id);
    if (set->slots[slot] != 0) {
        status = check_same(plan->points[set->slots[slot] - 1].settings, settings);
        plan->duplicates++;
        eg_settings_free(settings);
        return status;
    }
    status = append(set, plan, settings, id, slot);
    if (status.code != EG_OK) {
        eg_settings_free(settings);
    }
    return status;
}

void eg_point_set_free(eg_point_set *set)
{
    eg_free(set->slots);
    eg_free(set->ids);
    *set = (eg_point_set){0};
}
