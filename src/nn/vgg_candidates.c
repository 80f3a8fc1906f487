/** A VGG with all that growth could add to it; see nn/shared/vgg.h. Of a convolution NAME:
 *
 *      NAME ──────────┐
 *      NAME.old_q ─ NAME.base ─┬─ NAME.plus ── .norm ──── activation ─┐
 *                     NAME.split ─┴ NAME.minus ─ .norm.minus ─ activation ─┴ NAME.mean ─► old
 *      NAME.new ─ NAME.new.base ─ activation ─► new
 *             NAME.new_q ┘
 *
 *  Both norms are one block of parameters, and have the same running statistics. */
#include "nn/image_model.h"
#include "nn/node.h"
#include "nn/shared/vgg.h"

#include "engram/memory.h"

#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = EG_VGG_NAME_SIZE + 16 };

static const char *const part_names[EG_VGG_PARTS] = {[EG_VGG_OLD_FROM_NEW] = "old_q",
                                                     [EG_VGG_NEW_FROM_NEW] = "new_q",
                                                     [EG_VGG_SPLIT] = "split",
                                                     [EG_VGG_NEW] = "new"};
static const char minus_norm[] = "norm.minus";

/* The graph under way. */
typedef struct growing {
    eg_image_model m; /* m.last and m.shape: of what the next node reads */
    const eg_vgg_trial *trial;
    size_t old, new; /* nodes of existing and of new units; the latter EG_INPUT: there are none */
    eg_shape old_shape, new_shape;
} growing;

static void join(char out[NAME_SIZE], const char *name, const char *part)
{
    (void)snprintf(out, NAME_SIZE, "%s.%s", name, part);
}

/* NAME.PART of two nodes, the second of which may not be there: then *node is the first, and there
 * is none. */
static eg_status add_both(growing *g, const char *name, const char *part, size_t a, size_t b,
                          eg_shape shape, size_t *node)
{
    const size_t reads[] = {a, b};
    char whole[NAME_SIZE];
    eg_layer layer;
    *node = a;
    if (b == EG_INPUT) {
        return eg_ok();
    }
    join(whole, name, part);
    EG_TRY(eg_layer_sum(&layer, 2, 1, shape));
    return eg_graph_add(g->m.graph, whole, &layer, 2, reads, node);
}

/* Convolution without biases of a node that is there; *node stays EG_INPUT of one that is not. */
static eg_status add_filters(growing *g, const char *name, size_t read, eg_shape in, size_t filters,
                             size_t kernel, const eg_initial *initial, size_t *node)
{
    const eg_conv conv = {.filters = filters,
                          .kernel_height = kernel,
                          .kernel_width = kernel,
                          .stride = 1,
                          .padding = kernel / 2,
                          .initial = *initial};
    eg_layer layer;
    EG_TRY(eg_layer_conv(&layer, in, &conv));
    return eg_graph_add(g->m.graph, name, &layer, 1, &read, node);
}

static eg_status add_part(growing *g, const char *name, eg_vgg_part part, size_t filters,
                          size_t kernel, size_t *node)
{
    const bool of_new = part == EG_VGG_OLD_FROM_NEW || part == EG_VGG_NEW_FROM_NEW;
    char whole[NAME_SIZE];
    *node = EG_INPUT;
    if (of_new && g->new == EG_INPUT) {
        return eg_ok();
    }
    join(whole, name, part_names[part]);
    return add_filters(g, whole, of_new ? g->new : g->old, of_new ? g->new_shape : g->old_shape,
                       filters, kernel, &g->trial->initial[part], node);
}

/* Activation of a node. */
static eg_status activate(growing *g, const char *name, size_t read, eg_shape shape, size_t *node)
{
    g->m.last = read;
    g->m.shape = shape;
    EG_TRY(eg_image_activate(&g->m, name, g->m.activation, g->m.p));
    *node = g->m.last;
    return eg_ok();
}

/* Norm and activation of one of the two forms of existing units. */
static eg_status finish_form(growing *g, const char *name, const char *form, const char *norm,
                             size_t *node, eg_shape shape)
{
    char whole[NAME_SIZE];
    g->m.last = *node;
    g->m.shape = shape;
    join(whole, name, norm);
    EG_TRY(eg_image_normalise(&g->m, whole, (eg_image_norm)eg_view_name(g->m.view, "norm")));
    *node = g->m.last;
    (void)snprintf(whole, sizeof whole, "%s.%s.activation", name, form);
    return activate(g, whole, *node, shape, node);
}

/* Of activations plus and minus: what they read, both norms or none. */
static eg_status share_norm(growing *g, size_t plus, size_t minus)
{
    const eg_node *nodes = g->m.graph->nodes;
    plus = nodes[plus].reads[0];
    minus = nodes[minus].reads[0];
    for (size_t b = 0; b < nodes[plus].layer.block_count; b++) {
        EG_TRY(eg_graph_tie(g->m.graph, minus, b, plus, b));
    }
    return eg_ok();
}

/* 1/2 [f(n(base + change)) + f(n(base - change))] */
static eg_status add_split(growing *g, const char *name, size_t base, size_t change, eg_shape shape)
{
    const size_t reads[] = {base, change};
    size_t form[2];
    char whole[NAME_SIZE];
    eg_layer layer;
    EG_TRY(add_both(g, name, "plus", base, change, shape, &form[0]));
    join(whole, name, "minus");
    eg_layer_difference(&layer, shape);
    EG_TRY(eg_graph_add(g->m.graph, whole, &layer, 2, reads, &form[1]));
    EG_TRY(finish_form(g, name, "plus", "norm", &form[0], shape));
    EG_TRY(finish_form(g, name, "minus", minus_norm, &form[1], shape));
    EG_TRY(share_norm(g, form[0], form[1]));
    join(whole, name, "mean");
    EG_TRY(eg_layer_sum(&layer, 2, 0.5, shape));
    return eg_graph_add(g->m.graph, whole, &layer, 2, form, &g->old);
}

static eg_status add_convolution(growing *g, const char *name, size_t width)
{
    static const eg_initial zero = {.kind = EG_INITIAL_VALUE};
    const eg_shape in = g->old_shape;
    const eg_shape old_shape = {in.height, in.width, width};
    const eg_shape new_shape = {in.height, in.width, g->trial->candidates};
    size_t own;
    size_t part[EG_VGG_PARTS];
    size_t fresh;
    char whole[NAME_SIZE];
    EG_TRY(add_filters(g, name, g->old, in, width, 3, &zero, &own));
    for (size_t p = 0; p < EG_VGG_PARTS; p++) {
        const bool is_new = p == EG_VGG_NEW || p == EG_VGG_NEW_FROM_NEW;
        const size_t filters = is_new ? g->trial->candidates : width;
        EG_TRY(add_part(g, name, (eg_vgg_part)p, filters, 3, &part[p]));
    }
    EG_TRY(add_both(g, name, "base", own, part[EG_VGG_OLD_FROM_NEW], old_shape, &own));
    EG_TRY(add_both(g, name, "new.base", part[EG_VGG_NEW], part[EG_VGG_NEW_FROM_NEW], new_shape,
                    &fresh));
    EG_TRY(add_split(g, name, own, part[EG_VGG_SPLIT], old_shape));
    join(whole, name, "new.activation");
    EG_TRY(activate(g, whole, fresh, new_shape, &g->new));
    g->old_shape = old_shape;
    g->new_shape = new_shape;
    return eg_ok();
}

static eg_status add_pool(growing *g, const char *name, size_t *node, eg_shape *shape)
{
    const eg_pool pool = {.height = 2, .width = 2, .stride = 2};
    g->m.last = *node;
    g->m.shape = *shape;
    EG_TRY(eg_image_pool(&g->m, name, &pool, false));
    *node = g->m.last;
    *shape = g->m.shape;
    return eg_ok();
}

static eg_status add_block(growing *g, size_t first, size_t count, const size_t *widths)
{
    char name[EG_VGG_NAME_SIZE];
    char whole[NAME_SIZE];
    for (size_t i = 0; i < count; i++) {
        eg_vgg_name(name, g->m.view, first + i);
        EG_TRY(add_convolution(g, name, widths[first + i]));
    }
    join(whole, name, "pool");
    EG_TRY(add_pool(g, whole, &g->old, &g->old_shape));
    join(whole, name, "new.pool");
    return add_pool(g, whole, &g->new, &g->new_shape);
}

static eg_status add_head(growing *g, size_t outputs)
{
    const eg_shape scores = {g->old_shape.height, g->old_shape.width, outputs};
    const eg_conv conv = {
        .filters = outputs, .kernel_height = 1, .kernel_width = 1, .stride = 1, .bias = true};
    size_t own;
    size_t q;
    eg_layer layer;
    EG_TRY(eg_layer_conv(&layer, g->old_shape, &conv));
    EG_TRY(eg_graph_add(g->m.graph, "head", &layer, 1, &g->old, &own));
    EG_TRY(add_part(g, "head", EG_VGG_OLD_FROM_NEW, outputs, 1, &q));
    EG_TRY(add_both(g, "head", "base", own, q, scores, &own));
    if (eg_shape_positions(scores) == 1) {
        return eg_ok();
    }
    eg_layer_global_pool(&layer, scores);
    return eg_graph_chain(g->m.graph, "head.pool", &layer, NULL);
}

static eg_status add_all(growing *g, const size_t *widths, size_t outputs)
{
    const eg_value *blocks = eg_view_value(g->m.view, "blocks");
    size_t first = 0;
    g->old = g->m.last;
    g->old_shape = g->m.shape;
    g->new = EG_INPUT;
    for (size_t i = 0; i < blocks->count; i++) {
        EG_TRY(add_block(g, first, (size_t)blocks->items[i], widths));
        first += (size_t)blocks->items[i];
    }
    return add_head(g, outputs);
}

eg_status eg_vgg_candidates(eg_graph **out, const eg_view *view, const size_t *widths,
                            const eg_vgg_trial *trial, eg_shape input, size_t outputs, size_t batch)
{
    growing g = {.trial = trial};
    eg_status status = eg_image_begin(&g.m, view, "blocks", input, batch);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, add_all(&g, widths, outputs));
    *out = g.m.graph;
    return status;
done:
    eg_graph_free(g.m.graph);
    return status;
}

size_t eg_vgg_block(const eg_net *net, const eg_view *view, size_t convolution, eg_vgg_part part)
{
    const eg_value *blocks = eg_view_value(view, "blocks");
    char name[EG_VGG_NAME_SIZE] = "head";
    char whole[EG_VGG_NAME_SIZE + 2 * 16];
    size_t count = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        count += (size_t)blocks->items[i];
    }
    if (convolution < count) {
        eg_vgg_name(name, view, convolution);
    }
    (void)snprintf(whole, sizeof whole, "%s.%s.weight", name, part_names[part]);
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, whole);
    return block != NULL ? (size_t)(block - net->table.blocks) : SIZE_MAX;
}

/* What a node of the network has, into one of the other. */
static void load_node(const eg_node *from, eg_node *to)
{
    for (size_t b = 0; b < from->layer.block_count; b++) {
        memcpy(to->params[b], from->params[b], from->layer.blocks[b].count * sizeof(eg_real));
    }
    for (size_t b = 0; b < from->layer.buffer_count; b++) {
        memcpy(to->buffers[b], from->buffers[b], from->layer.buffers[b].count * sizeof(double));
    }
}

/* Whether a node of the other network is this one, or its norm of the other form. */
static bool is_of(const char *candidate, const char *name)
{
    size_t length = strlen(name);
    return strncmp(candidate, name, length) == 0 &&
           (candidate[length] == '\0' || strcmp(candidate + length, ".minus") == 0);
}

void eg_vgg_load(eg_net *candidates, const eg_net *net)
{
    for (size_t i = 0; i < net->node_count; i++) {
        const eg_node *from = &net->nodes[i];
        for (size_t j = 0; from->layer.block_count > 0 && j < candidates->node_count; j++) {
            eg_node *to = &candidates->nodes[j];
            if (to->layer.block_count > 0 && is_of(to->name, from->name)) {
                load_node(from, to);
            }
        }
    }
    eg_net_touch(candidates);
}
