/** Sums over earlier networks; see learner/past_costs.h. */
#include "learner/past_costs.h"

void eg_past_costs_settle(eg_past_costs *past, const eg_net *net, uint64_t examples,
                          double train_macs, double train_flops)
{
    past->examples += examples;
    past->forwards += (double)examples * eg_net_flops(net);
    past->train_macs += train_macs;
    past->train_flops += train_flops;
}

double eg_past_costs_spared(const eg_past_costs *past, const eg_net *net)
{
    return 3 * ((double)past->examples * eg_net_flops(net) - past->forwards);
}

bool eg_past_costs_possible(const eg_past_costs *past)
{
    return past->train_macs >= 0 && past->train_flops >= 0 && past->forwards >= 0;
}
