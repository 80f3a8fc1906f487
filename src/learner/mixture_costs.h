/** What a mixture that grows has cost. Soft gates run everything; hard ones count the gates on the
 *  way that an example takes, and one expert of every part. */
#ifndef ENGRAM_LEARNER_MIXTURE_COSTS_H
#define ENGRAM_LEARNER_MIXTURE_COSTS_H

#include "engram/learner.h"
#include "engram/mixture.h"
#include "learner/past_costs.h"

typedef struct eg_mixture_costs {
    const eg_mixture *mixture; /**< borrowed */
    /* Of the network as it is: */
    uint64_t examples;  /**< learned since it is */
    double *gates;      /**< [parts] that these passed, with hard gates */
    eg_past_costs past; /**< of those before it */
    eg_real *reach;     /**< [batch] scratch */
} eg_mixture_costs;

/** For minibatches of up to `batch`. On failure the caller still clears it. */
eg_status eg_mixture_costs_init(eg_mixture_costs *out, const eg_mixture *mixture,
                                size_t batch) EG_WARN_UNUSED;
void eg_mixture_costs_clear(eg_mixture_costs *costs);

/** So many examples were learned, those of the workspace's last forward. */
void eg_mixture_costs_learned(eg_mixture_costs *costs, const eg_net *net,
                              const eg_workspace *training, size_t examples);
/** So many were looked at so that it could grow. */
void eg_mixture_costs_shown(eg_mixture_costs *costs, const eg_net *net, size_t examples);
/** Another network takes the place of this one: call it before the trees are changed. */
void eg_mixture_costs_settle(eg_mixture_costs *costs, const eg_net *net);

/** eg_learner_ops.costs. */
void eg_mixture_costs_add(const eg_mixture_costs *costs, const eg_net *net, eg_learner_costs *out);

void eg_mixture_costs_write(const eg_mixture_costs *costs, eg_writer *writer);
eg_status eg_mixture_costs_read(eg_mixture_costs *costs, eg_reader *reader) EG_WARN_UNUSED;

#endif
