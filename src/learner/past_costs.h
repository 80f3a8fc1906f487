/** What a network that grows has cost: sums over the networks that it was, of the examples learned
 *  by each. */
#ifndef ENGRAM_LEARNER_PAST_COSTS_H
#define ENGRAM_LEARNER_PAST_COSTS_H

#include "engram/learner.h"

typedef struct eg_past_costs {
    uint64_t examples;              /**< learned */
    double forwards;                /**< operations of one forward of each, as eg_net_flops */
    double train_macs, train_flops; /**< as in eg_learner_costs; the latter also of growth */
} eg_past_costs;

/** Another network takes the place of `net`, which has learned so many examples, at these costs. */
void eg_past_costs_settle(eg_past_costs *past, const eg_net *net, uint64_t examples,
                          double train_macs, double train_flops);
/** Operations that eg_learner_ops.extra_flops takes off: all examples are counted as if the network
 *  had always been `net`, and earlier ones had fewer. */
double eg_past_costs_spared(const eg_past_costs *past, const eg_net *net);
/** Whether all are numbers that sums can have; of what was read. */
bool eg_past_costs_possible(const eg_past_costs *past);

#endif
