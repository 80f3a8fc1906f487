/** Tasks that begin, end and are forgotten; see learner/apd.h. */
#include "engram/memory.h"
#include "engram/random.h"
#include "learner/apd.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const eg_active *eg_apd_active(const eg_apd *self, size_t task)
{
    return eg_stream_phase(self->base.stream, task).active;
}

const eg_real *eg_apd_tau(const eg_apd *self, size_t task, size_t at, size_t n, eg_real *room)
{
    const eg_apd_task *of = &self->task[task];
    return of->plane != EG_APD_NONE ? eg_apd_plane(self, of->plane) + at
                                    : eg_apd_store_get(&of->tau, at, n, room);
}

const eg_real *eg_apd_shared(const eg_apd *self, size_t task, size_t part, size_t i)
{
    size_t group = self->task[task].group != NULL ? self->task[task].group[part] : EG_APD_NONE;
    const eg_real *shared = group != EG_APD_NONE ? self->groups[part].shared[group] : NULL;
    return shared != NULL ? shared + i : NULL;
}

eg_status eg_apd_resize(eg_apd *self, size_t planes)
{
    size_t before = self->layout.first_plane + self->planes * self->layout.plane;
    size_t after = self->layout.first_plane + planes * self->layout.plane;
    if (planes == self->planes && self->all != NULL) {
        return eg_ok();
    }
    eg_real *all = NULL;
    EG_TRY(eg_alloc(&all, after, sizeof *all));
    if (self->all != NULL) {
        memcpy(all, self->all, (before < after ? before : after) * sizeof *all);
    }
    eg_free(self->all);
    self->all = all;
    self->planes = planes;
    return eg_ok();
}

void eg_apd_drop(eg_apd *self, size_t task)
{
    eg_apd_task *of = &self->task[task];
    if (of->plane != EG_APD_NONE) {
        size_t bytes = self->layout.plane * sizeof *self->all;
        eg_real *plane = eg_apd_plane(self, of->plane);
        memset(plane, 0, bytes);
        if (self->gradient != NULL) {
            memset(self->gradient + (plane - self->all), 0, bytes);
        }
    }
    eg_apd_store_clear(&of->tau);
    eg_free(of->mask);
    eg_free(of->own);
    eg_free(of->group);
    *of = (eg_apd_task){.plane = EG_APD_NONE};
}

eg_status eg_apd_forget(eg_apd *self, size_t task)
{
    if (task >= self->phases || !self->task[task].known) {
        return eg_fail(EG_INVALID, "task %zu (from 0) cannot be forgotten: there is nothing of it",
                       task);
    }
    if (self->learning && task == self->current) {
        return eg_fail(EG_INVALID,
                       "task %zu (from 0) cannot be forgotten while it is being learned", task);
    }
    eg_apd_drop(self, task);
    self->shown = self->shown == task ? EG_APD_NONE : self->shown;
    return eg_ok();
}

/* Planes of known tasks move to the front, in the order of the tasks; returns how many. */
static size_t gather_planes(eg_apd *self)
{
    size_t next = 0;
    size_t bytes = self->layout.plane * sizeof *self->all;
    for (size_t plane = 0; plane < self->planes; plane++) {
        size_t task = 0;
        while (task < self->phases && self->task[task].plane != plane) {
            task++;
        }
        if (task < self->phases) {
            memmove(eg_apd_plane(self, next), eg_apd_plane(self, plane), bytes);
            self->task[task].plane = next++;
        }
    }
    return next;
}

eg_status eg_apd_put_aside(eg_apd *self, size_t task, const eg_real *plane)
{
    const eg_apd_layout *layout = &self->layout;
    eg_apd_task *of = &self->task[task];
    double threshold = self->settings.every == 0 ? self->settings.lambda1 : -1;
    EG_TRY(eg_apd_store_put(&of->tau, layout->weights, plane, threshold));
    if (of->mask == NULL) {
        EG_TRY(eg_alloc(&of->mask, layout->units, sizeof *of->mask));
    }
    memcpy(of->mask, plane + layout->weights, layout->units * sizeof *of->mask);
    of->plane = EG_APD_NONE;
    return eg_ok();
}

static eg_status new_task(eg_apd *self, size_t task, bool masked)
{
    eg_apd_task *of = &self->task[task];
    size_t parts = self->layout.part_count;
    EG_TRY(eg_alloc(&of->group, parts, sizeof *of->group));
    for (size_t p = 0; p < parts; p++) {
        of->group[p] = EG_APD_NONE;
    }
    of->known = true;
    of->masked = masked;
    return eg_ok();
}

eg_status eg_apd_admit(eg_apd *self, size_t task, bool masked)
{
    eg_apd_task *of = &self->task[task];
    size_t own = eg_apd_own_size(&self->layout, eg_apd_active(self, task));
    EG_TRY(new_task(self, task, masked));
    EG_TRY(eg_alloc(&of->own, own, sizeof *of->own));
    if (self->settings.retroactive) {
        of->plane = gather_planes(self);
        EG_TRY(eg_apd_resize(self, of->plane + 1));
    }
    return eg_ok();
}

/* The law of masks and biases: cut at two deviations of before, 1/sqrt(units) after it. */
static eg_initial mask_law(size_t units)
{
    return eg_initializer_weight(EG_INITIALIZER_VARIANCE_SCALING, 1, units, units);
}

static eg_rng draws_of(const eg_apd *self, size_t task, const eg_parameter_block *block)
{
    const eg_parameter_table *table = &self->base.net->table;
    size_t number = (size_t)(block - table->blocks);
    return eg_rng_make(self->seed, EG_PURPOSE_TASK_MASK, task * table->block_count + number);
}

static void draw_masks(eg_apd *self, size_t task, eg_real *v)
{
    for (size_t p = 0; p < self->layout.part_count; p++) {
        const eg_apd_part *part = &self->layout.parts[p];
        eg_initial law = mask_law(part->block->units);
        eg_rng rng = draws_of(self, task, part->block);
        for (size_t u = 0; u < part->block->units; u++) {
            v[part->unit + u] = (eg_real)eg_initial_draw(&law, &rng);
        }
    }
}

/* Biases and head of a task that begins. */
static void start_own(eg_apd *self, size_t task)
{
    const eg_apd_layout *layout = &self->layout;
    eg_net *net = self->base.net;
    eg_apd_own_set(layout, NULL, self->start, net->params);
    for (size_t k = 0; !eg_apd_plain(self) && k < layout->own_count; k++) {
        const eg_parameter_block *block = layout->owns[k].block;
        if (layout->owns[k].head || block->role != EG_ROLE_BIAS) {
            continue;
        }
        eg_initial law = mask_law(block->units);
        eg_rng rng = draws_of(self, task, block);
        for (size_t u = 0; u < block->units; u++) {
            net->params[block->offset + u] = (eg_real)eg_initial_draw(&law, &rng);
        }
    }
    eg_apd_own_get(layout, eg_apd_active(self, task), net->params, self->all + layout->first_own);
    self->shown = EG_APD_NONE;
}

static eg_status start_task(eg_apd *self, size_t task)
{
    const eg_apd_layout *layout = &self->layout;
    eg_apd_task *of = &self->task[task];
    eg_real *plane = eg_apd_plane(self, of->plane);
    EG_TRY(new_task(self, task, self->settings.masks && !eg_apd_plain(self)));
    memset(plane, 0, layout->plane * sizeof *plane);
    if (!eg_apd_plain(self) && self->settings.tau_start == EG_APD_FROM_SIGMA) {
        memcpy(plane, self->all, layout->weights * sizeof *plane);
    }
    if (of->masked) {
        draw_masks(self, task, plane + layout->weights);
    }
    start_own(self, task);
    return eg_ok();
}

/* Whether the optimizer wants all gradients before it changes anything. */
static bool waits(const eg_view *root)
{
    const eg_component *kind = eg_view_component(root, "optimizer");
    const eg_view view = eg_view_inside(root, "optimizer");
    return ((const eg_optimizer_kind *)(const void *)kind)->gather != NULL ||
           eg_view_real(&view, "clip_norm") > 0;
}

eg_status eg_apd_open_learning(eg_apd *self, size_t steps)
{
    const eg_apd_layout *layout = &self->layout;
    bool retroactive = self->settings.retroactive;
    size_t anchors = retroactive ? self->old : !self->first;
    eg_parameter_table table;
    EG_TRY(eg_apd_table(&table, layout, self->planes));
    eg_status status =
        eg_optimizer_create(&self->base.optimizer, &self->root, &table, false, self->seed);
    eg_free(table.blocks);
    EG_TRY(status);
    eg_optimizer_profile(self->base.optimizer, self->profile);
    eg_optimizer_begin_phase(self->base.optimizer, self->current, steps);
    EG_TRY(eg_alloc(&self->anchor, anchors * layout->weights, sizeof *self->anchor));
    EG_TRY(eg_alloc(&self->masks, self->planes * layout->units, sizeof *self->masks));
    EG_TRY(eg_alloc(&self->sums, self->planes * layout->units, sizeof *self->sums));
    self->learning = true;
    return waits(&self->root) ? eg_alloc(&self->gradient, table.count, sizeof *self->gradient)
                              : eg_ok();
}

void eg_apd_close_learning(eg_apd *self)
{
    eg_optimizer_free(self->base.optimizer);
    eg_free(self->anchor);
    eg_free(self->gradient);
    eg_free(self->masks);
    eg_free(self->sums);
    self->base.optimizer = NULL;
    self->anchor = NULL;
    self->gradient = NULL;
    self->masks = NULL;
    self->sums = NULL;
    self->learning = false;
}

/* What the others are kept at, before anything changes. */
static void record_anchors(eg_apd *self)
{
    size_t weights = self->layout.weights;
    if (!self->settings.retroactive) {
        if (!self->first) {
            memcpy(self->anchor, self->all, weights * sizeof *self->anchor);
        }
        return;
    }
    for (size_t t = 0; t < self->phases; t++) {
        if (self->task[t].known && t != self->current) {
            eg_apd_theta(self, t, true, self->anchor + self->task[t].plane * weights);
        }
    }
}

eg_status eg_apd_begin(eg_apd *self, size_t task, size_t steps)
{
    eg_apd_close_learning(self);
    if (self->task[task].known) {
        eg_apd_drop(self, task);
    }
    size_t known = 0;
    for (size_t t = 0; t < self->phases; t++) {
        known += self->task[t].known ? 1 : 0;
    }
    self->old = gather_planes(self);
    self->first = known == 0;
    self->updates = 0;
    self->deleted = 0;
    self->current = task;
    self->active = eg_apd_active(self, task);
    self->learned = task + 1 > self->learned ? task + 1 : self->learned;
    assert(self->settings.retroactive ? self->old == known : self->old == 0);
    EG_TRY(eg_apd_resize(self, self->old + 1));
    self->task[task].plane = self->old;
    EG_TRY(start_task(self, task));
    EG_TRY(eg_apd_open_learning(self, steps));
    record_anchors(self);
    return eg_ok();
}

/* The other way, for all tasks. */
static eg_status take_in(eg_apd *self)
{
    const eg_apd_layout *layout = &self->layout;
    size_t next = self->planes;
    size_t more = 0;
    for (size_t t = 0; t < self->phases; t++) {
        more += self->task[t].known && self->task[t].plane == EG_APD_NONE ? 1 : 0;
    }
    EG_TRY(eg_apd_resize(self, self->planes + more));
    for (size_t t = 0; t < self->phases; t++) {
        eg_apd_task *of = &self->task[t];
        if (!of->known || of->plane != EG_APD_NONE) {
            continue;
        }
        of->plane = next++;
        eg_real *plane = eg_apd_plane(self, of->plane);
        const eg_real *tau = eg_apd_store_get(&of->tau, 0, layout->weights, plane);
        if (tau != plane) {
            memcpy(plane, tau, layout->weights * sizeof *plane);
        }
        memcpy(plane + layout->weights, of->mask, layout->units * sizeof *plane);
        eg_apd_store_clear(&of->tau);
        eg_free(of->mask);
        of->mask = NULL;
    }
    return eg_ok();
}

eg_status eg_apd_end(eg_apd *self)
{
    const eg_apd_layout *layout = &self->layout;
    eg_apd_task *current = &self->task[self->current];
    size_t own = eg_apd_own_size(layout, self->active);
    EG_TRY(eg_alloc(&current->own, own, sizeof *current->own));
    memcpy(current->own, self->all + layout->first_own, own * sizeof *current->own);
    eg_apd_close_learning(self);
    if (self->settings.every > 0 && (self->current + 1) % self->settings.every == 0) {
        EG_TRY(take_in(self));
        EG_TRY(eg_apd_consolidate(self));
    }
    for (size_t t = 0; !self->settings.retroactive && t < self->phases; t++) {
        if (self->task[t].known && self->task[t].plane != EG_APD_NONE) {
            EG_TRY(eg_apd_put_aside(self, t, eg_apd_plane(self, self->task[t].plane)));
        }
    }
    return eg_ok();
}
