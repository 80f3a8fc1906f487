/** Streams over a dataset: which examples a phase and a task have; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <string.h>

static size_t group_of(const eg_indexed *self, size_t task)
{
    return self->lists.groups == 1 ? 0 : task;
}

const uint32_t *eg_indexed_training(const eg_indexed *self, size_t phase, size_t *count)
{
    const eg_example_list *train = &self->lists.train;
    if (self->base.shape.phases == 1) { /* all groups, which lie in a row */
        *count = train->begin[self->lists.groups];
        return train->index;
    }
    *count = eg_example_list_count(train, group_of(self, phase));
    return eg_example_list_of(train, group_of(self, phase));
}

/** The list of a subset; of EG_SUBSET_TRAINING its first part: those held out follow. */
static const eg_example_list *list_of(const eg_indexed *self, eg_subset subset)
{
    switch (subset) {
    case EG_SUBSET_TEST:
        return &self->lists.test;
    case EG_SUBSET_VALIDATION:
        return &self->lists.validation;
    case EG_SUBSET_TRAINING:
        break;
    }
    return &self->lists.train;
}

const uint32_t *eg_indexed_subset(const eg_indexed *self, eg_subset subset, size_t task,
                                  size_t first, size_t size, uint32_t *copy)
{
    size_t group = group_of(self, task);
    const eg_example_list *list = list_of(self, subset);
    size_t count = eg_example_list_count(list, group);
    const uint32_t *index = eg_example_list_of(list, group);
    if (first + size <= count) {
        return index + first;
    }
    const uint32_t *held_out = eg_example_list_of(&self->lists.validation, group);
    for (size_t i = 0; i < size; i++) {
        copy[i] = first + i < count ? index[first + i] : held_out[first + i - count];
    }
    return copy;
}

static void indexed_phase(const eg_stream *stream, size_t phase, eg_phase *out)
{
    const eg_indexed *self = (const eg_indexed *)stream;
    (void)eg_indexed_training(self, phase, &out->examples);
    out->examples = self->examples > 0 ? self->examples : out->examples;
    out->steps = (out->examples + self->batch - 1) / self->batch;
    if (self->order.batches > 0) {
        size_t first = self->order.phase[phase];
        out->steps = (self->order.phase[phase + 1] - first) / stream->shape.epochs;
        out->examples = self->order.begin[first + out->steps] - self->order.begin[first];
    }
    out->epochs = stream->shape.epochs;
    out->task = stream->shape.tasks_are_phases ? phase : EG_NO_TASK;
    out->active = self->phase_active != NULL ? &self->phase_active[phase] : NULL;
}

static size_t indexed_count(const eg_stream *stream, eg_subset subset, size_t task)
{
    const eg_indexed *self = (const eg_indexed *)stream;
    size_t group = group_of(self, task);
    size_t held_out =
        subset == EG_SUBSET_TRAINING ? eg_example_list_count(&self->lists.validation, group) : 0;
    return eg_example_list_count(list_of(self, subset), group) + held_out;
}

static uint32_t *indexed_pixels(eg_stream *stream)
{
    return ((eg_indexed *)stream)->from;
}

static const int32_t *indexed_class_tasks(const eg_stream *stream)
{
    return ((const eg_indexed *)stream)->class_task;
}

static void indexed_free(eg_stream *stream)
{
    eg_indexed *self = (eg_indexed *)stream;
    eg_example_lists_clear(&self->lists);
    eg_order_file_clear(&self->order);
    eg_free(self->from);
    eg_free(self->class_task);
    eg_free(self->phase_active);
    eg_free(self->task_active);
    eg_free(self->active_outputs);
    eg_free(self);
}

static const eg_stream_ops indexed_ops = {
    .free = indexed_free,
    .phase = indexed_phase,
    .pixels = indexed_pixels,
    .class_tasks = indexed_class_tasks,
    .count = indexed_count,
    .open = eg_indexed_open,
};

eg_indexed_setup eg_indexed_setup_make(const eg_view *view, const eg_dataset *dataset,
                                       uint64_t seed, double holdout)
{
    return (eg_indexed_setup){
        .dataset = dataset,
        .seed = seed,
        .holdout = holdout,
        .batch = eg_view_size(view, "batch"),
        .epochs = eg_view_size(view, "epochs"),
        .order_file = eg_view_text(view, "order_file"),
    };
}

/* The classes of groups `first` to `last` into `out`; returns what is after them. */
static uint32_t *list_active(const eg_indexed_setup *setup, size_t first, size_t last,
                             uint32_t *next, eg_active *out)
{
    *out = (eg_active){.output = next};
    for (size_t c = 0; c < setup->dataset->classes; c++) {
        if (setup->group[c] >= first && setup->group[c] <= last) {
            *next++ = (uint32_t)c;
            out->count++;
        }
    }
    return next;
}

/* A single phase that teaches all tasks has all outputs active. */
static eg_status list_all_active(eg_indexed *self, const eg_indexed_setup *setup)
{
    bool by_task = setup->active == EG_ACTIVE_TASK;
    bool joint = !self->base.shape.tasks_are_phases;
    if (setup->active == EG_ACTIVE_ALL || (joint && !by_task)) {
        return eg_ok();
    }
    size_t groups = setup->groups;
    EG_TRY(eg_alloc(&self->active_outputs, groups, setup->dataset->classes * sizeof(uint32_t)));
    uint32_t *next = self->active_outputs;
    eg_active **active = by_task ? &self->task_active : &self->phase_active;
    EG_TRY(eg_alloc(active, groups, sizeof **active));
    for (size_t g = 0; g < groups; g++) {
        next = list_active(setup, by_task ? g : 0, g, next, &(*active)[g]);
    }
    self->base.shape.tells_task = by_task;
    self->base.shape.masks_outputs = true;
    if (by_task && !joint) {
        EG_TRY(eg_alloc(&self->phase_active, groups, sizeof *self->phase_active));
        memcpy(self->phase_active, self->task_active, groups * sizeof *self->phase_active);
    }
    return eg_ok();
}

static void find_largest(eg_indexed *self)
{
    for (size_t phase = 0; phase < self->base.shape.phases; phase++) {
        size_t count = 0;
        (void)eg_indexed_training(self, phase, &count);
        self->largest = count > self->largest ? count : self->largest;
    }
    size_t examples = self->examples > 0 ? self->examples : self->largest;
    self->base.shape.batch = self->batch < examples ? self->batch : examples;
}

/* The minibatches come from a file. */
static eg_status read_order(eg_indexed *self, const char *path)
{
    if (path[0] == '\0') {
        return eg_ok();
    }
    EG_TRY(eg_order_file_read(&self->order, path));
    EG_TRY(
        eg_order_file_fits(&self->order, path, self->base.shape.phases, self->base.shape.epochs));
    for (size_t phase = 0; phase < self->base.shape.phases; phase++) {
        size_t count = 0;
        const uint32_t *list = eg_indexed_training(self, phase, &count);
        EG_TRY(eg_order_file_within(&self->order, path, phase, list, count,
                                    self->dataset->train.count));
    }
    self->base.shape.batch = self->order.largest;
    return eg_ok();
}

void eg_indexed_draw_pixels(const eg_indexed *self, size_t phase, uint32_t *out)
{
    size_t pixels = eg_shape_positions(self->dataset->shape);
    for (size_t i = 0; i < pixels; i++) {
        out[i] = (uint32_t)i;
    }
    if (phase > 0 || !self->first_stays) {
        eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_PERMUTATION, phase);
        eg_rng_shuffle(&rng, pixels, out);
    }
}

/* Tasks that are evaluated keep their order of pixels, which may be changed (eg_stream_pixels). */
static eg_status keep_pixels(eg_indexed *self)
{
    size_t pixels = eg_shape_positions(self->dataset->shape);
    size_t tasks = self->base.shape.tasks;
    bool permuted =
        self->permutes == EG_PERMUTES_PIXELS || self->permutes == EG_PERMUTES_PIXELS_QUICKLY;
    if (!permuted || tasks == 0) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&self->from, tasks, pixels * sizeof *self->from));
    for (size_t t = 0; t < tasks; t++) {
        eg_indexed_draw_pixels(self, t, self->from + t * pixels);
    }
    return eg_ok();
}

/* Every training example has the same chance. */
static void keep_subset(eg_indexed *self, size_t subset)
{
    eg_example_list *train = &self->lists.train;
    size_t count = train->begin[1];
    if (subset == 0 || subset >= count) {
        return;
    }
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_SUBSET, 0);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (eg_rng_below(&rng, (uint32_t)(count - i)) < subset - kept) {
            train->index[kept++] = train->index[i];
        }
    }
    train->begin[1] = kept;
}

/* Groups are tasks where there are several. */
static eg_status keep_groups(eg_indexed *self, const eg_indexed_setup *setup)
{
    if (setup->groups == 1) {
        return eg_ok();
    }
    size_t classes = setup->dataset->classes;
    EG_TRY(eg_alloc(&self->class_task, classes, sizeof *self->class_task));
    for (size_t c = 0; c < classes; c++) {
        size_t group = setup->group[c];
        self->class_task[c] = group == EG_NO_GROUP ? -1 : (int32_t)group;
    }
    return eg_ok();
}

eg_status eg_indexed_create(eg_stream **out, const eg_indexed_setup *setup)
{
    assert(setup->groups == 1 || setup->phases == 1 || setup->groups == setup->phases);
    assert((setup->permutes == EG_PERMUTES_NOTHING && setup->subset == 0) || setup->groups == 1);
    assert(!setup->replace || setup->examples > 0);
    assert(setup->permutes != EG_PERMUTES_LABELS || setup->online);
    assert(setup->active == EG_ACTIVE_ALL || setup->group != NULL);
    *out = NULL;
    const eg_dataset *data = setup->dataset;
    eg_indexed *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    eg_status status = eg_ok();
    size_t tasks = setup->groups > setup->phases ? setup->groups : setup->phases;
    *self = (eg_indexed){
        .base = {.ops = &indexed_ops,
                 .shape = {.input = data->shape,
                           .features = data->features,
                           .outputs = data->classes,
                           .phases = setup->phases,
                           .tasks = setup->online ? 0 : tasks,
                           .epochs = setup->epochs,
                           .tasks_are_phases = !setup->online && setup->groups <= setup->phases}},
        .dataset = data,
        .seed = setup->seed,
        .batch = setup->batch,
        .permutes = setup->permutes,
        .first_stays = setup->first_stays,
        .replace = setup->replace,
        .examples = setup->examples,
    };
    EG_TRY_DONE(status, eg_example_lists_init(&self->lists, data, setup->group, setup->groups,
                                              setup->holdout));
    keep_subset(self, setup->subset);
    EG_TRY_DONE(status, keep_pixels(self));
    EG_TRY_DONE(status, keep_groups(self, setup));
    EG_TRY_DONE(status, list_all_active(self, setup));
    find_largest(self);
    EG_TRY_DONE(status, read_order(self, setup->order_file));
    *out = &self->base;
    return status;
done:
    indexed_free(&self->base);
    return status;
}

eg_status eg_indexed_check_any(const eg_view *view, size_t classes)
{
    (void)view;
    (void)classes;
    return eg_ok();
}
