/** One update of sigma, tau, v, biases and head, in one pass over them while the gradient G of
 *  theta_t comes; see learner/apd.h. With E_j = theta_j - theta*_j of the retroactive term the
 *  gradients are
 *
 *      sigma    sum_j lambda2 M_j E_j + M_t G
 *      tau_t    G + decay tau_t + lambda1 sign(tau_t)
 *      tau_j    lambda2 E_j + lambda1 sign(tau_j)
 *      v_t[o]   M(1-M) sum_i G sigma + decay v_t + mask_l1 sign(v_t)
 *      v_j[o]   M(1-M) sum_i lambda2 E_j sigma
 *
 *  and without that term sigma gets lambda2 (sigma - sigma_old) instead; in the first task decay
 *  sigma. With the proximal form lambda1 is not part of the gradient. */
#include "learner/apd_chunk.h"
#include "learner/apd_proximal.h"
#include "math/shared/clones.h"

#include <string.h>

/* What the pass over a chunk works with, [n] each. */
typedef struct chunk_data {
    size_t n;
    const eg_real *mask, *sigma, *tau, *anchor;
    eg_real *sigma_gradient, *tau_gradient;
    eg_real *product; /* what is summed for the gradient of the mask */
} chunk_data;

/* The loss of the task that is learned; g: gradient of its theta. */
EG_CLONES static void add_loss(const chunk_data *c, const eg_real *restrict g, eg_real decay,
                               eg_real sigma_decay, eg_real lambda1)
{
    const eg_real *mask = c->mask;
    const eg_real *sigma = c->sigma;
    const eg_real *tau = c->tau;
    eg_real *sigma_gradient = c->sigma_gradient;
    eg_real *tau_gradient = c->tau_gradient;
    eg_real *product = c->product;
    size_t n = c->n;
    EG_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        sigma_gradient[i] = mask[i] * g[i] + sigma_decay * sigma[i];
        tau_gradient[i] = g[i] + decay * tau[i] + lambda1 * eg_composed_sign(tau[i]);
        product[i] = g[i] * sigma[i];
    }
}

/* g [n] = the gradients of tau of an old task. */
EG_CLONES static void add_retroactive(size_t n, const eg_composed_term *term, const eg_real *tau,
                                      eg_real *g)
{
    const eg_composed_term local = *term;
    EG_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        g[i] = eg_composed_gradient(&local, i, tau[i]);
    }
}

EG_CLONES static void add_drift(const chunk_data *c, eg_real lambda2)
{
    const eg_real *sigma = c->sigma;
    const eg_real *anchor = c->anchor;
    eg_real *sigma_gradient = c->sigma_gradient;
    size_t n = c->n;
    EG_INDEPENDENT
    for (size_t i = 0; i < n; i++) {
        sigma_gradient[i] += lambda2 * (sigma[i] - anchor[i]);
    }
}

/* Memory of a pass, in the first-level cache. */
typedef struct rooms {
    eg_real mask[EG_APD_CHUNK], sigma_gradient[EG_APD_CHUNK], tau_gradient[EG_APD_CHUNK],
        product[EG_APD_CHUNK];
} rooms;

/* Where the gradient of numbers of `all` from `at` on is made: in place if the optimizer waits. */
static eg_real *place_of(const eg_apd *self, size_t at, eg_real *room)
{
    return self->gradient != NULL ? self->gradient + at : room;
}

static void give(const eg_apd *self, size_t at, size_t n, eg_real *g)
{
    self->optimizer->consume(self->optimizer->user, at, n, g);
}

/* What does not learn keeps its value: nothing is given, or zeros if the optimizer waits for
 * all. */
static void give_nothing(const eg_apd *self, size_t at, size_t n)
{
    if (self->gradient != NULL) {
        memset(self->gradient + at, 0, n * sizeof *self->gradient);
        give(self, at, n, self->gradient + at);
    }
}

static bool sigma_learns(const eg_apd *self)
{
    return self->first || !self->settings.freeze_shared;
}

static eg_real subgradient(const eg_apd *self)
{
    return self->settings.l1 == EG_APD_SUBGRADIENT ? (eg_real)self->settings.lambda1 : 0;
}

static void shrink_tau(const eg_apd *self, size_t plane, size_t in_all, size_t n)
{
    if (self->settings.l1 == EG_APD_PROXIMAL && self->gradient == NULL) {
        eg_apd_proximal(self, plane, in_all, n);
    }
}

/* tau of a task, from `at` on in its plane, learns. */
static void give_tau(const eg_apd *self, size_t plane, size_t at, size_t n, eg_real *g)
{
    size_t in_all = self->layout.first_plane + plane * self->layout.plane + at;
    give(self, in_all, n, g);
    shrink_tau(self, plane, in_all, n);
}

/* The same of an old task: in one pass where the optimizer can. */
static void give_old(const eg_apd *self, size_t plane, size_t at, size_t n,
                     const eg_composed_term *term)
{
    size_t in_all = self->layout.first_plane + plane * self->layout.plane + at;
    if (self->optimizer->consume_composed != NULL) {
        self->optimizer->consume_composed(self->optimizer->user, in_all, n, term);
        shrink_tau(self, plane, in_all, n);
        return;
    }
    eg_real room[EG_APD_CHUNK];
    eg_real *g = place_of(self, in_all, room);
    add_retroactive(n, term, self->all + in_all, g);
    give_tau(self, plane, at, n, g);
}

/* The task that is learned. A plain one has no tau until it is an old one. */
static void pass_current(const eg_apd *self, const eg_apd_chunk *chunk, size_t at,
                         const chunk_data *common, const eg_real *g)
{
    chunk_data data = *common;
    const eg_apd_settings *set = &self->settings;
    size_t plane = self->task[self->current].plane;
    size_t in_all = self->layout.first_plane + plane * self->layout.plane + at;
    eg_real room[EG_APD_CHUNK];
    data.tau = self->all + in_all;
    data.tau_gradient = place_of(self, in_all, room);
    add_loss(&data, g, (eg_real)set->weight_decay, self->first ? (eg_real)set->weight_decay : 0,
             subgradient(self));
    eg_apd_chunk_sum(chunk, data.product, self->sums + plane * self->layout.units);
    if (eg_apd_plain(self)) {
        give_nothing(self, in_all, data.n);
    } else {
        give_tau(self, plane, at, data.n, data.tau_gradient);
    }
}

static void pass_old(const eg_apd *self, size_t task, size_t part, const eg_apd_chunk *chunk,
                     size_t at, const chunk_data *common)
{
    const eg_apd_settings *set = &self->settings;
    size_t plane = self->task[task].plane;
    const eg_real *shared = eg_apd_shared(self, task, part, chunk->i);
    eg_real mask[EG_APD_CHUNK];
    eg_apd_chunk_expand(chunk, self->masks + plane * self->layout.units, mask);
    const eg_composed_term term = {.strength = (eg_real)set->lambda2,
                                   .l1 = subgradient(self),
                                   .mask = mask,
                                   .base = common->sigma,
                                   .group = shared != NULL ? shared : eg_apd_zeros,
                                   .anchor = self->anchor + plane * self->layout.weights + at,
                                   .base_gradient = common->sigma_gradient,
                                   .mask_gradient = common->product};
    give_old(self, plane, at, chunk->n, &term);
    if (set->retro_masks && self->task[task].masked) {
        eg_apd_chunk_sum(chunk, common->product, self->sums + plane * self->layout.units);
    }
}

/* All that stands at one chunk, sigma last: the others need it as it was. */
static void pass_chunk(const eg_apd *self, size_t part, const eg_apd_chunk *chunk, const eg_real *g,
                       rooms *room)
{
    size_t at = self->layout.parts[part].at + chunk->i;
    size_t current = self->task[self->current].plane;
    chunk_data c = {.n = chunk->n,
                    .mask = room->mask,
                    .sigma = self->all + at,
                    .sigma_gradient = place_of(self, at, room->sigma_gradient),
                    .product = room->product};
    eg_apd_chunk_expand(chunk, self->masks + current * self->layout.units, room->mask);
    pass_current(self, chunk, at, &c, g);
    for (size_t t = 0; self->settings.retroactive && t < self->phases; t++) {
        if (self->task[t].known && t != self->current) {
            pass_old(self, t, part, chunk, at, &c);
        }
    }
    if (!sigma_learns(self)) {
        give_nothing(self, at, c.n);
        return;
    }
    if (!self->settings.retroactive && !self->first) {
        c.anchor = self->anchor + at;
        add_drift(&c, (eg_real)self->settings.lambda2);
    }
    give(self, at, c.n, c.sigma_gradient);
}

/* Gradients of the network's parameters first … first+count-1. Those of biases and the head are
 * looked at in the end. */
static void consume(void *user, size_t first, size_t count, eg_real *g)
{
    const eg_apd *self = user;
    rooms room;
    for (size_t p = 0; p < self->layout.part_count; p++) {
        const eg_apd_part *part = &self->layout.parts[p];
        size_t begin = part->block->offset;
        size_t end = begin + part->block->count;
        size_t low = first > begin ? first : begin;
        size_t high = first + count < end ? first + count : end;
        while (low < high) {
            eg_apd_chunk chunk = eg_apd_chunk_at(part, low - begin, high - begin);
            pass_chunk(self, p, &chunk, g + (low - first), &room);
            low += chunk.n;
        }
    }
}

eg_gradient_consumer eg_apd_update_begin(eg_apd *self)
{
    for (size_t t = 0; t < self->phases; t++) {
        if (self->task[t].known && self->task[t].plane != EG_APD_NONE) {
            eg_apd_masks(self, t, self->masks + self->task[t].plane * self->layout.units);
        }
    }
    self->updates++;
    memset(self->sums, 0, self->planes * self->layout.units * sizeof *self->sums);
    self->optimizer = eg_optimizer_begin(self->base.optimizer, self->all, self->gradient, NULL);
    return (eg_gradient_consumer){.consume = consume, .user = self};
}

static void update_mask(eg_apd *self, size_t task)
{
    const eg_apd_layout *layout = &self->layout;
    const eg_apd_settings *set = &self->settings;
    size_t plane = self->task[task].plane;
    size_t at = layout->first_plane + plane * layout->plane + layout->weights;
    bool current = task == self->current;
    if (!self->task[task].masked || !(current || set->retro_masks)) {
        give_nothing(self, at, layout->units);
        return;
    }
    const eg_real *v = self->all + at;
    const eg_real *masks = self->masks + plane * layout->units;
    const double *sums = self->sums + plane * layout->units;
    eg_real *g = place_of(self, at, self->scratch);
    eg_real decay = current ? (eg_real)set->weight_decay : 0;
    eg_real l1 = current ? (eg_real)set->mask_l1 : 0;
    for (size_t u = 0; u < layout->units; u++) {
        g[u] = masks[u] * (1 - masks[u]) * (eg_real)sums[u] + decay * v[u] +
               l1 * eg_composed_sign(v[u]);
    }
    give(self, at, layout->units, g);
}

static void update_own(eg_apd *self)
{
    const eg_apd_layout *layout = &self->layout;
    size_t count = eg_apd_own_size(layout, self->active);
    eg_real *g = place_of(self, layout->first_own, self->scratch);
    eg_apd_own_get(layout, self->active, self->base.net->grads, g);
    give(self, layout->first_own, count, g);
}

void eg_apd_update_end(eg_apd *self)
{
    for (size_t t = 0; t < self->phases; t++) {
        bool takes_part = t == self->current || self->settings.retroactive;
        if (self->task[t].known && takes_part) {
            update_mask(self, t);
        }
    }
    update_own(self);
    eg_optimizer_end(self->base.optimizer);
    for (size_t plane = 0; self->gradient != NULL && plane < self->planes; plane++) {
        if (self->settings.l1 == EG_APD_PROXIMAL) {
            eg_apd_proximal(self, plane, self->layout.first_plane + plane * self->layout.plane,
                            self->layout.weights);
        }
    }
    self->optimizer = NULL;
    self->shown = EG_APD_NONE;
}
