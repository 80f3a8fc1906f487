/** A learner around another one that only passes on: what such a learner begins with. */
#ifndef ENGRAM_TESTS_LEARNER_AROUND_H
#define ENGRAM_TESTS_LEARNER_AROUND_H

#include "engram/learner.h"
#include "engram/memory.h"

typedef struct around {
    eg_learner base;
    eg_learner *inside;
} around;

static inline void around_free(eg_learner *learner)
{
    eg_learner_free(((around *)learner)->inside);
    eg_free(learner);
}

static inline eg_status around_begin_phase(eg_learner *learner, size_t phase)
{
    return eg_learner_begin_phase(((around *)learner)->inside, phase);
}

static inline eg_status around_end_phase(eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase(((around *)learner)->inside, phase);
}

static inline size_t around_polls(const eg_learner *learner, size_t phase)
{
    return eg_learner_end_phase_polls(((const around *)learner)->inside, phase);
}

static inline eg_status around_step(eg_learner *learner, const eg_batch *batch,
                                    eg_step_outcome *out)
{
    eg_learner *inside = ((around *)learner)->inside;
    return inside->ops->step(inside, batch, out);
}

static inline eg_status around_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores)
{
    eg_learner *inside = ((around *)learner)->inside;
    return inside->ops->predict(inside, batch, scores);
}

static inline void around_activity(const eg_learner *learner, double *out)
{
    eg_learner_activity(((const around *)learner)->inside, out);
}

static inline bool around_network(eg_learner *learner, size_t index, eg_learner_network *out)
{
    eg_learner *inside = ((around *)learner)->inside;
    return inside->ops->network(inside, index, out);
}

static inline double around_flops(const eg_learner *learner)
{
    const eg_learner *inside = ((const around *)learner)->inside;
    return inside->ops->flops(inside);
}

static inline void around_write(const eg_learner *learner, eg_writer *writer)
{
    const eg_learner *inside = ((const around *)learner)->inside;
    inside->ops->write(inside, writer);
}

static inline eg_status around_read(eg_learner *learner, eg_reader *reader)
{
    eg_learner *inside = ((around *)learner)->inside;
    return inside->ops->read(inside, reader);
}

static inline eg_status create_around(eg_learner **out, const eg_learner_ops *ops,
                                      const eg_view *view, const eg_learner_setup *setup)
{
    around *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    self->base.ops = ops;
    eg_status status = eg_learner_create_inside(&self->inside, view, setup);
    if (!eg_is_ok(&status)) {
        around_free(&self->base);
        return status;
    }
    self->base.hidden_layers = self->inside->hidden_layers;
    self->base.reads_sparse = self->inside->reads_sparse;
    *out = &self->base;
    return status;
}

/** The operations that are the same for all of them, inside an initialiser. */
#define PASSES_ON                                                                                  \
    .free = around_free, .end_phase = around_end_phase, .end_phase_polls = around_polls,           \
    .predict = around_predict, .activity = around_activity, .network = around_network,             \
    .flops = around_flops, .write = around_write, .read = around_read

#endif
