/** Chains of linear layers whose parameters a test sets and reads by name. */
#ifndef ENGRAM_TESTS_SMALL_NET_H
#define ENGRAM_TESTS_SMALL_NET_H

#include "testing.h"

#include "engram/memory.h"
#include "engram/units.h"
#include "nn/layers.h"

enum { SMALL_NET_SEED = 7 };

#define WIDTHS(...) ((const size_t[]){__VA_ARGS__}), EG_COUNT(((const size_t[]){__VA_ARGS__}))

/** Linear layers between `count` widths, in rows, the first in panels if wanted, an activation between
 * them. */
static inline eg_net *small_net(const size_t *width, size_t count, bool panels,
                                eg_initializer initializer, const char *activation)
{
    static const double none[EG_ACTIVATION_PARAMS_MAX] = {0};
    const eg_activation *kind =
        (const eg_activation *)eg_family_find(&eg_activation_family, activation);
    eg_layer *layers = NULL;
    eg_net *net = NULL;
    size_t made = 0;
    eg_shape in = eg_shape_vector(width[0]);
    assert_ok(eg_alloc(&layers, 2 * count, sizeof *layers));
    for (size_t i = 0; i + 1 < count; i++) {
        assert_ok((i == 0 && panels ? eg_layer_linear_panels : eg_layer_linear)(
            &layers[made++], in, width[i + 1], EG_NORM_NONE, true, initializer));
        in = layers[made - 1].out;
        if (i + 2 < count) {
            assert_ok(eg_layer_activation(&layers[made++], kind, none, in));
            in = layers[made - 1].out;
        }
    }
    assert_ok(eg_net_create(&net, layers, made, SMALL_NET_SEED));
    return net;
}

/** A block of parameters, "layer1.weight". */
static inline eg_real *small_block(const eg_net *net, const char *name)
{
    const eg_parameter_block *row = eg_parameter_table_find(&net->table, name);
    assert_non_null(row);
    return net->params + row->offset;
}

static inline void small_set(eg_net *net, const char *name, const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        small_block(net, name)[i] = (eg_real)values[i];
    }
    eg_net_touch(net);
}

#define SMALL_SET(net, name, ...)                                                                  \
    small_set(net, name, (const double[]){__VA_ARGS__}, EG_COUNT(((const double[]){__VA_ARGS__})))

#endif
