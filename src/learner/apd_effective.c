/** The weights that a task uses; see learner/apd.h. */
#include "learner/apd_chunk.h"
#include "math/shared/clones.h"
#include "math/shared/vector.h"

#include <math.h>
#include <string.h>

const eg_real eg_apd_zeros[EG_APD_CHUNK];

static size_t at_most(size_t n, size_t bound)
{
    return n < bound ? n : bound;
}

/* A chunk ends with a whole row of lanes where it can. */
eg_apd_chunk eg_apd_chunk_at(const eg_apd_part *part, size_t i, size_t end)
{
    size_t lanes = part->block->lanes;
    size_t span = lanes * part->block->fan_in;
    size_t panel = i / span;
    size_t within = i - panel * span;
    eg_apd_chunk chunk = {
        .i = i, .unit = part->unit + panel * lanes, .lane = within % lanes, .lanes = lanes};
    chunk.n = at_most(at_most(end - i, span - within), EG_APD_CHUNK);
    if (chunk.n == EG_APD_CHUNK && lanes <= EG_APD_CHUNK) {
        chunk.n -= (chunk.lane + chunk.n) % lanes;
    }
    return chunk;
}

void eg_apd_chunk_expand(const eg_apd_chunk *chunk, const eg_real *of_unit, eg_real *out)
{
    if (chunk->lanes == 1) {
        eg_real value = of_unit[chunk->unit];
        for (size_t i = 0; i < chunk->n; i++) {
            out[i] = value;
        }
        return;
    }
    size_t lane = chunk->lane;
    for (size_t done = 0; done < chunk->n;) {
        size_t run = at_most(chunk->n - done, chunk->lanes - lane);
        memcpy(out + done, of_unit + chunk->unit + lane, run * sizeof *out);
        done += run;
        lane = 0;
    }
}

EG_CLONES static void add_run(size_t n, const eg_real *restrict values, double *restrict sums)
{
    for (size_t i = 0; i < n; i++) {
        sums[i] += (double)values[i];
    }
}

void eg_apd_chunk_sum(const eg_apd_chunk *chunk, const eg_real *values, double *of_unit)
{
    if (chunk->lanes == 1) {
        of_unit[chunk->unit] += (double)eg_sum(chunk->n, values);
        return;
    }
    size_t lane = chunk->lane;
    for (size_t done = 0; done < chunk->n;) {
        size_t run = at_most(chunk->n - done, chunk->lanes - lane);
        add_run(run, values + done, of_unit + chunk->unit + lane);
        done += run;
        lane = 0;
    }
}

void eg_apd_masks(const eg_apd *self, size_t task, eg_real *masks)
{
    const eg_real *v = self->task[task].masked ? eg_apd_mask(self, task) : NULL;
    for (size_t u = 0; u < self->layout.units; u++) {
        masks[u] = v != NULL ? (eg_real)(1 / (1 + exp(-(double)v[u]))) : 1;
    }
}

EG_CLONES static void prune(size_t n, eg_real threshold, const eg_real *restrict x,
                            eg_real *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        eg_real size = x[i] < 0 ? -x[i] : x[i];
        out[i] = size > threshold ? x[i] : 0;
    }
}

EG_CLONES static void weigh(size_t n, const eg_real *restrict mask, const eg_real *restrict sigma,
                            const eg_real *restrict shared, const eg_real *restrict tau,
                            eg_real *restrict theta)
{
    for (size_t i = 0; i < n; i++) {
        theta[i] = eg_apd_weight(mask[i], sigma[i], shared[i], tau[i]);
    }
}

typedef struct rooms {
    eg_real mask[EG_APD_CHUNK], shared[EG_APD_CHUNK], tau[EG_APD_CHUNK], stored[EG_APD_CHUNK];
} rooms;

/* theta [n] of a chunk. */
static void weigh_chunk(const eg_apd *self, size_t task, size_t p, const eg_apd_chunk *chunk,
                        const eg_real *masks, bool raw, rooms *room, eg_real *theta)
{
    size_t at = self->layout.parts[p].at + chunk->i;
    eg_real threshold = (eg_real)self->settings.lambda1;
    const eg_real *tau = eg_apd_tau(self, task, at, chunk->n, room->stored);
    const eg_real *shared = eg_apd_shared(self, task, p, chunk->i);
    eg_apd_chunk_expand(chunk, masks, room->mask);
    if (!raw) {
        prune(chunk->n, threshold, tau, room->tau);
        tau = room->tau;
    }
    if (!raw && shared != NULL) {
        prune(chunk->n, threshold, shared, room->shared);
        shared = room->shared;
    }
    weigh(chunk->n, room->mask, self->all + at, shared != NULL ? shared : eg_apd_zeros, tau, theta);
}

static void weigh_part(const eg_apd *self, size_t task, size_t p, const eg_real *masks, bool raw,
                       eg_real *theta)
{
    const eg_apd_part *part = &self->layout.parts[p];
    rooms room;
    for (size_t i = 0; i < part->block->count;) {
        eg_apd_chunk chunk = eg_apd_chunk_at(part, i, part->block->count);
        weigh_chunk(self, task, p, &chunk, masks, raw, &room, theta + i);
        i += chunk.n;
    }
}

void eg_apd_theta(const eg_apd *self, size_t task, bool raw, eg_real *theta)
{
    eg_apd_masks(self, task, self->scratch);
    for (size_t p = 0; p < self->layout.part_count; p++) {
        weigh_part(self, task, p, self->scratch, raw, theta + self->layout.parts[p].at);
    }
}

/* Of a task without parameters. */
static void show_shared(eg_apd *self, size_t task)
{
    const eg_apd_layout *layout = &self->layout;
    eg_net *net = self->base.net;
    for (size_t p = 0; p < layout->part_count; p++) {
        const eg_parameter_block *block = layout->parts[p].block;
        memcpy(net->params + block->offset, self->all + layout->parts[p].at,
               block->count * sizeof *net->params);
    }
    bool arrived = task < self->learned;
    for (size_t i = 0; arrived && i < layout->own; i++) {
        self->scratch[i] = 0;
    }
    eg_apd_own_set(layout, NULL, arrived ? self->scratch : self->start, net->params);
}

void eg_apd_show(eg_apd *self, size_t task, bool raw)
{
    const eg_apd_layout *layout = &self->layout;
    eg_net *net = self->base.net;
    if (task != EG_APD_NONE && self->shown == task && self->shown_raw == raw) {
        return;
    }
    if (task != EG_APD_NONE && self->task[task].known) {
        eg_apd_masks(self, task, self->scratch);
        for (size_t p = 0; p < layout->part_count; p++) {
            weigh_part(self, task, p, self->scratch, raw,
                       net->params + layout->parts[p].block->offset);
        }
        eg_apd_own_set(layout, eg_apd_active(self, task), eg_apd_own_of(self, task), net->params);
    } else {
        show_shared(self, task);
    }
    self->shown = task;
    self->shown_raw = raw;
    eg_net_touch(net);
}
