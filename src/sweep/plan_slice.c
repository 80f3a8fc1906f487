/** A slice of a plan, for one of several jobs that share a sweep.
 *
 *  Trials go to the slice that has the least to do so far (longest processing time first, Graham
 *  1969), replicate after replicate: so slices cost the same up to one trial, each has some seeds
 *  of everything early, and adding seeds to a sweep moves no trial to another slice. Stopping rules
 *  look at all replicates of a point: then a whole point goes to one slice. */
#include "engram/sweep.h"

#include "engram/memory.h"

#include <stdlib.h>

/** How much a slice has to do. */
typedef struct load {
    double cost;
    uint32_t slice;
} load;

/** Slices as a heap, the one with the least to do on top. */
typedef struct loads {
    load *items;
    size_t count;
} loads;

static bool less(const load *a, const load *b)
{
    return a->cost != b->cost ? a->cost < b->cost : a->slice < b->slice;
}

/** Gives `cost` to the slice on top and tells which that was. */
static uint32_t give(loads *all, double cost)
{
    load *items = all->items;
    uint32_t slice = items[0].slice;
    items[0].cost += cost;
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < all->count; child++) {
            least = less(&items[child], &items[least]) ? child : least;
        }
        if (least == at) {
            return slice;
        }
        load moved = items[at];
        items[at] = items[least];
        items[least] = moved;
        at = least;
    }
}

typedef struct costly {
    double cost;
    size_t point;
} costly;

static int costly_first(const void *a, const void *b)
{
    const costly *x = a;
    const costly *y = b;
    if (x->cost != y->cost) {
        return x->cost > y->cost ? -1 : 1;
    }
    return x->point < y->point ? -1 : 1;
}

/** owners [trial_count]: the slice of every trial. */
static void share_out(const eg_plan *plan, const costly *order, loads *all, uint32_t *owners)
{
    bool whole_points = plan->stop_count > 0;
    size_t rounds = whole_points ? 1 : plan->seed_count;
    for (size_t r = 0; r < rounds; r++) {
        for (size_t i = 0; i < plan->point_count; i++) {
            size_t point = order[i].point;
            uint32_t owner = give(all, order[i].cost);
            for (size_t k = r; k < (whole_points ? plan->seed_count : r + 1); k++) {
                owners[eg_plan_find(plan, point, k)] = owner;
            }
        }
    }
}

static eg_status check(const eg_plan *plan, size_t slice, size_t count)
{
    for (size_t i = 0; i < plan->stop_count; i++) {
        if (plan->stop[i].kind->compares != NULL) {
            return eg_fail(EG_INVALID,
                           "slice %zu/%zu: stop %s compares points, which must then be in one "
                           "results file; run the sweep in one piece, or with stop=off",
                           slice, count, plan->stop[i].kind->component.name);
        }
    }
    bool whole_points = plan->stop_count > 0;
    size_t parts = whole_points ? plan->point_count : plan->trial_count;
    if (slice == 0 || slice > count) {
        return eg_fail(EG_INVALID, "slice %zu/%zu: the first number must be 1 to %zu", slice, count,
                       count);
    }
    if (count > parts) {
        return eg_fail(EG_INVALID,
                       "slice %zu/%zu: the sweep has only %zu %s to share out%s; use at most %zu "
                       "slices",
                       slice, count, parts, whole_points ? "points" : "trials",
                       whole_points ? " (stopping rules keep a point's seeds together)" : "",
                       parts);
    }
    return eg_ok();
}

eg_status eg_plan_slice(eg_plan *plan, size_t slice, size_t count)
{
    EG_TRY(check(plan, slice, count));
    costly *order = NULL;
    uint32_t *owners = NULL;
    loads all = {.count = count};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&order, plan->point_count, sizeof *order));
    EG_TRY_DONE(status, eg_alloc(&owners, plan->trial_count, sizeof *owners));
    EG_TRY_DONE(status, eg_alloc(&all.items, count, sizeof *all.items));
    for (size_t i = 0; i < count; i++) {
        all.items[i] = (load){.slice = (uint32_t)i + 1};
    }
    for (size_t p = 0; p < plan->point_count; p++) {
        order[p] = (costly){.cost = plan->points[p].cost, .point = p};
    }
    qsort(order, plan->point_count, sizeof *order, costly_first);
    share_out(plan, order, &all, owners);
    size_t kept = 0;
    for (size_t t = 0; t < plan->trial_count; t++) {
        if (owners[t] == slice) {
            plan->trials[kept++] = plan->trials[t];
        }
    }
    plan->trial_count = kept;
    plan->first_count = kept;
    plan->slice = slice;
    plan->slice_count = count;
done:
    eg_free(order);
    eg_free(owners);
    eg_free(all.items);
    return status;
}
