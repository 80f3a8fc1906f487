/** From blocks to points: products, conditions, resolving, checking, exclusion, and counting points
 *  once. */
#include "sweep/block.h"

#include "base/shared/resolver.h"
#include "base/shared/settings_help.h"
#include "base/shared/value.h"
#include "engram/memory.h"
#include "engram/trial.h"
#include "sweep/baselines.h"
#include "sweep/point_set.h"

#include <stdio.h>
#include <string.h>

struct eg_expansion {
    eg_sweep *sweep;
    eg_blocks *blocks;
    eg_plan *plan;
    eg_resolver *resolver;
    eg_point_set points;
    double visited; /* points made so far, duplicates and excluded ones too */
    /* The block in work. One point's assignments lie in a row:
     *   [top base][block base][choices of axes, override axes and whens][overrides] */
    eg_block *block;
    eg_axes axes;
    eg_assignment *items;
    bool *used;
    size_t point; /* that was finished last */
};

static size_t base_count(const eg_expansion *e)
{
    return e->blocks->base.count + e->block->base.count;
}

/* Sizes, before anything is made --------------------------------------------------------------- */

/** "1000 x 1000 x 1000 = ", or nothing for a single axis, whose number follows anyway. */
static void print_product(char *out, size_t size, const eg_axes *axes)
{
    out[0] = '\0';
    for (size_t i = 0; axes->count > 1 && i < axes->count; i++) {
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%zu%s", axes->items[i].count,
                       i + 1 < axes->count ? " x " : " = ");
    }
}

static eg_status check_size(const eg_expansion *e, double points)
{
    double seeds = (double)e->plan->seed_count;
    char product[160];
    print_product(product, sizeof product, &e->axes);
    if (points * seeds > EG_PLAN_TRIALS_MAX) {
        return eg_fail_at(&e->block->at,
                          "the grid gives %s%.15g points, with %zu seed%s %.15g trials; a plan "
                          "holds at most %d trials",
                          product, points, e->plan->seed_count, seeds == 1 ? "" : "s",
                          points * seeds, (int)EG_PLAN_TRIALS_MAX);
    }
    if (points > EG_PLAN_POINTS_MAX) {
        return eg_fail_at(&e->block->at,
                          "the grid gives %s%.15g points; a plan holds at most %d points", product,
                          points, (int)EG_PLAN_POINTS_MAX);
    }
    return eg_ok();
}

static eg_status count_point(eg_expansion *e)
{
    e->visited++;
    if (e->visited > EG_PLAN_POINTS_MAX ||
        e->visited * (double)e->plan->seed_count > EG_PLAN_TRIALS_MAX) {
        return eg_fail_at(&e->block->at,
                          "together the blocks and conditions give more than %.15g points; a plan "
                          "holds at most %d points and %d trials",
                          e->visited - 1, (int)EG_PLAN_POINTS_MAX, (int)EG_PLAN_TRIALS_MAX);
    }
    return eg_ok();
}

/* One point ------------------------------------------------------------------------------------ */

/** The failure with the point's own settings behind it, as many as the message has room for. */
static eg_status name_point(const eg_expansion *e, eg_status status, size_t count)
{
    size_t first = base_count(e);
    if (status.code != EG_INVALID || count <= first + 1) {
        return status;
    }
    for (size_t i = first; i < count; i++) {
        size_t used = strlen(status.message);
        int length = snprintf(status.message + used, sizeof status.message - used, "%s%s=%s%s",
                              i == first ? " (at the point " : ", ", e->items[i].name,
                              e->items[i].value, i + 1 == count ? ")" : "");
        if (length < 0 || (size_t)length >= sizeof status.message - used) {
            status.message[used] = '\0';
            break;
        }
    }
    return status;
}

/** The assignment that has the last word on this setting; NULL: there is none. */
static const eg_assignment *last_assignment(const eg_expansion *e, size_t total, const char *name,
                                            size_t length)
{
    for (size_t i = total; i-- > 0;) {
        const char *own = e->items[i].name;
        if (strncmp(own, name, length) == 0 && own[length] == '\0') {
            return &e->items[i];
        }
    }
    return NULL;
}

/** Settings that resolve may still not work together. The first of those it is about that somebody
 *  gave is where to look. */
static eg_status locate(const eg_expansion *e, eg_status status, size_t total)
{
    const eg_assignment *found = NULL;
    const char *name = status.settings;
    while (found == NULL && *name != '\0') {
        size_t length = strcspn(name, " ");
        found = last_assignment(e, total, name, length);
        name += length + (name[length] == ' ' ? 1 : 0);
    }
    return eg_origin_wrap(status, found != NULL ? &found->origin : &e->block->at);
}

/** An unused assignment is a mistake unless it comes from a base or the command line. */
static eg_status check_used(const eg_expansion *e, const eg_settings *settings, size_t count)
{
    for (size_t i = base_count(e); i < count; i++) {
        if (!e->used[i] && !eg_sweep_inside_override(e->sweep, e->items[i].name)) {
            return eg_origin_wrap(eg_settings_unknown(e->sweep->schema, settings, e->items[i].name),
                                  &e->items[i].origin);
        }
    }
    return eg_ok();
}

static void remember_used(eg_expansion *e, size_t count)
{
    eg_assignments *lists[] = {&e->blocks->base, &e->block->base};
    const bool *used = e->used;
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            lists[l]->used[i] = lists[l]->used[i] || used[i];
        }
        used += lists[l]->count;
    }
    for (size_t i = 0; i < e->blocks->overrides.count; i++) {
        e->blocks->overrides.used[i] = e->blocks->overrides.used[i] || e->used[count + i];
    }
}

static bool matches_any(eg_filter *filters, size_t count, const eg_settings *settings)
{
    bool matched = false;
    for (size_t i = 0; i < count; i++) {
        if (eg_filter_matches(&filters[i], settings)) {
            filters[i].matched++;
            matched = true;
        }
    }
    return matched;
}

/** Resolves the first `count` assignments and the overrides. */
static eg_status resolve(eg_expansion *e, size_t count, const eg_settings **out, eg_status *missing)
{
    const eg_assignments *overrides = &e->blocks->overrides;
    size_t total = count + overrides->count;
    if (overrides->count > 0) {
        memcpy(e->items + count, overrides->items, overrides->count * sizeof *e->items);
    }
    return eg_resolver_resolve(e->resolver, e->items, total, e->used, missing, out);
}

static eg_status check_point(eg_expansion *e, const eg_settings *settings, size_t count,
                             eg_status missing)
{
    EG_TRY(check_used(e, settings, count));
    if (missing.code != EG_OK) {
        return eg_origin_wrap(missing, &e->block->at);
    }
    remember_used(e, count);
    eg_status status = eg_trial_check(settings);
    return status.code == EG_INVALID ? locate(e, status, count + e->blocks->overrides.count)
                                     : status;
}

/** The first `count` assignments are complete: a point. */
static eg_status finish_point(eg_expansion *e, size_t count)
{
    const eg_settings *settings = NULL;
    eg_status missing;
    EG_TRY(count_point(e));
    eg_status status = resolve(e, count, &settings, &missing);
    if (status.code == EG_OK) {
        status = check_point(e, settings, count, missing);
    }
    if (status.code != EG_OK) {
        return name_point(e, status, count);
    }
    const eg_blocks *all = e->blocks;
    bool left_out = matches_any(e->block->excludes, e->block->exclude_count, settings);
    left_out = matches_any(all->excludes, all->exclude_count, settings) || left_out;
    left_out =
        (all->only_count > 0 && !matches_any(all->onlys, all->only_count, settings)) || left_out;
    if (left_out) {
        e->plan->excluded++;
        return eg_ok();
    }
    return eg_point_set_add(&e->points, e->plan, settings, e->resolver, &e->point);
}

/** Applies conditions `next` and later to the point of `count` assignments. Recursion is bounded by
 *  the number of conditions. */
static eg_status apply_whens(eg_expansion *e, size_t next, size_t count)
{
    if (next == e->block->when_count) {
        return finish_point(e, count);
    }
    eg_when *when = &e->block->whens[next];
    const eg_settings *settings = NULL;
    eg_status missing;
    eg_status status = resolve(e, count, &settings, &missing);
    if (status.code != EG_OK) {
        return name_point(e, status, count);
    }
    if (!eg_filter_matches(&when->filter, settings)) {
        return apply_whens(e, next + 1, count);
    }
    when->filter.matched++;
    double product = eg_axes_product(&when->grid);
    if (product > EG_PLAN_POINTS_MAX) {
        return eg_fail_at(&when->filter.at,
                          "this grid gives %.15g points; a plan holds at most %d points", product,
                          (int)EG_PLAN_POINTS_MAX);
    }
    for (size_t i = 0; i < (size_t)product; i++) {
        size_t longer = count;
        eg_axes_pick(&when->grid, i, e->items, &longer);
        EG_TRY(apply_whens(e, next + 1, longer));
    }
    return eg_ok();
}

/* Blocks --------------------------------------------------------------------------------------- */

static void append_base(eg_expansion *e, const eg_assignments *list, size_t *count)
{
    if (list->count > 0) {
        memcpy(e->items + *count, list->items, list->count * sizeof *e->items);
    }
    *count += list->count;
}

/** Everything the block's points need before there is one. */
static eg_status begin_block(eg_expansion *e, eg_block *block)
{
    eg_sweep *sweep = e->sweep;
    e->block = block;
    e->axes = (eg_axes){0};
    for (size_t i = 0; i < e->block->axes.count; i++) {
        EG_TRY(eg_axes_add(sweep, &e->axes, &e->block->axes.items[i]));
    }
    for (size_t i = 0; i < e->blocks->override_axes.count; i++) {
        EG_TRY(eg_axes_add(sweep, &e->axes, &e->blocks->override_axes.items[i]));
    }
    size_t width = base_count(e) + eg_axes_width(&e->axes) + e->blocks->overrides.count;
    for (size_t i = 0; i < e->block->when_count; i++) {
        width += eg_axes_width(&e->block->whens[i].grid);
    }
    EG_TRY(eg_arena_alloc(sweep->arena, &e->items, width, sizeof *e->items));
    return eg_arena_alloc(sweep->arena, &e->used, width, sizeof *e->used);
}

/** The assignments that all points of the block have; how many. */
static size_t append_bases(eg_expansion *e)
{
    size_t fixed = 0;
    append_base(e, &e->blocks->base, &fixed);
    append_base(e, &e->block->base, &fixed);
    return fixed;
}

static eg_status expand_block(eg_expansion *e, eg_block *block)
{
    EG_TRY(begin_block(e, block));
    double points = eg_axes_product(&e->axes);
    EG_TRY(check_size(e, points));
    size_t fixed = append_bases(e);
    for (size_t i = 0; i < (size_t)points; i++) {
        size_t count = fixed;
        eg_axes_pick(&e->axes, i, e->items, &count);
        EG_TRY(apply_whens(e, 0, count));
    }
    return eg_ok();
}

/** A base setting that no point has. What the command line chose may leave settings of the file
 *  without effect, but not its own. */
static eg_status check_base(const eg_expansion *e, const eg_assignments *list)
{
    bool own = list == &e->blocks->overrides;
    for (size_t i = 0; i < list->count; i++) {
        const eg_assignment *item = &list->items[i];
        if (list->used[i] || (!own && eg_sweep_inside_override(e->sweep, item->name))) {
            continue;
        }
        eg_status status =
            eg_settings_unknown(e->sweep->schema, e->plan->points[0].settings, item->name);
        status =
            e->plan->point_count > 1 ? eg_status_wrap(status, "no point has this setting") : status;
        return eg_origin_wrap(status, &item->origin);
    }
    return eg_ok();
}

static eg_status warn_idle(eg_sweep *sweep, const eg_filter *filter, const char *what)
{
    return filter->matched > 0
               ? eg_ok()
               : eg_sweep_warn(sweep, "%s:%u:%u: this entry of %s matches no point",
                               filter->at.file, filter->at.line, filter->at.column, what);
}

static eg_status warn_all_idle(eg_sweep *sweep, const eg_blocks *blocks)
{
    for (size_t i = 0; i < blocks->exclude_count; i++) {
        EG_TRY(warn_idle(sweep, &blocks->excludes[i], "exclude"));
    }
    for (size_t i = 0; i < blocks->only_count; i++) {
        EG_TRY(warn_idle(sweep, &blocks->onlys[i], "only"));
    }
    for (size_t b = 0; b < blocks->count; b++) {
        const eg_block *block = &blocks->items[b];
        for (size_t i = 0; i < block->exclude_count; i++) {
            EG_TRY(warn_idle(sweep, &block->excludes[i], "exclude"));
        }
        for (size_t i = 0; i < block->when_count; i++) {
            EG_TRY(warn_idle(sweep, &block->whens[i].filter, "when"));
        }
    }
    return eg_ok();
}

static eg_status expand_all(eg_expansion *e)
{
    for (size_t i = 0; i < e->blocks->count; i++) {
        EG_TRY(expand_block(e, &e->blocks->items[i]));
    }
    if (e->plan->point_count == 0) {
        return eg_fail_at(&e->blocks->items[0].at,
                          "no point is left: exclude and only remove all %zu", e->plan->excluded);
    }
    EG_TRY(check_base(e, &e->blocks->base));
    EG_TRY(check_base(e, &e->blocks->overrides));
    for (size_t i = 0; i < e->blocks->count; i++) {
        EG_TRY(check_base(e, &e->blocks->items[i].base));
    }
    EG_TRY(warn_all_idle(e->sweep, e->blocks));
    return eg_baselines_add(e->sweep, e->plan, &e->points, e->resolver);
}

eg_status eg_blocks_expand(eg_sweep *sweep, eg_blocks *blocks, eg_plan *plan,
                           eg_stream_orders *orders, uint64_t **ids)
{
    eg_expansion e = {.sweep = sweep, .blocks = blocks, .plan = plan, .points = {.orders = orders}};
    EG_TRY(eg_resolver_create(&e.resolver, sweep->schema));
    eg_status status = expand_all(&e);
    eg_resolver_free(e.resolver);
    *ids = eg_point_set_clear(&e.points);
    return status;
}

/* One point after the other -------------------------------------------------------------------- */

eg_status eg_expansion_create(eg_expansion **out, eg_sweep *sweep, eg_blocks *blocks, eg_plan *plan,
                              eg_stream_orders *orders)
{
    EG_TRY(eg_alloc(out, 1, sizeof **out));
    eg_expansion *e = *out;
    *e = (eg_expansion){
        .sweep = sweep, .blocks = blocks, .plan = plan, .points = {.orders = orders}};
    EG_TRY(eg_resolver_create(&e->resolver, sweep->schema));
    return begin_block(e, &blocks->items[0]);
}

void eg_expansion_free(eg_expansion *expansion)
{
    if (expansion != NULL) {
        eg_resolver_free(expansion->resolver);
        eg_free(eg_point_set_clear(&expansion->points));
        eg_free(expansion);
    }
}

eg_status eg_expansion_add(eg_expansion *expansion, const eg_assignment *items, size_t count,
                           size_t *point)
{
    size_t fixed = append_bases(expansion);
    memcpy(expansion->items + fixed, items, count * sizeof *items);
    EG_TRY(finish_point(expansion, fixed + count));
    *point = expansion->point;
    return eg_ok();
}

uint64_t eg_expansion_id(const eg_expansion *expansion, size_t point)
{
    return expansion->points.ids[point];
}
