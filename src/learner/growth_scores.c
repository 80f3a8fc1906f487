/** Sums over experts; see learner/growth_scores.h. */
#include "learner/growth_scores.h"

#include "engram/memory.h"
#include "engram/units.h"

#include <math.h>

static size_t experts_of(const eg_growth_scores *scores, size_t part)
{
    return eg_expert_tree_count(&scores->mixture->part[part].tree);
}

eg_status eg_growth_scores_init(eg_growth_scores *out, const eg_mixture *mixture, size_t batch)
{
    size_t most = 0;
    *out = (eg_growth_scores){.mixture = mixture};
    for (size_t part = 0; part < mixture->part_count; part++) {
        size_t experts = experts_of(out, part);
        most = experts > most ? experts : most;
        out->count += experts;
    }
    EG_TRY(eg_alloc(&out->sum, out->count, sizeof *out->sum));
    return eg_alloc(&out->p, batch, most * sizeof *out->p);
}

void eg_growth_scores_clear(eg_growth_scores *scores)
{
    eg_free(scores->sum);
    eg_free(scores->p);
    *scores = (eg_growth_scores){.count = 0};
}

void eg_growth_scores_add(eg_growth_scores *scores, const eg_net *net,
                          const eg_workspace *workspace, const double *weight)
{
    double *sum = scores->sum;
    for (size_t part = 0; part < scores->mixture->part_count; part++) {
        const size_t experts = experts_of(scores, part);
        eg_mixture_probabilities(scores->mixture, net, workspace, part, scores->p);
        for (size_t b = 0; b < eg_workspace_batch(workspace); b++) {
            for (size_t j = 0; j < experts; j++) {
                sum[j] += weight[b] * (double)scores->p[b * experts + j];
            }
        }
        sum += experts;
    }
}

uint64_t eg_growth_scores_choice(const eg_growth_scores *scores, size_t part)
{
    const eg_expert_tree *tree = &scores->mixture->part[part].tree;
    const double *sum = scores->sum;
    double most = 0;
    uint64_t chosen = 0;
    for (size_t earlier = 0; earlier < part; earlier++) {
        sum += experts_of(scores, earlier);
    }
    for (uint64_t place = eg_expert_tree_first(tree); place != 0;
         place = eg_expert_tree_next(tree, place)) {
        const double value = isnan(*sum) ? (double)INFINITY : *sum;
        if (eg_expert_tree_depth(place) < EG_EXPERT_DEPTH_MAX && (chosen == 0 || value > most)) {
            most = value;
            chosen = place;
        }
        sum++;
    }
    return chosen;
}
