/** What a mixture that grows has cost: sums over the networks that it was, of examples learned by
 *  each. Soft gates run everything; hard ones count the gates on the way that an example takes, and
 *  one expert of every part. */
#ifndef ENGRAM_LEARNER_GROWTH_COSTS_H
#define ENGRAM_LEARNER_GROWTH_COSTS_H

#include "engram/learner.h"
#include "engram/mixture.h"

typedef struct eg_growth_costs {
    const eg_mixture *mixture; /**< borrowed */
    /* Of the network as it is: */
    uint64_t examples; /**< learned since it is */
    double *gates;     /**< [parts] that these passed, with hard gates */
    /* Of those before it: */
    double macs, flops; /**< train_macs and train_flops of eg_learner_costs */
    double forwards;    /**< operations of forwards, as eg_net_flops, of examples learned */
    uint64_t before;    /**< these examples */
    eg_real *reach;     /**< [batch] scratch */
} eg_growth_costs;

/** For minibatches of up to `batch`. On failure the caller still clears it. */
eg_status eg_growth_costs_init(eg_growth_costs *out, const eg_mixture *mixture,
                               size_t batch) EG_WARN_UNUSED;
void eg_growth_costs_clear(eg_growth_costs *costs);

/** So many examples were learned, those of the workspace's last forward. */
void eg_growth_costs_learned(eg_growth_costs *costs, const eg_net *net,
                             const eg_workspace *training, size_t examples);
/** So many were looked at so that it could grow. */
void eg_growth_costs_shown(eg_growth_costs *costs, const eg_net *net, size_t examples);
/** Another network takes the place of this one: call it before the trees are changed. */
void eg_growth_costs_settle(eg_growth_costs *costs, const eg_net *net);

/** eg_learner_ops.costs. */
void eg_growth_costs_add(const eg_growth_costs *costs, const eg_net *net, eg_learner_costs *out);
/** Operations that eg_learner_ops.extra_flops takes off, because earlier networks had fewer. */
double eg_growth_costs_spared(const eg_growth_costs *costs, const eg_net *net);

void eg_growth_costs_write(const eg_growth_costs *costs, eg_writer *writer);
eg_status eg_growth_costs_read(eg_growth_costs *costs, eg_reader *reader) EG_WARN_UNUSED;

#endif
