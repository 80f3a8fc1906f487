/** Training and scoring candidates; see learner/firefly_search.h. */
#include "learner/firefly_search.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "nn/shared/vgg.h"

#include <math.h>
#include <string.h>

/* How candidates start, and what else the program of Wu et al. does not let settings say. */
static const eg_initial initial[EG_VGG_PARTS] = {
    [EG_VGG_OLD_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.01, 1},
    [EG_VGG_NEW_FROM_NEW] = {EG_INITIAL_UNIFORM, 0.01, 1},
    [EG_VGG_SPLIT] = {EG_INITIAL_UNIFORM, 0.1, 1},
    [EG_VGG_NEW] = {EG_INITIAL_NORMAL, 0.1, 1},
};
static const double new_penalty = 0.01; /* of new filters, times that of splits */

/* rho, epsilon, momentum, epsilon_outside: in the order of the parameters of rmsprop. */
static const double rmsprop[] = {0.9, 1e-8, 0.1, 1};

eg_status eg_firefly_search_init(eg_firefly_search *out, const eg_firefly_setup *setup,
                                 eg_growth *growth)
{
    const eg_net *net = setup->learner->net;
    eg_vgg_trial trial = {.candidates = growth->candidates};
    eg_graph *graph = NULL;
    *out = (eg_firefly_search){.setup = *setup, .growth = growth};
    memcpy(trial.initial, initial, sizeof initial);
    EG_TRY(eg_vgg_candidates(&graph, setup->view, growth->widths, &trial, setup->input,
                             net->outputs, setup->batch));
    EG_TRY(eg_net_build(&out->net, graph, setup->seed));
    EG_TRY(eg_workspace_create(&out->workspace, out->net, setup->batch, true));
    EG_TRY(eg_alloc(&out->mean_square, out->net->param_count, sizeof *out->mean_square));
    EG_TRY(eg_alloc(&out->velocity, out->net->param_count, sizeof *out->velocity));
    out->rule =
        (const eg_optimizer_kind *)(const void *)eg_family_find(&eg_optimizer_family, "rmsprop");
    eg_vgg_load(out->net, net);
    return eg_ok();
}

void eg_firefly_search_clear(eg_firefly_search *search)
{
    eg_workspace_free(search->workspace);
    eg_net_free(search->net);
    eg_free(search->mean_square);
    eg_free(search->velocity);
}

/* Minibatch `step` of the phase; EG_STOPPED if it is not wanted. */
static eg_status next(const eg_firefly_setup *setup, size_t phase, size_t step, eg_batch *batch)
{
    if (setup->wanted != NULL && !setup->wanted(setup->user)) {
        return eg_fail(EG_STOPPED, "stopped at minibatch %zu of a search before phase %zu", step,
                       phase);
    }
    eg_cursor_get(setup->cursor, phase, step, batch);
    return eg_ok();
}

/* Gradients of the loss of a minibatch. */
static void differentiate(eg_firefly_search *search, const eg_batch *batch)
{
    eg_gradient_learner *learner = search->setup.learner;
    const eg_real *y = eg_net_forward(search->net, search->workspace, EG_MODE_PROBE, batch->size,
                                      batch->x, batch->sparse);
    (void)eg_gradient_learner_loss(learner, batch, y);
    eg_net_backward(search->net, search->workspace, learner->dy, NULL);
}

/* The table's block of a part, or NULL; `convolution` as in eg_vgg_block. */
static const eg_parameter_block *block_of(const eg_firefly_search *search, size_t convolution,
                                          eg_vgg_part part)
{
    const size_t block = eg_vgg_block(search->net, search->setup.view, convolution, part);
    return block == SIZE_MAX ? NULL : &search->net->table.blocks[block];
}

/* g += 2 strength w */
EG_CLONES static void add_penalty(size_t n, eg_real strength, const eg_real *restrict w,
                                  eg_real *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] += 2 * strength * w[i];
    }
}

static void update(eg_firefly_search *search, const eg_parameter_block *block, double strength)
{
    eg_net *net = search->net;
    eg_real *w = net->params + block->offset;
    eg_real *g = net->grads + block->offset;
    if (strength > 0) {
        add_penalty(block->count, (eg_real)strength, w, g);
    }
    const eg_update run = {
        .p = rmsprop,
        .lr = search->setup.lr,
        .clip = (double)INFINITY,
        .n = block->count,
        .w = w,
        .g = g,
        .scale = 1,
        .slot = {search->mean_square + block->offset, search->velocity + block->offset}};
    search->rule->update(&run);
}

static void update_all(eg_firefly_search *search)
{
    const double penalty = search->setup.penalty;
    const double strength[EG_VGG_PARTS] = {
        [EG_VGG_SPLIT] = penalty, [EG_VGG_NEW] = penalty * new_penalty};
    for (size_t l = 0; l <= search->growth->convolutions; l++) {
        for (size_t p = 0; p < EG_VGG_PARTS; p++) {
            const eg_parameter_block *block = block_of(search, l, (eg_vgg_part)p);
            if (block != NULL) {
                update(search, block, strength[p]);
            }
        }
    }
    eg_net_touch(search->net);
}

eg_status eg_firefly_search_train(eg_firefly_search *search, size_t phase)
{
    const size_t steps = eg_stream_phase(search->setup.cursor->stream, phase).steps;
    for (size_t step = 0; step < steps; step++) {
        eg_batch batch = {.size = 0};
        EG_TRY(next(&search->setup, phase, step, &batch));
        differentiate(search, &batch);
        update_all(search);
    }
    return eg_ok();
}

/* score[unit] += share <w, g> of every unit of a block. */
static void add_products(const eg_net *net, const eg_parameter_block *block, double share,
                         double *score)
{
    for (size_t i = 0; i < block->count; i++) {
        const size_t unit = eg_parameter_unit(block, i);
        if (unit < block->units) {
            score[unit] += share * (double)net->params[block->offset + i] *
                           (double)net->grads[block->offset + i];
        }
    }
}

static void add_scores(const eg_firefly_search *search, double share)
{
    const eg_growth *growth = search->growth;
    for (size_t l = 0; l < growth->convolutions; l++) {
        double *score = growth->score + growth->first[l];
        add_products(search->net, block_of(search, l, EG_VGG_SPLIT), share, score);
        add_products(search->net, block_of(search, l, EG_VGG_NEW), share,
                     score + growth->widths[l]);
    }
}

eg_status eg_firefly_search_score(eg_firefly_search *search, size_t phase)
{
    eg_growth *growth = search->growth;
    const size_t steps = eg_stream_phase(search->setup.cursor->stream, phase).steps;
    memset(growth->score, 0, growth->first[growth->convolutions] * sizeof *growth->score);
    for (size_t step = 0; step < steps; step++) {
        eg_batch batch = {.size = 0};
        EG_TRY(next(&search->setup, phase, step, &batch));
        differentiate(search, &batch);
        add_scores(search, 1 / (double)steps);
    }
    return eg_ok();
}

/* *out: the mean loss of a network over the training examples of a phase. */
static eg_status mean_loss(double *out, const eg_firefly_setup *setup, eg_net *net, size_t phase)
{
    const eg_phase about = eg_stream_phase(setup->cursor->stream, phase);
    eg_workspace *workspace = NULL;
    double sum = 0;
    eg_status status = eg_workspace_create(&workspace, net, setup->batch, false);
    EG_TRY_DONE(status, status);
    for (size_t step = 0; step < about.steps; step++) {
        eg_batch batch = {.size = 0};
        EG_TRY_DONE(status, next(setup, phase, step, &batch));
        const eg_real *y =
            eg_net_forward(net, workspace, EG_MODE_PREDICT, batch.size, batch.x, batch.sparse);
        sum += (double)batch.size * eg_gradient_learner_loss(setup->learner, &batch, y);
    }
    *out = sum / (double)about.examples;
done:
    eg_workspace_free(workspace);
    return status;
}

static eg_status realise(eg_firefly_grown *out, const eg_firefly_search *search)
{
    const eg_firefly_setup *setup = &search->setup;
    const eg_net *from = setup->learner->net;
    eg_graph *graph = NULL;
    EG_TRY(eg_alloc(&out->widths, setup->convolutions, sizeof *out->widths));
    eg_growth_widths(search->growth, out->widths);
    EG_TRY(
        eg_vgg_graph(&graph, setup->view, out->widths, setup->input, from->outputs, setup->batch));
    EG_TRY(eg_net_build(&out->net, graph, from->seed));
    return eg_growth_realise(search->growth, setup->view, from, search->net, setup->joins,
                             out->net);
}

static void count_costs(eg_firefly_grown *out, const eg_firefly_search *search, size_t phase)
{
    const eg_firefly_setup *setup = &search->setup;
    const double examples = (double)eg_stream_phase(setup->cursor->stream, phase).examples;
    const eg_net *before = setup->learner->net;
    const eg_net_work work = eg_net_macs(search->net);
    const double macs = 2 * (work.forward + work.backward) + eg_net_macs(before).forward +
                        eg_net_macs(out->net).forward;
    out->train_flops = examples * 2 * macs;
    out->extra_flops = examples * (2 * 3 * eg_net_flops(search->net) + eg_net_flops(before) +
                                   eg_net_flops(out->net));
}

static eg_status grow(eg_firefly_grown *out, eg_firefly_search *search, size_t phase)
{
    const eg_firefly_setup *setup = &search->setup;
    EG_TRY(mean_loss(&out->loss_before, setup, setup->learner->net, phase));
    EG_TRY(eg_firefly_search_train(search, phase));
    EG_TRY(eg_firefly_search_score(search, phase));
    EG_TRY(eg_growth_select(search->growth, setup->rank));
    EG_TRY(realise(out, search));
    EG_TRY(mean_loss(&out->loss_after, setup, out->net, phase));
    count_costs(out, search, phase);
    return eg_ok();
}

eg_status eg_firefly_grow(eg_firefly_grown *out, const eg_firefly_setup *setup, size_t phase)
{
    eg_firefly_search search = {.growth = NULL};
    eg_growth growth;
    *out = (eg_firefly_grown){.net = NULL};
    eg_status status =
        eg_growth_init(&growth, setup->convolutions, setup->widths, setup->candidates);
    EG_TRY_DONE(status, status);
    EG_TRY_DONE(status, eg_firefly_search_init(&search, setup, &growth));
    status = grow(out, &search, phase);
done:
    if (!eg_is_ok(&status)) {
        eg_firefly_grown_clear(out);
    }
    eg_firefly_search_clear(&search);
    eg_growth_clear(&growth);
    return status;
}

/* Before every minibatch of both passes and both losses. */
size_t eg_firefly_polls(const eg_stream *stream, size_t phase)
{
    return 4 * eg_stream_phase(stream, phase).steps;
}

void eg_firefly_grown_clear(eg_firefly_grown *grown)
{
    eg_net_free(grown->net);
    eg_free(grown->widths);
    *grown = (eg_firefly_grown){.net = NULL};
}
