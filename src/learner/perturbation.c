/** Shrinking and noise, block by block; see learner/perturbation.h. */
#include "learner/perturbation.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "engram/units.h"
#include "math/shared/normals.h"
#include "math/shared/vector.h"

#include <math.h>
#include <string.h>

const char *const eg_noise_names[] = {
    [EG_NOISE_GAUSSIAN] = "gaussian",
    [EG_NOISE_STEP_SCALED] = "step_scaled",
    [EG_NOISE_INIT] = "init",
    [EG_NOISE_FIRST] = "first",
    [EG_NOISE_HE] = "he",
    NULL,
};

const char *const eg_head_names[] = {
    [EG_HEAD_SAME] = "same", [EG_HEAD_KEPT] = "kept", [EG_HEAD_INITIAL] = "initial", NULL};

/* What happens to a block. */
typedef enum treatment { LEFT_OUT, SHRUNK, PUT_BACK } treatment;

static treatment treatment_of(const eg_perturbation *p, const eg_parameter_block *block)
{
    bool is_head = eg_node_is_head(&p->at.net->nodes[block->node]);
    if (p->rule.spares[block->role] ||
        (p->rule.noise == EG_NOISE_HE && block->role != EG_ROLE_WEIGHT) ||
        (is_head && p->rule.head == EG_HEAD_KEPT)) {
        return LEFT_OUT;
    }
    return is_head && p->rule.head == EG_HEAD_INITIAL ? PUT_BACK : SHRUNK;
}

static bool is_normal(const eg_perturbation_rule *rule)
{
    return rule->noise == EG_NOISE_GAUSSIAN || rule->noise == EG_NOISE_STEP_SCALED;
}

/* Where a plane has no parameter. `ones` [the largest block]: 1. */
static eg_status find_gaps(eg_perturbation *p, const eg_real *ones, eg_real *used)
{
    const eg_net *net = p->at.net;
    for (size_t b = 0; b < net->table.block_count; b++) {
        eg_net_block_set(net, b, ones, used);
    }
    for (size_t i = 0; i < net->param_count; i++) {
        if (used[i] != 0) {
            continue;
        }
        if (i == 0 || used[i - 1] != 0) {
            EG_TRY(eg_grow(&p->gap, &p->gap_capacity, 2 * (p->gap_count + 1), sizeof *p->gap));
            p->gap[2 * p->gap_count++] = i;
            p->gap[2 * p->gap_count - 1] = 0;
        }
        p->gap[2 * p->gap_count - 1]++;
    }
    return eg_ok();
}

eg_status eg_perturbation_init(eg_perturbation *perturbation, const eg_learner_network *at,
                               const eg_perturbation_rule *rule)
{
    eg_perturbation *p = perturbation;
    const eg_net *net = at->net;
    *p = (eg_perturbation){.rule = *rule, .at = *at};
    size_t most = 0;
    bool all_alike = true;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        most = block->count > most ? block->count : most;
        all_alike = all_alike && treatment_of(p, block) == SHRUNK;
    }
    if (rule->noise == EG_NOISE_FIRST || rule->head == EG_HEAD_INITIAL) {
        EG_TRY(eg_alloc(&p->initial, net->param_count, sizeof *p->initial));
        eg_perturbation_keep_initial(p);
    }
    if (is_normal(rule) && !all_alike) {
        EG_TRY(eg_alloc(&p->noise, net->param_count, sizeof *p->noise));
    }
    EG_TRY(eg_alloc(&p->drawn, most, sizeof *p->drawn));
    for (size_t i = 0; i < most; i++) {
        p->drawn[i] = 1;
    }
    eg_real *used = NULL;
    EG_TRY(eg_alloc(&used, net->param_count, sizeof *used));
    eg_status status = find_gaps(p, p->drawn, used);
    eg_free(used);
    return status;
}

void eg_perturbation_clear(eg_perturbation *perturbation)
{
    eg_free(perturbation->initial);
    eg_free(perturbation->noise);
    eg_free(perturbation->drawn);
    eg_free(perturbation->gap);
}

void eg_perturbation_keep_initial(eg_perturbation *perturbation)
{
    const eg_net *net = perturbation->at.net;
    if (perturbation->initial != NULL) {
        memcpy(perturbation->initial, net->params, net->param_count * sizeof *net->params);
    }
}

/* Adds sigma times drawn numbers to one block, padding too. */
static void add_drawn(eg_perturbation *p, size_t b, uint64_t time)
{
    const eg_net *net = p->at.net;
    const eg_parameter_block *block = &net->table.blocks[b];
    eg_initial from = block->initial;
    if (p->rule.noise == EG_NOISE_HE) {
        from = (eg_initial){
            .kind = EG_INITIAL_UNIFORM, .scale = sqrt(6.0), .divisor = sqrt((double)block->fan_in)};
    }
    uint64_t index = time * net->table.block_count + b;
    eg_rng rng = eg_rng_make(net->seed, EG_PURPOSE_WEIGHT_NOISE, index);
    for (size_t i = 0; i < block->count; i++) {
        p->drawn[i] = (eg_real)(p->rule.sigma * eg_initial_draw(&from, &rng));
    }
    eg_accumulate(block->count, p->drawn, net->params + block->offset);
}

static void shrink(const eg_perturbation *p, const eg_parameter_block *block)
{
    eg_real *w = p->at.net->params + block->offset;
    const eg_real *first = p->rule.noise == EG_NOISE_FIRST ? p->initial : NULL;
    if (p->rule.shrink > 0) {
        eg_scale(block->count, (eg_real)(1.0 - p->rule.shrink), w);
    }
    for (size_t i = 0; first != NULL && i < block->count; i++) {
        w[i] += (eg_real)p->rule.shrink * first[block->offset + i];
    }
}

/* Normal number i is of parameter i. */
static void add_normals(const eg_perturbation *p, uint64_t time)
{
    const eg_net *net = p->at.net;
    double scale =
        p->rule.noise == EG_NOISE_STEP_SCALED ? -eg_optimizer_rate(p->at.optimizer) : 1.0;
    eg_real sigma = (eg_real)(scale * p->rule.sigma);
    if (p->noise == NULL) {
        eg_normals_add(net->seed, EG_PURPOSE_WEIGHT_NOISE, time, sigma, net->param_count,
                       net->params);
        return;
    }
    eg_normals(net->seed, EG_PURPOSE_WEIGHT_NOISE, time, net->param_count, p->noise);
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        bool takes_part = treatment_of(p, block) == SHRUNK;
        for (size_t i = block->offset; takes_part && i < block->offset + block->count; i++) {
            net->params[i] += sigma * p->noise[i];
        }
    }
}

void eg_perturbation_apply(eg_perturbation *perturbation, uint64_t time)
{
    eg_perturbation *p = perturbation;
    eg_net *net = p->at.net;
    for (size_t b = 0; b < net->table.block_count; b++) {
        const eg_parameter_block *block = &net->table.blocks[b];
        switch (treatment_of(p, block)) {
        case SHRUNK:
            shrink(p, block);
            if (p->rule.noise == EG_NOISE_INIT || p->rule.noise == EG_NOISE_HE) {
                add_drawn(p, b, time);
            }
            break;
        case PUT_BACK:
            memcpy(net->params + block->offset, p->initial + block->offset,
                   block->count * sizeof *net->params);
            break;
        case LEFT_OUT:
            break;
        }
    }
    if (is_normal(&p->rule) && p->rule.sigma > 0) {
        add_normals(p, time);
    }
    for (size_t g = 0; g < p->gap_count; g++) {
        memset(net->params + p->gap[2 * g], 0, p->gap[2 * g + 1] * sizeof *net->params);
    }
    eg_net_touch(net);
}

void eg_perturbation_write(const eg_perturbation *perturbation, eg_writer *writer)
{
    if (perturbation->initial != NULL) {
        eg_write_reals(writer, perturbation->at.net->param_count, perturbation->initial);
    }
}

eg_status eg_perturbation_read(eg_perturbation *perturbation, eg_reader *reader)
{
    return perturbation->initial != NULL ? eg_read_reals(reader, perturbation->at.net->param_count,
                                                         perturbation->initial, "initial weights")
                                         : eg_ok();
}
