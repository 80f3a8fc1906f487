/** The keys `seeds` and `select`: the seeds that every point runs, and those that the best points
 *  run afterwards. */
#include "sweep/plan_keys.h"

#include "engram/memory.h"
#include "engram/trial.h"

#include <string.h>

static const int64_t seed_max = (int64_t)1 << 53; /* exact in every file format and language */

/** Seeds in the order of the sweep file. */
typedef struct seeds {
    uint64_t *items; /* owned */
    size_t count;
} seeds;

static eg_status check_distinct(const eg_node *list, const seeds *all, const char *key)
{
    for (size_t i = 1; i < all->count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (all->items[k] == all->items[i]) {
                return eg_fail_at(&list->items[i]->at, "%s: seed %llu is listed twice", key,
                                  (unsigned long long)all->items[i]);
            }
        }
    }
    return eg_ok();
}

/** A count (first, first+1, …) or a list of seeds up to `most`. */
static eg_status read_list(seeds *out, const eg_node *node, const char *key, uint64_t first,
                           int64_t most)
{
    if (node->kind == EG_NODE_LIST) {
        if (node->count == 0) {
            return eg_fail_at(&node->at, "%s: an empty list", key);
        }
        if (node->count > EG_YAML_KEYS_MAX) {
            return eg_fail_at(&node->at, "%s: a list of at most %d; write a count for more", key,
                              (int)EG_YAML_KEYS_MAX);
        }
        EG_TRY(eg_alloc(&out->items, node->count, sizeof *out->items));
        out->count = node->count;
        for (size_t i = 0; i < node->count; i++) {
            int64_t seed = 0;
            EG_TRY(eg_node_integer(&seed, node->items[i], key, 0, most));
            out->items[i] = (uint64_t)seed;
        }
        return check_distinct(node, out, key);
    }
    int64_t number = 0;
    EG_TRY(eg_node_integer(&number, node, key, 1, EG_PLAN_TRIALS_MAX));
    EG_TRY(eg_alloc(&out->items, (size_t)number, sizeof *out->items));
    out->count = (size_t)number;
    for (size_t i = 0; i < out->count; i++) {
        out->items[i] = first + i;
    }
    return eg_ok();
}

static void note_largest(uint64_t *largest, const seeds *of)
{
    for (size_t i = 0; i < of->count; i++) {
        *largest = of->items[i] > *largest ? of->items[i] : *largest;
    }
}

/** One of the two keys; without it there is one seed, the first. */
static eg_status read_purpose(seeds *out, const eg_node *map, const char *of, const char *purpose,
                              uint64_t first)
{
    char key[64];
    const eg_node *node = eg_node_get(map, purpose);
    if (node == NULL) {
        EG_TRY(eg_alloc(&out->items, 1, sizeof *out->items));
        out->items[0] = first;
        out->count = 1;
        return eg_ok();
    }
    (void)strcpy(key, of);
    (void)strcat(key, ".");
    (void)strcat(key, purpose);
    return read_list(out, node, key, first, EG_PAIRED_SEED_MAX);
}

/** {order: …, init: …}: every pair of both, the order varying fastest. *largest: of each. */
static eg_status read_pairs(seeds *out, const eg_node *map, const char *key,
                            const eg_trial_seeds *first, eg_trial_seeds *largest)
{
    static const char *const keys[] = {"order", "init", NULL};
    seeds order = {0};
    seeds init = {0};
    eg_status status = eg_node_keys(map, keys, key);
    EG_TRY_DONE(status, status);
    if (map->count == 0) {
        status = eg_fail_at(&map->at, "%s needs order, init or both", key);
        goto done;
    }
    EG_TRY_DONE(status, read_purpose(&order, map, key, "order", first->order));
    EG_TRY_DONE(status, read_purpose(&init, map, key, "init", first->init));
    if ((double)order.count * (double)init.count > EG_PLAN_TRIALS_MAX) {
        status = eg_fail_at(&map->at, "%s: %zu x %zu are more than the %d trials a plan holds", key,
                            order.count, init.count, (int)EG_PLAN_TRIALS_MAX);
        goto done;
    }
    EG_TRY_DONE(status, eg_alloc(&out->items, order.count * init.count, sizeof *out->items));
    for (size_t i = 0; i < init.count; i++) {
        for (size_t o = 0; o < order.count; o++) {
            const eg_trial_seeds pair = {.order = order.items[o], .init = init.items[i]};
            out->items[out->count++] = eg_trial_seed_of(&pair);
        }
    }
    note_largest(&largest->order, &order);
    note_largest(&largest->init, &init);
done:
    eg_free(order.items);
    eg_free(init.items);
    return status;
}

bool eg_sweep_pairs_seeds(const eg_sweep *sweep)
{
    const eg_node *node = eg_sweep_key(sweep, "seeds");
    return node != NULL && node->kind == EG_NODE_MAP;
}

static eg_status read_first(eg_sweep *sweep, seeds *out, eg_trial_seeds *largest)
{
    static const eg_trial_seeds first = {0};
    const eg_node *node = eg_sweep_key(sweep, "seeds");
    if (node == NULL) {
        out->count = 1;
        return eg_alloc(&out->items, 1, sizeof *out->items);
    }
    if (node->kind == EG_NODE_MAP) {
        return read_pairs(out, node, "seeds", &first, largest);
    }
    EG_TRY(read_list(out, node, "seeds", 0, seed_max));
    note_largest(&largest->order, out);
    return eg_ok();
}

/** So many pairs of which neither seed was there before. */
static eg_status read_fresh_pairs(seeds *out, const eg_node *node, const eg_trial_seeds *next)
{
    if (node->kind == EG_NODE_LIST) {
        return eg_fail_at(&node->at, "select.seeds: where seeds are {order: …, init: …} they are "
                                     "such a map here, too, or a count");
    }
    EG_TRY(read_list(out, node, "select.seeds", 0, EG_PAIRED_SEED_MAX));
    for (size_t i = 0; i < out->count; i++) {
        const eg_trial_seeds pair = {.order = next->order + i, .init = next->init + i};
        out->items[i] = eg_trial_seed_of(&pair);
    }
    return eg_ok();
}

static eg_status check_fresh(const eg_node *node, const seeds *more, const seeds *first)
{
    for (size_t i = 0; i < more->count; i++) {
        const eg_origin *at = node->kind == EG_NODE_LIST ? &node->items[i]->at : &node->at;
        for (size_t k = 0; k < first->count; k++) {
            if (more->items[i] == first->items[k]) {
                return eg_fail_at(at, "select.seeds: seed %llu has already run in the first stage",
                                  (unsigned long long)first->items[k]);
            }
        }
    }
    return eg_ok();
}

static eg_status read_select(eg_sweep *sweep, seeds *out, size_t *best_count, const seeds *first,
                             const eg_trial_seeds *largest)
{
    static const char *const keys[] = {"best", "seeds", NULL};
    const eg_node *node = eg_sweep_key(sweep, "select");
    if (node == NULL || (node->kind == EG_NODE_SCALAR && strcmp(node->text, "off") == 0)) {
        return eg_ok();
    }
    EG_TRY(eg_node_expect(node, EG_NODE_MAP, "select"));
    EG_TRY(eg_node_keys(node, keys, "select"));
    const eg_node *best = eg_node_get(node, "best");
    const eg_node *more = eg_node_get(node, "seeds");
    if (best == NULL || more == NULL) {
        return eg_fail_at(&node->at, "select needs %s, as in {best: 3, seeds: 20}",
                          best == NULL ? "best" : "seeds");
    }
    int64_t number = 0;
    EG_TRY(eg_node_integer(&number, best, "select.best", 1, EG_PLAN_POINTS_MAX));
    *best_count = (size_t)number;
    const eg_trial_seeds next = {.order = largest->order + 1, .init = largest->init + 1};
    eg_trial_seeds unused = {0};
    bool paired = eg_sweep_pairs_seeds(sweep);
    if (more->kind == EG_NODE_MAP && !paired) {
        return eg_fail_at(&more->at, "select.seeds: a map of order and init needs seeds of that "
                                     "kind: seeds: {order: …, init: …}");
    }
    EG_TRY(more->kind == EG_NODE_MAP ? read_pairs(out, more, "select.seeds", &next, &unused)
           : paired                  ? read_fresh_pairs(out, more, &next)
                                     : read_list(out, more, "select.seeds", next.order, seed_max));
    return check_fresh(more, out, first);
}

eg_status eg_plan_read_seeds(eg_sweep *sweep, eg_plan *plan)
{
    seeds first = {0};
    seeds more = {0};
    eg_trial_seeds largest = {0};
    eg_status status = read_first(sweep, &first, &largest);
    if (status.code == EG_OK) {
        status = read_select(sweep, &more, &plan->select_best, &first, &largest);
    }
    plan->seeds = first.items;
    plan->seed_count = first.count;
    plan->select_seeds = more.items;
    plan->select_seed_count = more.count;
    return status;
}
