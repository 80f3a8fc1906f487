/** Axes: the values of one setting as a list of choices, and the product of several axes. */
#include "sweep/axis.h"

#include "base/shared/value.h"

#include <string.h>

eg_status eg_axes_add(eg_sweep *sweep, eg_axes *axes, const eg_axis *axis)
{
    EG_TRY(eg_arena_grow(sweep->arena, &axes->items, &axes->capacity, axes->count + 1,
                         sizeof *axes->items));
    axes->items[axes->count++] = *axis;
    return eg_ok();
}

double eg_axes_product(const eg_axes *axes)
{
    double product = 1;
    for (size_t i = 0; i < axes->count; i++) {
        product *= (double)axes->items[i].count;
    }
    return product;
}

size_t eg_axes_width(const eg_axes *axes)
{
    size_t width = 0;
    for (size_t i = 0; i < axes->count; i++) {
        size_t widest = 0;
        if (axes->items[i].sample != NULL) {
            width += eg_axes_width(eg_sweep_sample_parts(axes->items[i].sample));
            continue;
        }
        for (size_t k = 0; k < axes->items[i].count; k++) {
            size_t count = axes->items[i].choices[k].count;
            widest = count > widest ? count : widest;
        }
        width += widest;
    }
    return width;
}

void eg_axes_pick(const eg_axes *axes, size_t index, eg_assignment *out, size_t *count)
{
    size_t rest = 1;
    for (size_t i = 0; i < axes->count; i++) {
        rest *= axes->items[i].count;
    }
    for (size_t i = 0; i < axes->count; i++) {
        const eg_axis *axis = &axes->items[i];
        rest /= axis->count;
        if (axis->sample != NULL) {
            eg_sweep_sample_pick(axis->sample, index / rest % axis->count, out, count);
            continue;
        }
        const eg_choice *choice = &axis->choices[index / rest % axis->count];
        if (choice->count > 0) {
            memcpy(out + *count, choice->items, choice->count * sizeof *out);
        }
        *count += choice->count;
    }
}

/* One setting ---------------------------------------------------------------------------------- */

typedef struct builder {
    eg_sweep *sweep;
    const char *name;
    const eg_param *param;
    eg_axis *axis;
    size_t capacity;
} builder;

static eg_status add_choice(builder *b, const eg_assignment *items, size_t count)
{
    if (b->axis->count == EG_PLAN_POINTS_MAX) {
        return eg_fail_at(&b->axis->at, "%s has more than %d values", b->name,
                          (int)EG_PLAN_POINTS_MAX);
    }
    EG_TRY(eg_arena_grow(b->sweep->arena, &b->axis->choices, &b->capacity, b->axis->count + 1,
                         sizeof *b->axis->choices));
    b->axis->choices[b->axis->count++] = (eg_choice){.items = items, .count = count};
    return eg_ok();
}

static eg_status add_value(builder *b, const char *text, eg_origin at)
{
    eg_assignment *item = NULL;
    EG_TRY(eg_arena_alloc(b->sweep->arena, &item, 1, sizeof *item));
    *item = (eg_assignment){.name = b->name, .value = text, .origin = at};
    return add_choice(b, item, 1);
}

static eg_status add_generated(builder *b, const eg_node *node)
{
    const char **values = NULL;
    size_t count = 0;
    bool is_generator = false;
    EG_TRY(eg_generator_values(b->sweep, &values, &count, b->param, b->name, node, &is_generator));
    if (!is_generator) {
        return eg_fail_at(&node->at,
                          "%s: a map of values must be {range: …}, {linspace: …} or {logspace: …}",
                          b->name);
    }
    for (size_t i = 0; i < count; i++) {
        EG_TRY(add_value(b, values[i], node->at));
    }
    return eg_ok();
}

/** One member of a component with the product of its parameters' values. */
static eg_status add_member(builder *b, const char *member, eg_origin at, const eg_node *params)
{
    eg_sweep *sweep = b->sweep;
    eg_value value;
    eg_status status = eg_value_parse_as(&value, b->name, b->param, sweep->schema, member);
    eg_value_clear(&value);
    EG_TRY(eg_origin_wrap(status, &at));
    eg_axes inner = {0};
    if (params != NULL && !(params->kind == EG_NODE_SCALAR && params->text[0] == '\0')) {
        const char *prefix = NULL;
        EG_TRY(eg_node_expect(params, EG_NODE_MAP, member));
        EG_TRY(eg_arena_join(sweep->arena, &prefix, b->name, ".", ""));
        EG_TRY(eg_axes_grid(sweep, &inner, prefix, params));
    }
    double product = eg_axes_product(&inner);
    if (product > EG_PLAN_POINTS_MAX) {
        return eg_fail_at(&at, "%s: the parameters of %s combine to %.15g choices; at most %d",
                          b->name, member, product, (int)EG_PLAN_POINTS_MAX);
    }
    size_t width = 1 + eg_axes_width(&inner);
    for (size_t i = 0; i < (size_t)product; i++) {
        eg_assignment *items = NULL;
        size_t count = 1;
        EG_TRY(eg_arena_alloc(sweep->arena, &items, width, sizeof *items));
        items[0] = (eg_assignment){.name = b->name, .value = member, .origin = at};
        eg_axes_pick(&inner, i, items, &count);
        EG_TRY(add_choice(b, items, count));
    }
    return eg_ok();
}

static eg_status add_members(builder *b, const eg_node *node)
{
    if (node->kind == EG_NODE_SCALAR) {
        return add_member(b, node->text, node->at, NULL);
    }
    if (node->kind == EG_NODE_LIST) {
        return eg_fail_at(&node->at, "%s: a list inside a list; write one member per entry",
                          b->name);
    }
    for (size_t i = 0; i < node->count; i++) {
        const eg_entry *entry = &node->entries[i];
        EG_TRY(add_member(b, entry->key, entry->at, entry->value));
    }
    return eg_ok();
}

static eg_status add_item(builder *b, const eg_node *node)
{
    if (b->param->type == EG_TYPE_COMPONENT) {
        return add_members(b, node);
    }
    if (node->kind == EG_NODE_MAP) {
        return add_generated(b, node);
    }
    if (node->kind == EG_NODE_LIST && !eg_type_is_list(b->param->type)) {
        return eg_fail_at(&node->at, "a list inside a list, but %s takes single values", b->name);
    }
    const char *text = NULL;
    EG_TRY(eg_node_text(&text, b->sweep->arena, node, b->name));
    return add_value(b, text, node->at);
}

eg_status eg_axis_values(eg_sweep *sweep, eg_axis *out, const char *name, const eg_param *param,
                         const eg_node *node, const eg_origin *at)
{
    *out = (eg_axis){.label = "grid", .name = name, .at = *at};
    builder b = {.sweep = sweep, .name = name, .param = param, .axis = out};
    if (node->kind == EG_NODE_LIST) {
        for (size_t i = 0; i < node->count; i++) {
            EG_TRY(add_item(&b, node->items[i]));
        }
    } else {
        EG_TRY(add_item(&b, node));
    }
    if (out->count == 0) {
        return eg_fail_at(at, "%s has an empty list of values", name);
    }
    return eg_ok();
}

/* Two axes that give the same setting would silently shadow each other. ------------------------ */

static const eg_assignment *find_name(const eg_axis *axis, const char *name)
{
    /* The choices of an axis share few names: the first choice mostly decides. */
    for (size_t k = 0; k < axis->count; k++) {
        for (size_t i = 0; i < axis->choices[k].count; i++) {
            if (strcmp(axis->choices[k].items[i].name, name) == 0) {
                return &axis->choices[k].items[i];
            }
        }
    }
    return NULL;
}

/** Is the name of item `i` of choice `k` new, compared with the choice before? Saves asking again
 *  and again. */
static bool new_name(const eg_axis *axis, size_t k, size_t i)
{
    if (k == 0) {
        return true;
    }
    const eg_choice *before = &axis->choices[k - 1];
    return i >= before->count || strcmp(before->items[i].name, axis->choices[k].items[i].name) != 0;
}

/** Refuses a setting that both give. `outer` and `outer_other` are the axes to be named: of a
 *  sample, the whole. */
static eg_status check_pair(const eg_axis *axis, const eg_axis *outer, const eg_axis *other,
                            const eg_axis *outer_other)
{
    for (size_t k = 0; k < axis->count; k++) {
        for (size_t i = 0; i < axis->choices[k].count; i++) {
            const char *name = axis->choices[k].items[i].name;
            const eg_assignment *found = new_name(axis, k, i) ? find_name(other, name) : NULL;
            if (found != NULL) {
                return eg_fail_at(&outer->at, "%s is given by the %s and by the %s on line %u",
                                  name, outer->label, outer_other->label, found->origin.line);
            }
        }
    }
    return eg_ok();
}

/** The axes that make up this one: itself, or the parts of a sample. */
static const eg_axis *parts_of(const eg_axis *axis, size_t *count)
{
    *count = axis->sample != NULL ? eg_sweep_sample_parts(axis->sample)->count : 1;
    return axis->sample != NULL ? eg_sweep_sample_parts(axis->sample)->items : axis;
}

static eg_status check_axes(const eg_axis *axis, const eg_axis *other)
{
    size_t count = 0;
    size_t other_count = 0;
    const eg_axis *parts = parts_of(axis, &count);
    const eg_axis *others = parts_of(other, &other_count);
    for (size_t p = 0; p < count; p++) {
        for (size_t q = 0; q < other_count; q++) {
            EG_TRY(check_pair(&parts[p], axis, &others[q], other));
        }
    }
    return eg_ok();
}

eg_status eg_axes_check(const eg_axes *axes)
{
    for (size_t a = 0; a < axes->count; a++) {
        for (size_t b = 0; b < a; b++) {
            EG_TRY(check_axes(&axes->items[a], &axes->items[b]));
        }
    }
    return eg_ok();
}
