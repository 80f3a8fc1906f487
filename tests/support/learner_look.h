/** Looking into a learner on the stream of learner_scene.h, and at what it records. */
#ifndef ENGRAM_TESTS_LEARNER_LOOK_H
#define ENGRAM_TESTS_LEARNER_LOOK_H

#include "learner_scene.h"

#include "engram/record.h"

#include <string.h>

/** Hardly any update: what is set stays. */
#define STILL "model.activation", "relu", "optimizer.lr", "1e-30"

static inline eg_net *net_of(const learner_scene *s)
{
    eg_learner_network network;
    assert_true(s->learner->ops->network(s->learner, 0, &network));
    return network.net;
}

static inline eg_real *block_of(const eg_net *net, const char *name, size_t *count)
{
    const eg_parameter_block *block = eg_parameter_table_find(&net->table, name);
    assert_non_null(block);
    *count = block->count;
    return net->params + block->offset;
}

/** The units of the first hidden layer become h. */
static inline void set_units(const learner_scene *s, const double *h, size_t units)
{
    eg_net *net = net_of(s);
    size_t count;
    eg_real *w = block_of(net, "layer1.weight", &count);
    memset(w, 0, count * sizeof *w);
    w = block_of(net, "layer1.bias", &count);
    for (size_t i = 0; i < units; i++) {
        w[i] = (eg_real)h[i];
    }
    eg_net_touch(net);
}

/** Units reset so far in hidden layer 0, 1. */
static inline double resets_of(const learner_scene *s, size_t hidden)
{
    double counts[2] = {0};
    assert_true(eg_learner_replaced(s->learner, counts));
    return counts[hidden];
}

/** The value of a curve that the learner records. */
static inline double curve(learner_scene *s, const char *name)
{
    eg_record *record = NULL;
    assert_ok(eg_record_create(&record));
    assert_ok(s->learner->ops->declare(s->learner, record, 1));
    assert_ok(s->learner->ops->measure(s->learner, record, 0));
    double value = eg_record_find(record, name)->data[0];
    eg_record_free(record);
    return value;
}

#endif
