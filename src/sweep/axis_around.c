/** The axis of one-at-a-time studies: a reference point, and every value of every parameter alone.
 *
 *      around: {at: {optimizer.lr: 1e-3, stream.batch: 32},
 *               vary: {optimizer.lr: [1e-4, 1e-2], stream.batch: [8, 128]}}
 *
 *  gives the reference and one point per value: 1 + 2 + 2. */
#include "sweep/axis.h"

#include <string.h>

/** The reference, and with `choice` one parameter that is something else. */
static eg_status add_choice(eg_sweep *sweep, eg_axis *axis, const eg_assignments *at,
                            const eg_choice *choice)
{
    size_t more = choice == NULL ? 0 : choice->count;
    eg_assignment *items = NULL;
    EG_TRY(eg_arena_alloc(sweep->arena, &items, at->count + more, sizeof *items));
    if (at->count > 0) {
        memcpy(items, at->items, at->count * sizeof *items);
    }
    if (more > 0) {
        memcpy(items + at->count, choice->items, more * sizeof *items); /* it has the last word */
    }
    axis->choices[axis->count++] = (eg_choice){.items = items, .count = at->count + more};
    return eg_ok();
}

eg_status eg_axes_around(eg_sweep *sweep, eg_axes *axes, const eg_node *map)
{
    static const char *const keys[] = {"at", "vary", NULL};
    EG_TRY(eg_node_expect(map, EG_NODE_MAP, "around"));
    EG_TRY(eg_node_keys(map, keys, "around"));
    const eg_node *reference = eg_node_get(map, "at");
    const eg_node *vary = eg_node_get(map, "vary");
    if (vary == NULL) {
        return eg_fail_at(&map->at,
                          "around needs vary, as in {vary: {optimizer.lr: [1e-4, 1e-2]}}: values "
                          "that each parameter takes alone");
    }
    EG_TRY(eg_node_expect(vary, EG_NODE_MAP, "around.vary"));
    if (vary->count == 0) {
        return eg_fail_at(&vary->at, "around.vary is empty");
    }
    eg_assignments at = {0};
    if (reference != NULL) {
        EG_TRY(eg_node_expect(reference, EG_NODE_MAP, "around.at"));
        EG_TRY(eg_sweep_flatten(sweep, "", reference, &at));
    }
    eg_axes varied = {0};
    EG_TRY(eg_axes_grid(sweep, &varied, "", vary));
    EG_TRY(eg_axes_check(&varied));
    size_t count = 1;
    for (size_t i = 0; i < varied.count; i++) {
        count += varied.items[i].count;
    }
    eg_axis axis = {.label = "around", .name = "around", .at = map->at};
    EG_TRY(eg_arena_alloc(sweep->arena, &axis.choices, count, sizeof *axis.choices));
    EG_TRY(add_choice(sweep, &axis, &at, NULL));
    for (size_t i = 0; i < varied.count; i++) {
        for (size_t k = 0; k < varied.items[i].count; k++) {
            EG_TRY(add_choice(sweep, &axis, &at, &varied.items[i].choices[k]));
        }
    }
    return eg_axes_add(sweep, axes, &axis);
}
