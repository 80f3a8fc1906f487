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
        larger.slots[find_slot(&larger, set->ids[i])] = (uint32_t)(i + 1);
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

static eg_status append(eg_point_set *set, eg_plan *plan, const eg_settings *settings, uint64_t id,
                        eg_resolver *resolver)
{
    double cost = 0;
    size_t count = plan->point_count;
    EG_TRY(eg_trial_cost(&cost, settings));
    EG_TRY(eg_grow(&set->ids, &set->id_capacity, count + 1, sizeof *set->ids));
    EG_TRY(eg_grow(&plan->points, &set->point_capacity, count + 1, sizeof *plan->points));
    plan->points[count].cost = cost;
    EG_TRY(eg_resolver_keep(resolver, &plan->points[count].settings));
    set->ids[count] = id;
    plan->point_count++;
    return eg_ok();
}

eg_status eg_point_set_add(eg_point_set *set, eg_plan *plan, const eg_settings *settings,
                           eg_resolver *resolver, size_t *point)
{
    uint64_t id = 0;
    EG_TRY(eg_trial_ids(&id, settings, plan->seeds, 1, set->orders));
    EG_TRY(make_room(set, plan->point_count));
    size_t slot = find_slot(set, id);
    if (set->slots[slot] != 0) {
        plan->duplicates++;
        *point = set->slots[slot] - 1;
        return check_same(plan->points[*point].settings, settings);
    }
    EG_TRY(append(set, plan, settings, id, resolver));
    set->slots[slot] = (uint32_t)plan->point_count;
    *point = plan->point_count - 1;
    return eg_ok();
}

uint64_t *eg_point_set_clear(eg_point_set *set)
{
    uint64_t *ids = set->ids;
    eg_free(set->slots);
    *set = (eg_point_set){0};
    return ids;
}
