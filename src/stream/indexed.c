/** Shuffling example numbers and turning bytes into numbers; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <string.h>

enum { RUN = 8 }; /* pixels that are skipped together if all are background */

typedef struct indexed {
    struct eg_stream base;
    const eg_dataset *dataset;
    uint64_t seed;
    size_t batch, epochs, block;
    eg_example_lists lists;
    uint32_t *to;      /* [phases, pixels] where a pixel of the dataset goes, or NULL */
    uint32_t *order;   /* [largest training group] the examples of the current epoch, shuffled */
    size_t ordered;    /* phase*epochs + epoch that `order` is of; SIZE_MAX: none */
    eg_real *x;        /* [rows, features], rows = the larger of minibatch and block */
    eg_sparse *sparse; /* the same, compressed, or NULL if the data are dense */
    uint32_t *label;   /* [rows] */
} indexed;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t group_of(const indexed *self, size_t task)
{
    return self->lists.groups == 1 ? 0 : task;
}

/* The training examples of a phase: its group, or all groups, which lie in a row, in a single phase. */
static const uint32_t *training_list(const indexed *self, size_t phase, size_t *count)
{
    const eg_example_list *train = &self->lists.train;
    if (self->base.shape.phases == 1) {
        *count = train->begin[self->lists.groups];
        return train->index;
    }
    *count = eg_example_list_count(train, group_of(self, phase));
    return eg_example_list_of(train, group_of(self, phase));
}

static size_t training_count(const indexed *self, size_t phase)
{
    size_t count = 0;
    (void)training_list(self, phase, &count);
    return count;
}

static size_t steps_per_epoch(const indexed *self, size_t phase)
{
    return (training_count(self, phase) + self->batch - 1) / self->batch;
}

static const eg_example_list *evaluation_list(const indexed *self, eg_part part)
{
    return part == EG_PART_TEST ? &self->lists.test : &self->lists.validation;
}

/* The bytes of one channel of one example as numbers. */
static void convert(size_t pixels, const eg_real *restrict value, const uint32_t *restrict to,
                    const uint8_t *restrict byte, eg_real *restrict x)
{
    if (to == NULL) {
        for (size_t i = 0; i < pixels; i++) {
            x[i] = value[byte[i]];
        }
    } else {
        for (size_t i = 0; i < pixels; i++) {
            x[to[i]] = value[byte[i]];
        }
    }
}

static void fill(size_t n, eg_real value, eg_real *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = value;
    }
}

/* The same for x that is all background, visiting only what is not, and listing it from entry n of
 * the sparse matrix on, with columns counted from `first`; returns the entries after. */
static size_t convert_sparse(const indexed *self, size_t pixels, const eg_real *restrict value,
                             const uint32_t *restrict to, const uint8_t *restrict byte,
                             eg_real *restrict x, size_t first, size_t n)
{
    uint32_t *restrict column = self->sparse->column;
    eg_real *restrict difference = self->sparse->value;
    eg_real background = self->sparse->background;
    uint8_t empty = self->dataset->background;
    uint8_t empty_run[RUN];
    memset(empty_run, empty, sizeof empty_run);
    for (size_t run = 0; run < pixels; run += RUN) {
        size_t end = least(run + RUN, pixels);
        if (end - run == RUN && memcmp(byte + run, empty_run, RUN) == 0) {
            continue;
        }
        for (size_t i = run; i < end; i++) {
            /* Written in any case and kept if it counts: cheaper than a branch no one can guess. */
            size_t place = to == NULL ? i : to[i];
            x[place] = value[byte[i]];
            column[n] = (uint32_t)(first + place);
            difference[n] = x[place] - background;
            n += byte[i] != empty ? 1 : 0;
        }
    }
    return n;
}

static void load(indexed *self, const eg_examples *examples, const uint32_t *index, size_t size,
                 size_t phase, eg_batch *out)
{
    const eg_dataset *data = self->dataset;
    size_t pixels = data->height * data->width;
    const uint32_t *to = self->to == NULL ? NULL : self->to + phase * pixels;
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        const uint8_t *bytes = examples->x + (size_t)index[i] * data->features;
        eg_real *row = self->x + i * data->features;
        if (self->sparse != NULL) {
            fill(data->features, self->sparse->background, row);
        }
        for (size_t c = 0; c < data->channels; c++) {
            size_t first = c * pixels;
            if (self->sparse != NULL) {
                n = convert_sparse(self, pixels, data->value[c], to, bytes + first, row + first,
                                   first, n);
            } else {
                convert(pixels, data->value[c], to, bytes + first, row + first);
            }
        }
        if (self->sparse != NULL) {
            self->sparse->start[i + 1] = (uint32_t)n;
        }
        self->label[i] = examples->label[index[i]];
    }
    if (self->sparse != NULL) {
        self->sparse->rows = size;
    }
    *out = (eg_batch){.size = size, .x = self->x, .sparse = self->sparse, .label = self->label};
}

static void shuffle_epoch(indexed *self, size_t phase, size_t epoch)
{
    size_t wanted = phase * self->epochs + epoch;
    if (wanted == self->ordered) {
        return;
    }
    size_t count = 0;
    const uint32_t *list = training_list(self, phase, &count);
    memcpy(self->order, list, count * sizeof *self->order);
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_ORDER, wanted);
    eg_rng_shuffle(&rng, count, self->order);
    self->ordered = wanted;
}

static size_t indexed_steps(const eg_stream *stream, size_t phase)
{
    const indexed *self = (const indexed *)stream;
    return steps_per_epoch(self, phase) * self->epochs;
}

static void indexed_get(eg_stream *stream, size_t phase, size_t step, eg_batch *out)
{
    indexed *self = (indexed *)stream;
    size_t steps = steps_per_epoch(self, phase);
    shuffle_epoch(self, phase, step / steps);
    size_t first = step % steps * self->batch;
    size_t count = training_count(self, phase);
    load(self, &self->dataset->train, self->order + first, least(self->batch, count - first), phase,
         out);
}

static size_t indexed_count(const eg_stream *stream, eg_part part, size_t task)
{
    const indexed *self = (const indexed *)stream;
    return eg_example_list_count(evaluation_list(self, part), group_of(self, task));
}

static void indexed_examples(eg_stream *stream, eg_part part, size_t task, size_t first,
                             size_t size, eg_batch *out)
{
    indexed *self = (indexed *)stream;
    assert(size <= self->block);
    const eg_examples *examples =
        part == EG_PART_TEST ? &self->dataset->test : &self->dataset->train;
    const uint32_t *index = eg_example_list_of(evaluation_list(self, part), group_of(self, task));
    load(self, examples, index + first, size, task, out);
}

static void indexed_free(eg_stream *stream)
{
    indexed *self = (indexed *)stream;
    eg_example_lists_clear(&self->lists);
    eg_free(self->to);
    eg_free(self->order);
    eg_free(self->x);
    eg_sparse_free(self->sparse);
    eg_free(self->label);
    eg_free(self);
}

static const eg_stream_ops indexed_ops = {
    .free = indexed_free,
    .steps = indexed_steps,
    .get = indexed_get,
    .count = indexed_count,
    .examples = indexed_examples,
};

eg_indexed_setup eg_indexed_setup_make(const eg_view *view, const eg_dataset *dataset,
                                       uint64_t seed, double holdout, size_t block)
{
    return (eg_indexed_setup){
        .dataset = dataset,
        .seed = seed,
        .holdout = holdout,
        .block = block,
        .batch = eg_view_size(view, "batch"),
        .epochs = eg_view_size(view, "epochs"),
    };
}

/* Below this density the sparse kernels beat dense ones. */
static const double sparse_density = 0.4;

/* One background for all channels is what a sparse matrix can say. */
static bool worth_compressing(const eg_dataset *data)
{
    bool even = true;
    for (size_t c = 1; c < data->channels; c++) {
        even = even && data->value[c][data->background] == data->value[0][data->background];
    }
    return even && data->density < sparse_density;
}

/* Turns "pixel i comes from" into "pixel i goes to", in every phase. */
static eg_status invert(uint32_t *permutation, size_t phases, size_t pixels)
{
    uint32_t *from = NULL;
    EG_TRY(eg_alloc(&from, pixels, sizeof *from));
    for (size_t t = 0; t < phases; t++) {
        uint32_t *to = permutation + t * pixels;
        memcpy(from, to, pixels * sizeof *from);
        for (size_t i = 0; i < pixels; i++) {
            to[from[i]] = (uint32_t)i;
        }
    }
    eg_free(from);
    return eg_ok();
}

/* Buffers for the largest minibatch and evaluation block there can be. */
static eg_status allocate_buffers(indexed *self)
{
    size_t largest = 0;
    for (size_t phase = 0; phase < self->base.shape.phases; phase++) {
        size_t count = training_count(self, phase);
        largest = count > largest ? count : largest;
    }
    self->base.shape.batch = least(self->batch, largest);
    size_t rows = self->base.shape.batch > self->block ? self->base.shape.batch : self->block;
    EG_TRY(eg_alloc(&self->order, largest, sizeof *self->order));
    EG_TRY(eg_alloc(&self->x, rows, self->dataset->features * sizeof *self->x));
    if (worth_compressing(self->dataset)) {
        EG_TRY(eg_sparse_create(&self->sparse, rows, self->dataset->features));
        self->sparse->background = self->dataset->value[0][self->dataset->background];
    }
    return eg_alloc(&self->label, rows, sizeof *self->label);
}

eg_status eg_indexed_create(eg_stream **out, const eg_indexed_setup *setup)
{
    assert(setup->groups == 1 || setup->phases == 1 || setup->groups == setup->phases);
    assert(setup->permutation == NULL || setup->groups == 1);
    *out = NULL;
    const eg_dataset *data = setup->dataset;
    indexed *self = NULL;
    eg_status status = eg_alloc(&self, 1, sizeof *self);
    if (!eg_is_ok(&status)) {
        eg_free(setup->permutation);
        return status;
    }
    *self = (indexed){
        .base = {.ops = &indexed_ops,
                 .shape = {.channels = data->channels,
                           .height = data->height,
                           .width = data->width,
                           .features = data->features,
                           .outputs = data->classes,
                           .phases = setup->phases,
                           .tasks = setup->groups > setup->phases ? setup->groups : setup->phases,
                           .epochs = setup->epochs,
                           .tasks_are_phases = setup->groups <= setup->phases}},
        .dataset = data,
        .seed = setup->seed,
        .batch = setup->batch,
        .epochs = setup->epochs,
        .block = setup->block,
        .to = setup->permutation,
        .ordered = SIZE_MAX,
    };
    EG_TRY_DONE(status, eg_example_lists_make(&self->lists, data, setup->group, setup->groups,
                                              setup->holdout));
    EG_TRY_DONE(status, allocate_buffers(self));
    if (self->to != NULL) {
        EG_TRY_DONE(status, invert(self->to, setup->phases, data->height * data->width));
    }
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
