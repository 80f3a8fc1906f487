/** Reading a stream over a dataset: which examples a minibatch has, and what this phase makes of
 * them; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "stream/pixel_rows.h"

#include <assert.h>
#include <string.h>

enum { AHEAD = 2 }; /* examples fetched before they are needed */

typedef struct cursor {
    eg_cursor base;
    const eg_indexed *stream;
    const eg_dataset *dataset;
    uint64_t seed;   /* of the member */
    uint32_t *order; /* [largest training group] the examples of the current epoch, shuffled */
    size_t ordered;  /* phase*epochs + epoch that `order` is of; SIZE_MAX: none */
    uint32_t *drawn; /* [rows] numbers of examples where they are not a piece of a list */
    /* What phase `seen` makes of an example; SIZE_MAX: of none yet. */
    size_t seen;
    uint32_t *from, *to; /* [pixels] see eg_pixel_rows; NULL: pixels stay */
    uint32_t *renamed;   /* [classes] what a label becomes; or NULL */
    uint32_t *shuffled;  /* [training examples] their labels; or NULL */
    eg_pixel_rows rows;  /* the larger of minibatch and block */
    uint32_t *label;     /* [rows] */
} cursor;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void permute_pixels(cursor *self, size_t phase)
{
    size_t pixels = eg_shape_positions(self->dataset->shape);
    if (self->stream->from != NULL) {
        memcpy(self->from, self->stream->from + phase * pixels, pixels * sizeof *self->from);
    } else {
        eg_indexed_draw_pixels(self->stream, phase, self->from);
    }
    for (size_t i = 0; self->to != NULL && i < pixels; i++) {
        self->to[self->from[i]] = (uint32_t)i;
    }
}

static void permute_labels(cursor *self, size_t phase)
{
    const eg_indexed *stream = self->stream;
    eg_rng rng = eg_rng_make(stream->seed, EG_PURPOSE_LABELS, phase);
    bool stay = phase == 0 && stream->first_stays;
    if (self->renamed != NULL) {
        for (size_t c = 0; c < self->dataset->classes; c++) {
            self->renamed[c] = (uint32_t)c;
        }
        if (!stay) {
            eg_rng_shuffle(&rng, self->dataset->classes, self->renamed);
        }
        return;
    }
    size_t count = 0;
    const uint32_t *list = eg_indexed_training(stream, phase, &count);
    for (size_t i = 0; i < count; i++) {
        self->shuffled[list[i]] = self->dataset->train.label[list[i]];
    }
    for (size_t i = stay ? 0 : count; i > 1; i--) {
        size_t j = eg_rng_below(&rng, (uint32_t)i);
        uint32_t kept = self->shuffled[list[i - 1]];
        self->shuffled[list[i - 1]] = self->shuffled[list[j]];
        self->shuffled[list[j]] = kept;
    }
}

/* Sees examples as this phase does. */
static void enter(cursor *self, size_t phase)
{
    if (phase == self->seen) {
        return;
    }
    if (self->from != NULL) {
        permute_pixels(self, phase);
    }
    if (self->renamed != NULL || self->shuffled != NULL) {
        permute_labels(self, phase);
    }
    self->seen = phase;
}

static uint32_t label_of(const cursor *self, const eg_examples *examples, uint32_t index)
{
    if (self->shuffled != NULL) {
        return self->shuffled[index];
    }
    uint32_t label = examples->label[index];
    return self->renamed != NULL ? self->renamed[label] : label;
}

/* Examples come in random order: they are fetched before they are needed. */
static void fetch(const cursor *self, const eg_examples *examples, uint32_t index)
{
    const uint8_t *bytes = examples->x + (size_t)index * self->dataset->features;
    for (size_t i = 0; i < self->dataset->features; i += EG_ALIGNMENT) {
        __builtin_prefetch(bytes + i);
    }
}

/* index [size] and those that come next, `known` in all. */
static void load(cursor *self, const eg_examples *examples, const uint32_t *index, size_t size,
                 size_t known, size_t phase, eg_batch *out)
{
    bool dense = self->rows.sparse == NULL || !self->base.setup.sparse_only;
    size_t n = 0;
    enter(self, phase);
    for (size_t r = 0; r < size; r++) {
        fetch(self, examples, index[least(r + AHEAD, known - 1)]);
        const uint8_t *bytes = examples->x + (size_t)index[r] * self->dataset->features;
        n = eg_pixel_rows_load(&self->rows, r, bytes, dense, n);
        self->label[r] = label_of(self, examples, index[r]);
    }
    if (self->rows.sparse != NULL) {
        self->rows.sparse->rows = size;
    }
    out->size = size;
    out->x = dense ? self->rows.x : NULL;
    out->sparse = self->rows.sparse;
    out->label = self->label;
    out->number = index;
}

static void shuffle_epoch(cursor *self, size_t phase, size_t epoch)
{
    size_t wanted = phase * self->stream->base.shape.epochs + epoch;
    if (wanted == self->ordered) {
        return;
    }
    size_t count = 0;
    const uint32_t *list = eg_indexed_training(self->stream, phase, &count);
    memcpy(self->order, list, count * sizeof *self->order);
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_ORDER, wanted);
    eg_rng_shuffle(&rng, count, self->order);
    self->ordered = wanted;
}

/* `size` examples with replacement, from presentation `first` of all of the stream's on. */
static const uint32_t *draw(cursor *self, size_t phase, size_t first, size_t size)
{
    size_t count = 0;
    const uint32_t *list = eg_indexed_training(self->stream, phase, &count);
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_REPLACE, first);
    for (size_t i = 0; i < size; i++) {
        self->drawn[i] = list[eg_rng_below(&rng, (uint32_t)count)];
    }
    return self->drawn;
}

/* Examples first … first+size-1 of an epoch; *known: how many from there on stand in a row. */
static const uint32_t *choose(cursor *self, size_t phase, size_t epoch, size_t first, size_t size,
                              size_t *known)
{
    size_t epochs = phase * self->stream->base.shape.epochs + epoch;
    *known = size;
    if (self->stream->replace) {
        return draw(self, phase, epochs * self->stream->examples + first, size);
    }
    shuffle_epoch(self, phase, epoch);
    size_t count = 0;
    (void)eg_indexed_training(self->stream, phase, &count);
    size_t at = first % count;
    if (size <= count - at) {
        *known = count - at;
        return self->order + at;
    }
    /* Once through, it goes on from the start, in the same order. */
    for (size_t i = 0; i < size; i++) {
        self->drawn[i] = self->order[(at + i) % count];
    }
    return self->drawn;
}

static void cursor_get(eg_cursor *base, size_t phase, size_t step, eg_batch *out)
{
    cursor *self = (cursor *)base;
    eg_phase about = eg_stream_phase(base->stream, phase);
    const eg_order_file *given = &self->stream->order;
    const uint32_t *index = NULL;
    size_t size = 0;
    size_t known = 0;
    if (given->batches > 0) {
        index = eg_order_file_batch(given, given->phase[phase] + step, &size);
        known = size;
    } else {
        size_t first = step % about.steps * self->stream->batch;
        size = least(self->stream->batch, about.examples - first);
        index = choose(self, phase, step / about.steps, first, size, &known);
    }
    load(self, &self->dataset->train, index, size, known, phase, out);
    out->task = about.task;
    out->active = about.active;
}

static void cursor_examples(eg_cursor *base, eg_subset subset, size_t task, size_t first,
                            size_t size, eg_batch *out)
{
    cursor *self = (cursor *)base;
    const eg_indexed *stream = self->stream;
    const eg_examples *examples =
        subset == EG_SUBSET_TEST ? &self->dataset->test : &self->dataset->train;
    const uint32_t *index = eg_indexed_subset(stream, subset, task, first, size, self->drawn);
    load(self, examples, index, size, size, task, out);
    if (stream->base.shape.tells_task) {
        out->task = task;
        out->active = &stream->task_active[task];
    }
}

static void cursor_free(eg_cursor *base)
{
    cursor *self = (cursor *)base;
    eg_free(self->order);
    eg_free(self->drawn);
    eg_free(self->from);
    eg_free(self->to);
    eg_free(self->renamed);
    eg_free(self->shuffled);
    eg_pixel_rows_clear(&self->rows);
    eg_free(self->label);
    eg_free(self);
}

static const eg_cursor_ops cursor_ops = {
    .free = cursor_free,
    .get = cursor_get,
    .examples = cursor_examples,
};

/* Permutations of the phase that is seen. */
static eg_status allocate_permutations(cursor *self)
{
    const eg_indexed *stream = self->stream;
    size_t pixels = eg_shape_positions(self->dataset->shape);
    if (stream->permutes == EG_PERMUTES_PIXELS || stream->permutes == EG_PERMUTES_PIXELS_QUICKLY) {
        EG_TRY(eg_alloc(&self->from, pixels, sizeof *self->from));
    }
    if (stream->permutes == EG_PERMUTES_PIXELS_QUICKLY) {
        EG_TRY(eg_alloc(&self->to, pixels, sizeof *self->to));
    }
    if (stream->permutes == EG_PERMUTES_CLASSES) {
        EG_TRY(eg_alloc(&self->renamed, self->dataset->classes, sizeof *self->renamed));
    }
    if (stream->permutes == EG_PERMUTES_LABELS) {
        EG_TRY(eg_alloc(&self->shuffled, self->dataset->train.count, sizeof *self->shuffled));
    }
    return eg_ok();
}

/* Buffers for the largest minibatch and evaluation block there can be. */
static eg_status allocate_buffers(cursor *self)
{
    const eg_cursor_setup *setup = &self->base.setup;
    size_t batch = setup->trains ? self->stream->base.shape.batch : 0;
    size_t rows = batch > setup->block ? batch : setup->block;
    if (setup->trains) {
        EG_TRY(eg_alloc(&self->order, self->stream->largest, sizeof *self->order));
    }
    EG_TRY(eg_alloc(&self->drawn, rows, sizeof *self->drawn));
    EG_TRY(allocate_permutations(self));
    EG_TRY(eg_pixel_rows_init(&self->rows, self->dataset, rows));
    self->rows.from = self->from;
    self->rows.to = self->to;
    return eg_alloc(&self->label, rows, sizeof *self->label);
}

eg_status eg_indexed_open(eg_cursor **out, const eg_stream *stream, const eg_cursor_setup *setup)
{
    cursor *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    *self = (cursor){
        .base = {.ops = &cursor_ops, .stream = stream, .setup = *setup},
        .stream = (const eg_indexed *)stream,
        .ordered = SIZE_MAX,
        .seen = SIZE_MAX,
    };
    self->dataset = self->stream->dataset;
    self->seed = eg_member_seed(self->stream->seed, setup->member);
    eg_status status = allocate_buffers(self);
    if (!eg_is_ok(&status)) {
        cursor_free(&self->base);
        return status;
    }
    *out = &self->base;
    return status;
}
