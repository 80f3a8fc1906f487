/** Applying an update: what happens to every gradient; see engram/optimizer.h. */
#include "optim/object.h"

#include "math/shared/prefetch.h"
#include "math/shared/rows.h"
#include "math/shared/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { BLOCK = EG_OPTIMIZER_BLOCK };

static size_t at_most(size_t n, size_t bound)
{
    return n < bound ? n : bound;
}

/* Gradients come in ascending order where it matters: the state of the next ones is fetched while
 * they are computed. */
static void fetch_next(const eg_optimizer *optimizer, size_t next, size_t count,
                       const eg_penalty *penalty)
{
    size_t n = at_most(optimizer->n - next, count);
    for (size_t s = 0; s < optimizer->slots; s++) {
        eg_prefetch(optimizer->slot[s] + next, n * sizeof(eg_real));
    }
    if (optimizer->terms->path_integral != NULL) {
        eg_prefetch(optimizer->terms->path_integral + next, n * sizeof(eg_real));
    }
    if (penalty != NULL) {
        eg_penalty_prefetch(penalty, next, n);
    }
}

/* Chooses the penalty that is added within the pass: that of the update, or the first attached
 * one. */
static void choose_penalty(eg_optimizer *optimizer)
{
    optimizer->penalty = optimizer->terms->penalty;
    optimizer->adds = optimizer->terms->add != NULL;
    for (const eg_gradient_term *term = optimizer->attached; term != NULL; term = term->next) {
        bool fused = optimizer->penalty == NULL && term->penalty != NULL;
        optimizer->penalty = fused ? term->penalty : optimizer->penalty;
        optimizer->adds = optimizer->adds || term->add != NULL || (term->penalty != NULL && !fused);
    }
}

/* Adds all but that penalty to gradients g [n] of parameters w [n] from `at` on. */
static void add_to(const eg_optimizer *optimizer, size_t at, size_t n, const eg_real *w, eg_real *g)
{
    if (optimizer->terms->add != NULL) {
        optimizer->terms->add(optimizer->terms->user, at, n, w, g);
    }
    for (const eg_gradient_term *term = optimizer->attached; term != NULL; term = term->next) {
        if (term->penalty != NULL && term->penalty != optimizer->penalty) {
            (void)eg_penalty_add(term->penalty, at, n, w, g);
        }
        if (term->add != NULL) {
            term->add(term->user, at, n, w, g);
        }
    }
}

eg_update eg_optimizer_run(const eg_optimizer *optimizer, size_t at, size_t n, const eg_real *g,
                           const eg_real *loss_g, eg_real scale)
{
    eg_update run = {
        .p = optimizer->p,
        .lr = optimizer->rate,
        .clip = optimizer->clip,
        .n = n,
        .w = optimizer->params + at,
        .g = g,
        .scale = scale,
        .loss_g = loss_g,
    };
    memcpy(run.factor, optimizer->factor, sizeof run.factor);
    if (optimizer->terms->path_integral != NULL) {
        run.path_integral = optimizer->terms->path_integral + at;
    }
    for (size_t s = 0; s < optimizer->slots; s++) {
        run.slot[s] = optimizer->slot[s] + at;
    }
    if (optimizer->count != NULL) {
        run.count = optimizer->count + at;
        run.correction = optimizer->correction;
        run.correction_end = optimizer->correction_end;
    }
    return run;
}

/* Changes parameters first … first+count-1 by their gradients g, of the loss alone loss_g. Where
 * importances are zero, neither they nor the anchor are read. */
static void update(const eg_optimizer *optimizer, size_t first, size_t count, const eg_real *g,
                   const eg_real *loss_g, eg_real scale, const eg_penalty *penalty)
{
    for (size_t done = 0; done < count;) {
        bool zero = false;
        size_t at = first + done;
        size_t n = penalty == NULL ? count : eg_penalty_run(penalty, at, count - done, &zero);
        eg_update run = eg_optimizer_run(optimizer, at, n, g + done, loss_g + done, scale);
        if (penalty != NULL && !zero) {
            run.penalty = eg_penalty_at(penalty, at);
        }
        optimizer->kind->update(&run);
        done += n;
    }
    fetch_next(optimizer, first + count, count, penalty);
}

/* Whether parameter `at` decays; *n: and how many from there on are like it, at most *n. */
static bool decays(const eg_optimizer *optimizer, size_t at, size_t *n)
{
    for (size_t b = 0; b < optimizer->block_count; b++) {
        const eg_parameter_block *block = &optimizer->blocks[b];
        if (at < block->offset + block->count) {
            *n = at_most(*n, block->offset + block->count - at);
            return eg_optimizer_decays(optimizer, block);
        }
    }
    return false;
}

/* Weight decay of n parameters w with gradients g: part of the gradient, or beside it. */
static void decay(const eg_optimizer *optimizer, size_t n, eg_real *w, eg_real *g)
{
    eg_real lambda = (eg_real)optimizer->decay;
    if (optimizer->decoupled) {
        eg_scale(n, (eg_real)(1.0 - optimizer->rate * optimizer->decay), w);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        g[i] = optimizer->scale * g[i] + lambda * w[i];
    }
}

/* The same as `update` where something is added to the gradient first, block by block. */
static void update_mixed(const eg_optimizer *optimizer, size_t first, size_t count,
                         const eg_real *g, const eg_real *loss_g, bool adds,
                         const eg_penalty *penalty)
{
    eg_real *mixed = optimizer->mixed;
    for (size_t done = 0; done < count;) {
        size_t at = first + done;
        size_t n = at_most(count - done, BLOCK);
        eg_real *w = optimizer->params + at;
        eg_real scale = optimizer->scale;
        bool is_decaying = decays(optimizer, at, &n);
        memcpy(mixed, g + done, n * sizeof *mixed);
        if (adds) {
            add_to(optimizer, at, n, w, mixed);
        }
        if (is_decaying) {
            decay(optimizer, n, w, mixed);
            scale = optimizer->decoupled ? scale : 1;
        }
        update(optimizer, at, n, mixed, loss_g + done, scale, penalty);
        done += n;
    }
}

/* Sums of |w| do not follow a change of parameters first … first+count-1. */
static void lose_sums(const eg_optimizer *optimizer, size_t first, size_t count)
{
    for (eg_column_magnitudes *sums = optimizer->followed; sums != NULL; sums = sums->next) {
        bool apart =
            first >= sums->first + sums->rows * sums->width || first + count <= sums->first;
        sums->lost = sums->lost || !apart;
    }
}

/* The sums that a change by these factors is added to; NULL: none. They follow plain steps only; of
 * several for one matrix the others are lost. */
static double *sums_of(const eg_optimizer *optimizer, const eg_outer_gradient *g, bool plain)
{
    double *sum = NULL;
    for (eg_column_magnitudes *sums = optimizer->followed; sums != NULL; sums = sums->next) {
        if (plain && sums->first == g->first && sums->width == g->width && sum == NULL) {
            sum = sums->sum;
        } else if (sums->first == g->first) {
            sums->lost = true;
        }
    }
    return sum;
}

/* Changes parameters as their gradients come. */
static void consume_at_once(void *user, size_t first, size_t count, eg_real *g)
{
    const eg_optimizer *optimizer = user;
    eg_profile_part before = eg_profile_enter(optimizer->profile, EG_PROFILE_UPDATE);
    assert(first + count <= optimizer->n);
    lose_sums(optimizer, first, count);
    if (optimizer->adds || optimizer->block_count > 0) {
        update_mixed(optimizer, first, count, g, g, optimizer->adds, optimizer->penalty);
    } else {
        update(optimizer, first, count, g, g, 1, optimizer->penalty);
    }
    (void)eg_profile_enter(optimizer->profile, before);
}

/* The same from the factors of a gradient, for updates that are nothing but a step down it. */
static void consume_outer(void *user, const eg_outer_gradient *g)
{
    const eg_optimizer *optimizer = user;
    eg_profile_part before = eg_profile_enter(optimizer->profile, EG_PROFILE_UPDATE);
    size_t n = 1;
    bool is_decaying = decays(optimizer, g->first, &n);
    eg_rows_step step = {
        .lr = (eg_real)optimizer->rate, .bound = (eg_real)optimizer->clip, .shrink = 1};
    if (is_decaying && optimizer->decoupled) {
        step.shrink = (eg_real)(1.0 - optimizer->rate * optimizer->decay);
    } else if (is_decaying) {
        step.decay = (eg_real)optimizer->decay;
    }
    eg_real *w = optimizer->params + g->first;
    double *sum = sums_of(optimizer, g, !is_decaying && isinf(step.bound));
    if (sum != NULL) {
        eg_rows_descend_following(step.lr, g->count, g->row, g->a, g->width, g->d, w, sum);
    } else {
        eg_rows_descend(&step, g->count, g->row, g->a, g->width, g->d, w);
    }
    (void)eg_profile_enter(optimizer->profile, before);
}

/* Where nothing else is added, one pass makes the gradients and takes them. */
static void consume_composed(void *user, size_t first, size_t count, const eg_composed_term *term)
{
    const eg_optimizer *optimizer = user;
    eg_profile_part before = eg_profile_enter(optimizer->profile, EG_PROFILE_UPDATE);
    eg_update run = eg_optimizer_run(optimizer, first, count, NULL, NULL, 1);
    assert(first + count <= optimizer->n);
    lose_sums(optimizer, first, count);
    run.composed = *term;
    optimizer->kind->update(&run);
    (void)eg_profile_enter(optimizer->profile, before);
}

static bool takes_composed(const eg_optimizer *optimizer)
{
    return optimizer->penalty == NULL && !optimizer->adds && optimizer->block_count == 0 &&
           optimizer->terms->path_integral == NULL;
}

/* Whether the terms of this update leave it a step down the gradient. */
static bool only_descends(const eg_optimizer *optimizer)
{
    return optimizer->kind->descends && optimizer->penalty == NULL && !optimizer->adds &&
           optimizer->terms->path_integral == NULL;
}

/* Where the gradient with everything added goes if it is needed as a whole: to its place, unless a
 * path integral takes the one of the loss from there. */
static eg_real *whole_of(const eg_optimizer *optimizer)
{
    return optimizer->terms->path_integral != NULL ? optimizer->whole : optimizer->grads;
}

/* Adds the terms to g [n] of parameters `at` …; returns the sum of its squares then. */
static double add_terms(const eg_optimizer *optimizer, size_t at, size_t n, eg_real *g)
{
    const eg_penalty *penalty = optimizer->penalty;
    const eg_real *w = optimizer->params + at;
    if (optimizer->adds) {
        add_to(optimizer, at, n, w, g);
    }
    if (penalty == NULL) {
        return (double)eg_sum_squares(n, g, 0);
    }
    double squares = eg_penalty_add(penalty, at, n, w, g);
    eg_penalty_prefetch(penalty, at + n, at_most(optimizer->n - at - n, n));
    return squares;
}

/* Adds everything to a piece of the gradient, which is in cache now, and its squares to their sum:
 * the update waits for the norm of all. */
static void consume_for_norm(void *user, size_t first, size_t count, eg_real *g)
{
    eg_optimizer *optimizer = user;
    eg_real *whole = whole_of(optimizer);
    eg_profile_part before = eg_profile_enter(optimizer->profile, EG_PROFILE_UPDATE);
    assert(g == optimizer->grads + first && first + count <= optimizer->n);
    for (size_t at = first; at < first + count; at += BLOCK) {
        size_t n = at_most(first + count - at, BLOCK);
        if (whole != optimizer->grads) {
            memcpy(whole + at, g + (at - first), n * sizeof *g);
        }
        optimizer->squares += add_terms(optimizer, at, n, whole + at);
    }
    (void)eg_profile_enter(optimizer->profile, before);
}

static double rate_now(const eg_optimizer *optimizer)
{
    const eg_schedule_time now = {
        .step = optimizer->steps,
        .phase = optimizer->phase,
        .phase_step = optimizer->phase_steps,
        .epoch = optimizer->epoch_steps > 0 ? optimizer->phase_steps / optimizer->epoch_steps : 0,
    };
    return optimizer->schedule->rate(optimizer->schedule_p, optimizer->lr, &now);
}

const eg_gradient_consumer *eg_optimizer_begin(eg_optimizer *optimizer, eg_real *params,
                                               eg_real *grads, const eg_update_terms *terms)
{
    static const eg_update_terms none = {.penalty = NULL};
    bool at_once = !isfinite(optimizer->clip_norm) && optimizer->kind->gather == NULL;
    optimizer->params = params;
    optimizer->grads = grads;
    optimizer->terms = terms != NULL ? terms : &none;
    choose_penalty(optimizer);
    assert(!optimizer->adds || optimizer->mixed != NULL);
    optimizer->rate = rate_now(optimizer);
    optimizer->scale = 1;
    optimizer->squares = 0;
    optimizer->steps++;
    optimizer->phase_steps++;
    if (optimizer->kind->factors != NULL) {
        optimizer->kind->factors(optimizer->p, optimizer->steps, optimizer->factor);
    }
    optimizer->consumer = (eg_gradient_consumer){
        .consume = at_once ? consume_at_once : consume_for_norm,
        .user = optimizer,
        .updates = at_once,
        .consume_outer = at_once && only_descends(optimizer) ? consume_outer : NULL,
        .consume_composed = at_once && takes_composed(optimizer) ? consume_composed : NULL,
        .skips_zero = optimizer->block_count == 0,
    };
    return &optimizer->consumer;
}

/* The floor under the norm is that of torch.nn.utils.clip_grad_norm_, which the papers used. */
void eg_optimizer_end(eg_optimizer *optimizer)
{
    if (optimizer->consumer.updates) {
        return;
    }
    eg_profile_part before = eg_profile_enter(optimizer->profile, EG_PROFILE_UPDATE);
    double factor = optimizer->clip_norm / (sqrt(optimizer->squares) + 1e-6);
    optimizer->scale = factor < 1.0 ? (eg_real)factor : 1;
    eg_real *g = whole_of(optimizer);
    lose_sums(optimizer, 0, optimizer->n);
    if (optimizer->kind->gather != NULL) {
        eg_optimizer_gather(optimizer, g);
    } else if (optimizer->block_count > 0) {
        update_mixed(optimizer, 0, optimizer->n, g, optimizer->grads, false, NULL);
    } else {
        update(optimizer, 0, optimizer->n, g, optimizer->grads, optimizer->scale, NULL);
    }
    (void)eg_profile_enter(optimizer->profile, before);
}

void eg_optimizer_reach(const eg_optimizer *optimizer, size_t first, size_t count, eg_real *out)
{
    const eg_update run = eg_optimizer_run(optimizer, first, count, NULL, NULL, 1);
    optimizer->kind->reach(&run, out);
}

void eg_optimizer_step(eg_optimizer *optimizer, eg_real *params, eg_real *grads)
{
    const eg_gradient_consumer *consumer = eg_optimizer_begin(optimizer, params, grads, NULL);
    consumer->consume(consumer->user, 0, optimizer->n, grads);
    eg_optimizer_end(optimizer);
}
