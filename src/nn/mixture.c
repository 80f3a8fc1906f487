/** Mixtures of experts: their plans, and what passes from one network to the next; see
 *  engram/mixture.h. */
#include "engram/mixture.h"

#include "engram/memory.h"
#include "nn/gating.h"
#include "nn/layers.h"
#include "nn/mixture_graph.h"
#include "nn/workspace.h"

#include <stdio.h>
#include <string.h>

const char *const eg_gating_names[] = {[EG_GATING_SOFT] = "soft", [EG_GATING_HARD] = "hard", NULL};

/* What the names of a part's nodes begin with is that of the first, up to a dot. */
static void describe_part(eg_mixture_part *part, const eg_graph *graph, const eg_graph_range *range)
{
    const char *first = graph->nodes[range->first].name;
    (void)snprintf(part->name, sizeof part->name, "%.*s", (int)strcspn(first, "."), first);
    part->first = range->first;
    part->last = range->last;
}

static eg_status check_parts(const eg_graph *graph, const eg_mixture_setup *setup, eg_gating gating)
{
    const char *model = eg_view_component(setup->root, "model")->name;
    if (graph->part_count == 0) {
        return eg_fail_setting("", "model", "model = %s has no parts to make experts of", model);
    }
    return gating == EG_GATING_HARD && graph->part_count > EG_HARD_MIXTURES_MAX
               ? eg_fail_setting("", "model",
                                 "model = %s has %zu parts, hard gates can choose in at most %d",
                                 model, graph->part_count, (int)EG_HARD_MIXTURES_MAX)
               : eg_ok();
}

eg_status eg_mixture_init(eg_mixture *out, const eg_mixture_setup *setup, eg_gating gating)
{
    *out = (eg_mixture){.gating = gating};
    eg_graph *graph = NULL;
    EG_TRY(eg_mixture_model(&graph, setup));
    eg_status status = check_parts(graph, setup, gating);
    if (eg_is_ok(&status)) {
        status = eg_alloc(&out->part, graph->part_count, sizeof *out->part);
    }
    out->nodes = graph->count;
    for (size_t p = 0; eg_is_ok(&status) && p < graph->part_count; p++) {
        describe_part(&out->part[out->part_count++], graph, &graph->parts[p]);
    }
    eg_graph_free(graph);
    return status;
}

void eg_mixture_clear(eg_mixture *mixture)
{
    for (size_t p = 0; p < mixture->part_count; p++) {
        eg_expert_tree_clear(&mixture->part[p].tree);
    }
    eg_free(mixture->part);
    *mixture = (eg_mixture){.part_count = 0};
}

/* The node of that number and member; NULL: there is none. */
static const eg_node *find(const eg_net *net, size_t number, size_t member)
{
    for (size_t i = 0; i < net->node_count; i++) {
        if (net->nodes[i].number == number && net->nodes[i].member == member) {
            return &net->nodes[i];
        }
    }
    return NULL;
}

/* What a node was before the last splits; NULL: it is new. */
static const eg_node *find_origin(const eg_mixture *mixture, const eg_net *from,
                                  const eg_node *node)
{
    const eg_node *same = find(from, node->number, node->member);
    bool halved = same == NULL && node->number < mixture->nodes;
    return halved ? find(from, node->number, eg_expert_member(node->member / 2)) : same;
}

static void copy_node(eg_node *to, eg_net *net, const eg_node *origin, const eg_net *from)
{
    memcpy(net->params + to->param_offset, from->params + origin->param_offset,
           to->param_count * sizeof *net->params);
    for (size_t b = 0; b < to->layer.buffer_count; b++) {
        memcpy(to->buffers[b], origin->buffers[b],
               to->layer.buffers[b].count * sizeof *to->buffers[b]);
    }
}

void eg_mixture_copy(const eg_mixture *mixture, eg_net *to, const eg_net *from)
{
    for (size_t i = 0; i < to->node_count; i++) {
        const eg_node *origin = find_origin(mixture, from, &to->nodes[i]);
        if (origin != NULL) {
            copy_node(&to->nodes[i], to, origin, from);
        }
    }
    to->step = from->step;
    eg_net_touch(to);
}

/* Times p[b * stride]: the share that the gate above `place` gives to it for example b. */
static void multiply(const eg_mixture *mixture, const eg_net *net, const eg_workspace *workspace,
                     size_t part, uint64_t place, size_t stride, eg_real *p)
{
    const size_t number = eg_mixture_number(mixture, part, EG_MIXTURE_NODE_MIXTURE);
    const eg_node *node = find(net, number, (size_t)(place / 2));
    const eg_layer_context *context = &workspace->context[node - net->nodes];
    for (size_t b = 0; b < context->batch; b++) {
        const size_t child = (size_t)(place % 2);
        p[b * stride] *= mixture->gating == EG_GATING_SOFT
                             ? eg_mixture_share(&node->layer, context, b, child)
                             : eg_hard_mixture_share(&node->layer, context, b, child);
    }
}

static void reach(const eg_mixture *mixture, const eg_net *net, const eg_workspace *workspace,
                  size_t part, uint64_t place, size_t stride, eg_real *p)
{
    for (size_t b = 0; b < eg_workspace_batch(workspace); b++) {
        p[b * stride] = 1;
    }
    for (; place > 1; place /= 2) {
        multiply(mixture, net, workspace, part, place, stride, p);
    }
}

void eg_mixture_reach(const eg_mixture *mixture, const eg_net *net, const eg_workspace *workspace,
                      size_t part, uint64_t place, eg_real *out)
{
    reach(mixture, net, workspace, part, place, 1, out);
}

void eg_mixture_probabilities(const eg_mixture *mixture, const eg_net *net,
                              const eg_workspace *workspace, size_t part, eg_real *p)
{
    const eg_expert_tree *tree = &mixture->part[part].tree;
    const size_t experts = eg_expert_tree_count(tree);
    for (uint64_t expert = eg_expert_tree_first(tree); expert != 0;
         expert = eg_expert_tree_next(tree, expert)) {
        reach(mixture, net, workspace, part, expert, experts, p++);
    }
}

eg_net_work eg_mixture_macs(const eg_mixture *mixture, const eg_net *net, size_t part,
                            eg_mixture_what what)
{
    const eg_mixture_part *range = &mixture->part[part];
    const size_t gate = eg_mixture_number(mixture, part, EG_MIXTURE_NODE_GATE);
    eg_net_work work = {.forward = 0};
    for (size_t i = 0; i < net->node_count; i++) {
        const size_t number = net->nodes[i].number;
        const bool is_expert = number >= range->first && number <= range->last;
        if (what == EG_MIXTURE_EXPERTS ? is_expert : number == gate) {
            const eg_net_work node = eg_net_node_macs(net, i);
            work.forward += node.forward;
            work.backward += node.backward;
        }
    }
    return work;
}

void eg_mixture_write(const eg_mixture *mixture, eg_writer *writer)
{
    for (size_t p = 0; p < mixture->part_count; p++) {
        eg_expert_tree_write(&mixture->part[p].tree, writer);
    }
}

eg_status eg_mixture_read(eg_mixture *mixture, eg_reader *reader)
{
    for (size_t p = 0; p < mixture->part_count; p++) {
        EG_TRY(eg_expert_tree_read(&mixture->part[p].tree, reader));
    }
    return eg_ok();
}
