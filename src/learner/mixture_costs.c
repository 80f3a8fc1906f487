/** Costs of mixtures; see learner/mixture_costs.h. */
#include "learner/mixture_costs.h"

#include "engram/memory.h"

#include <math.h>

eg_status eg_mixture_costs_init(eg_mixture_costs *out, const eg_mixture *mixture, size_t batch)
{
    *out = (eg_mixture_costs){.mixture = mixture};
    EG_TRY(eg_alloc(&out->gates, mixture->part_count, sizeof *out->gates));
    return eg_alloc(&out->reach, batch, sizeof *out->reach);
}

void eg_mixture_costs_clear(eg_mixture_costs *costs)
{
    eg_free(costs->gates);
    eg_free(costs->reach);
    *costs = (eg_mixture_costs){.examples = 0};
}

/* Gates that an example passes: the mean over those learned by this network, or, before there are
 * any, if all gates give both children the same. */
static double gates_passed(const eg_mixture_costs *costs, size_t part)
{
    const eg_expert_tree *tree = &costs->mixture->part[part].tree;
    double even = 0;
    for (size_t g = 0; g < tree->gate_count; g++) {
        even += ldexp(1.0, -(int)eg_expert_tree_depth(tree->gate[g]));
    }
    return costs->examples > 0 ? costs->gates[part] / (double)costs->examples : even;
}

/* Multiply-adds of an example on its way. */
static eg_net_work work_of(const eg_mixture_costs *costs, const eg_net *net)
{
    const eg_mixture *mixture = costs->mixture;
    eg_net_work work = eg_net_macs(net);
    for (size_t p = 0; mixture->gating == EG_GATING_HARD && p < mixture->part_count; p++) {
        const double experts = (double)eg_expert_tree_count(&mixture->part[p].tree);
        const double gates = experts - 1;
        const eg_net_work all = eg_mixture_macs(mixture, net, p, EG_MIXTURE_EXPERTS);
        const eg_net_work choice = eg_mixture_macs(mixture, net, p, EG_MIXTURE_GATES);
        const double missed = gates > 0 ? 1 - gates_passed(costs, p) / gates : 0;
        work.forward -= all.forward * gates / experts + choice.forward * missed;
        work.backward -= all.backward * gates / experts + choice.backward * missed;
    }
    return work;
}

void eg_mixture_costs_learned(eg_mixture_costs *costs, const eg_net *net,
                              const eg_workspace *training, size_t examples)
{
    const eg_mixture *mixture = costs->mixture;
    for (size_t p = 0; mixture->gating == EG_GATING_HARD && p < mixture->part_count; p++) {
        const eg_expert_tree *tree = &mixture->part[p].tree;
        for (size_t g = 0; g < tree->gate_count; g++) {
            eg_mixture_reach(mixture, net, training, p, tree->gate[g], costs->reach);
            for (size_t b = 0; b < examples; b++) {
                costs->gates[p] += (double)costs->reach[b];
            }
        }
    }
    costs->examples += examples;
}

void eg_mixture_costs_shown(eg_mixture_costs *costs, const eg_net *net, size_t examples)
{
    costs->past.train_flops += 2 * (double)examples * work_of(costs, net).forward;
}

void eg_mixture_costs_settle(eg_mixture_costs *costs, const eg_net *net)
{
    const eg_net_work work = work_of(costs, net);
    const double examples = (double)costs->examples;
    eg_past_costs_settle(&costs->past, net, costs->examples, examples * work.forward,
                         examples * 2 * (work.forward + work.backward));
    costs->examples = 0;
    for (size_t p = 0; p < costs->mixture->part_count; p++) {
        costs->gates[p] = 0;
    }
}

void eg_mixture_costs_add(const eg_mixture_costs *costs, const eg_net *net, eg_learner_costs *out)
{
    const eg_net_work work = work_of(costs, net);
    const double examples = (double)costs->examples;
    out->parameters += (double)eg_parameter_table_size(&net->table, EG_ROLE_COUNT);
    out->predict_macs += work.forward;
    out->train_macs += costs->past.train_macs + examples * work.forward;
    out->train_flops += costs->past.train_flops + examples * 2 * (work.forward + work.backward);
}

void eg_mixture_costs_write(const eg_mixture_costs *costs, eg_writer *writer)
{
    eg_write_u64(writer, costs->examples);
    eg_write_u64(writer, costs->past.examples);
    eg_write_f64(writer, costs->past.train_macs);
    eg_write_f64(writer, costs->past.train_flops);
    eg_write_f64(writer, costs->past.forwards);
    for (size_t p = 0; p < costs->mixture->part_count; p++) {
        eg_write_f64(writer, costs->gates[p]);
    }
}

eg_status eg_mixture_costs_read(eg_mixture_costs *costs, eg_reader *reader)
{
    costs->examples = eg_read_u64(reader);
    costs->past.examples = eg_read_u64(reader);
    costs->past.train_macs = eg_read_f64(reader);
    costs->past.train_flops = eg_read_f64(reader);
    costs->past.forwards = eg_read_f64(reader);
    for (size_t p = 0; p < costs->mixture->part_count; p++) {
        costs->gates[p] = eg_read_f64(reader);
    }
    EG_TRY(eg_reader_status(reader, false));
    return eg_past_costs_possible(&costs->past)
               ? eg_ok()
               : eg_fail(EG_INVALID, "saved mixture: costs below 0 or not a number");
}
