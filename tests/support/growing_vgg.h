/** A small VGG, and the same with all that growth could add, for tests in double. */
#ifndef ENGRAM_TESTS_GROWING_VGG_H
#define ENGRAM_TESTS_GROWING_VGG_H

#include "image_settings.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "nn/shared/vgg.h"

enum { GROWING_BATCH = 3, GROWING_OUTPUTS = 2, GROWING_NEW = 2, GROWING_SIDE = 4 };

/** One block of two convolutions of 2 filters and 1 on grey images: neither is pooled before the other. */
typedef struct growing_vgg {
    eg_settings *settings;
    eg_view view; /* inside the model's settings */
    eg_net *net, *candidates;
    eg_real x[GROWING_BATCH * GROWING_SIDE * GROWING_SIDE];
} growing_vgg;

static const eg_shape growing_input = {GROWING_SIDE, GROWING_SIDE, 1};
static const size_t growing_widths[] = {2, 1};

/** A network of the settings' model with these widths. */
static inline eg_net *growing_net(const growing_vgg *s, const size_t *widths)
{
    eg_graph *graph = NULL;
    eg_net *net = NULL;
    assert_ok(
        eg_vgg_graph(&graph, &s->view, widths, growing_input, GROWING_OUTPUTS, GROWING_BATCH));
    assert_ok(eg_net_build(&net, graph, 7));
    return net;
}

static inline void growing_open(growing_vgg *s, const char *activation)
{
    const char *const words[] = {"model",
                                 "vgg",
                                 "model.head",
                                 "conv",
                                 "model.bias",
                                 "false",
                                 "model.activation",
                                 activation,
                                 "model.blocks",
                                 "[2]",
                                 "model.widths",
                                 "[2, 1]",
                                 NULL};
    const eg_vgg_trial trial = {.candidates = GROWING_NEW,
                                .initial = {[EG_VGG_OLD_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_NEW_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_SPLIT] = {EG_INITIAL_UNIFORM, 0.5, 1},
                                            [EG_VGG_NEW] = {EG_INITIAL_NORMAL, 0.5, 1}}};
    eg_graph *graph = NULL;
    *s = (growing_vgg){.settings = image_settings(words)};
    const eg_view root = eg_settings_root(s->settings);
    s->view = eg_view_inside(&root, "model");
    s->net = growing_net(s, growing_widths);
    assert_ok(eg_vgg_candidates(&graph, &s->view, growing_widths, &trial, growing_input,
                                GROWING_OUTPUTS, GROWING_BATCH));
    assert_ok(eg_net_build(&s->candidates, graph, 2));
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < EG_COUNT(s->x); i++) {
        s->x[i] = (eg_real)eg_rng_normal(&rng);
    }
    for (size_t b = 0; b < s->net->table.block_count; b++) {
        const eg_parameter_block *block = &s->net->table.blocks[b];
        for (size_t i = 0; block->role != EG_ROLE_WEIGHT && i < block->units; i++) {
            s->net->params[block->offset + i] += (eg_real)(0.3 * eg_rng_normal(&rng));
        }
    }
    for (size_t i = 0; i < s->net->buffer_count; i++) {
        s->net->buffers[i] = 0.5 + eg_rng_uniform(&rng); /* means and variances */
    }
    eg_net_touch(s->net);
    eg_vgg_load(s->candidates, s->net);
}

static inline void growing_close(growing_vgg *s)
{
    eg_net_free(s->net);
    eg_net_free(s->candidates);
    eg_settings_free(s->settings);
}

/** Values of a block row by row, to be freed: [units][fan_in]. */
static inline eg_real *growing_values(const eg_net *net, const char *name)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, name);
    eg_real *values = NULL;
    assert_non_null(row);
    assert_ok(eg_alloc(&values, row->units * row->fan_in, sizeof *values));
    eg_net_block_get(net, (size_t)(row - net->table.blocks), net->params, values);
    return values;
}

/** Row `unit` of a block becomes 0. */
static inline void growing_zero(eg_net *net, const char *name, size_t unit)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, name);
    eg_real *values = growing_values(net, name);
    for (size_t k = 0; k < row->fan_in; k++) {
        values[unit * row->fan_in + k] = 0;
    }
    eg_net_block_set(net, (size_t)(row - net->table.blocks), values, net->params);
    eg_net_touch(net);
    eg_free(values);
}

#endif
