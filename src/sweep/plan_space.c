/** Plans whose points are suggested; see engram/space.h. The sweep file stays as it was read while
 *  the plan lives, so that a point can be made of it at any time. */
#include "sweep/plan_space.h"

#include "engram/memory.h"
#include "engram/space.h"
#include "engram/trial.h"
#include "sweep/plan_keys.h"

#include <string.h>

/* A plan is written into the journal with every batch. */
enum { SUGGESTIONS_MAX = 10000 };

struct eg_space {
    eg_arena arena; /* of all that follows */
    eg_sweep sweep;
    eg_blocks blocks;
    eg_stream_orders orders;
    eg_expansion *expansion;
    const struct eg_sample *sample;
    eg_space_variable *variables;
    size_t variable_count;
    eg_assignment *items; /* of one point */
};

void eg_space_free(eg_space *space)
{
    if (space != NULL) {
        eg_expansion_free(space->expansion);
        eg_stream_orders_clear(&space->orders);
        eg_arena_clear(&space->arena);
        eg_free(space);
    }
}

/** --- Reading --------------------------------------------------------------------------------- */

/** What makes points or leaves some out, beside the sample. */
static eg_status refuse_keys(const eg_sweep *sweep)
{
    static const char *const others[] = {"grid", "zip",     "around", "points",   "blocks",
                                         "when", "exclude", "only",   "baselines"};
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        const eg_node *node = eg_sweep_key(sweep, others[i]);
        if (node != NULL) {
            return eg_fail_at(&node->at,
                              "--ask: a tuner chooses what `sample` draws, and nothing else makes "
                              "points or leaves some out: remove %s, or write its values as "
                              "choices of sample.settings",
                              others[i]);
        }
    }
    return eg_ok();
}

/** Rules that decide while trials run are made for all points of a plan. */
static eg_status refuse_rules(const eg_sweep *sweep, const eg_plan *plan)
{
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_stop_kind *kind = plan->stop[i].kind;
        if (kind->look == NULL) {
            const eg_node *node = eg_sweep_key(sweep, "stop");
            const eg_origin whole = {.file = sweep->path};
            return eg_fail_at(
                node == NULL ? &whole : &node->at,
                "--ask: stop %s needs all points from the beginning; early_cut looks at "
                "each when it has run",
                kind->component.name);
        }
    }
    return eg_ok();
}

static eg_status find_sample(eg_space *space)
{
    const eg_origin whole = {.file = space->sweep.path};
    const eg_node *node = eg_sweep_key(&space->sweep, "sample");
    if (node == NULL) {
        return eg_fail_at(&whole, "--ask: the sweep has no `sample`, whose settings are what a "
                                  "tuner chooses");
    }
    EG_TRY(eg_blocks_read(&space->sweep, &space->blocks));
    const eg_axes *axes = &space->blocks.items[0].axes;
    if (axes->count == 0) {
        return eg_fail_at(&node->at, "--ask: the command line gives all settings of the sample");
    }
    if (space->blocks.override_axes.count > 0) {
        const eg_axis *axis = &space->blocks.override_axes.items[0];
        return eg_fail_at(&axis->at,
                          "--ask: %s has several values; a tuner chooses among those of "
                          "sample.settings alone",
                          axis->name);
    }
    space->sample = axes->items[0].sample;
    return eg_ok();
}

static eg_status find_variables(eg_space *space)
{
    const eg_axes *parts = eg_sweep_sample_parts(space->sample);
    EG_TRY(
        eg_arena_alloc(&space->arena, &space->variables, parts->count, sizeof(eg_space_variable)));
    EG_TRY(
        eg_arena_alloc(&space->arena, &space->items, eg_axes_width(parts), sizeof(eg_assignment)));
    for (size_t i = 0; i < parts->count; i++) {
        EG_TRY(eg_sweep_sample_variable(&space->variables[i], &space->sweep, space->sample, i));
        space->variable_count++;
    }
    return eg_ok();
}

eg_status eg_plan_read_space(eg_plan *plan, const eg_plan_source *from)
{
    EG_TRY(eg_alloc(&plan->space, 1, sizeof *plan->space));
    eg_space *space = plan->space;
    space->sweep = (eg_sweep){.arena = &space->arena, .schema = eg_trial_schema()};
    EG_TRY(eg_arena_copy(&space->arena, &space->sweep.path, from->path, strlen(from->path)));
    /* With its draws, so that whatever is wrong with the sweep shows now. */
    EG_TRY(eg_plan_fill(plan, &space->sweep, from));
    EG_TRY(refuse_keys(&space->sweep));
    EG_TRY(refuse_rules(&space->sweep, plan));
    EG_TRY(find_sample(space));
    EG_TRY(find_variables(space));
    plan->suggestions = space->blocks.items[0].axes.items[0].count;
    plan->batch = eg_sweep_sample_batch(space->sample);
    if (plan->suggestions > SUGGESTIONS_MAX) {
        const eg_node *node = eg_sweep_key(&space->sweep, "sample");
        return eg_fail_at(&node->at,
                          "--ask: sample.count is %zu; a tuner is asked for at most %d "
                          "points",
                          plan->suggestions, (int)SUGGESTIONS_MAX);
    }
    eg_plan_forget_points(plan);
    plan->duplicates = 0;
    return eg_expansion_create(&space->expansion, &space->sweep, &space->blocks, plan,
                               &space->orders);
}

/** --- Using ----------------------------------------------------------------------------------- */

const eg_space_variable *eg_plan_variables(const eg_plan *plan, size_t *count)
{
    *count = plan->space->variable_count;
    return plan->space->variables;
}

int64_t eg_plan_space_seed(const eg_plan *plan)
{
    return eg_sweep_sample_seed(plan->space->sample);
}

size_t eg_plan_points_max(const eg_plan *plan)
{
    return plan->suggestions > plan->point_count ? plan->suggestions : plan->point_count;
}

static eg_status suggest_one(eg_plan *plan, const eg_space_value *values, size_t *point)
{
    eg_space *space = plan->space;
    size_t count = 0;
    for (size_t i = 0; i < space->variable_count; i++) {
        EG_TRY(eg_sweep_sample_choose(&space->sweep, space->sample, i, values[i], space->items,
                                      &count));
    }
    return eg_expansion_add(space->expansion, space->items, count, point);
}

/** All seeds of the points from `first` on. */
static eg_status append_trials(eg_plan *plan, size_t first)
{
    eg_space *space = plan->space;
    uint64_t *ids = NULL;
    size_t count = plan->point_count * plan->seed_count;
    EG_TRY(eg_grow(&plan->trials, &plan->trial_capacity, count, sizeof *plan->trials));
    EG_TRY(eg_alloc(&ids, plan->seed_count, sizeof *ids));
    eg_status status = eg_ok();
    for (size_t p = first; p < plan->point_count && status.code == EG_OK; p++) {
        ids[0] = eg_expansion_id(space->expansion, p);
        if (plan->seed_count > 1) {
            status = eg_trial_ids(ids + 1, plan->points[p].settings, plan->seeds + 1,
                                  plan->seed_count - 1, &space->orders);
        }
        for (size_t r = 0; r < plan->seed_count; r++) {
            plan->trials[p * plan->seed_count + r] = (eg_plan_trial){.id = ids[r],
                                                                     .point = (uint32_t)p,
                                                                     .replicate = (uint32_t)r,
                                                                     .seed = plan->seeds[r]};
        }
    }
    eg_free(ids);
    plan->trial_count = plan->first_count = count;
    plan->compared_count = plan->point_count;
    return status;
}

eg_status eg_plan_suggest(eg_plan *plan, const eg_space_value *values, size_t count, size_t *points)
{
    size_t first = plan->point_count;
    for (size_t i = 0; i < count; i++) {
        EG_TRY(suggest_one(plan, values + i * plan->space->variable_count, &points[i]));
    }
    EG_TRY(append_trials(plan, first));
    eg_plan_forget_swept(plan);
    return eg_plan_find_swept(plan);
}
