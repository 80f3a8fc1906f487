/** Reading a stream over a dataset: which examples a minibatch has, and what this phase makes of
 * them; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"
#include "stream/kept_rows.h"
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
    uint32_t *renamed;   /* [classes] what a label becomes; NULL: itself */
    uint32_t shift;      /* the first output of the task, where each has outputs of its own */
    uint32_t *shuffled;  /* [training examples] their labels; or NULL */
    eg_pixel_rows rows;  /* the larger of minibatch and block */
    /* Of training and of test examples whose pixels stay, where they come more than once. */
    eg_kept_rows kept[2];
    eg_sparse shown;       /* a batch of kept rows */
    uint32_t *shown_start; /* [rows][blocks + 1] of it */
    eg_real *augmented;    /* [rows, features] or NULL */
    uint32_t *label;       /* [rows] */
    uint32_t *task;        /* [rows] of a minibatch that mixes tasks; or NULL */
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

/* A label is the place of its class in the run. */
static void place_labels(cursor *self, size_t phase)
{
    const eg_group_set classes = eg_indexed_taught(self->stream, phase);
    for (size_t i = 0; i < classes.count; i++) {
        self->renamed[classes.group[i]] = (uint32_t)i;
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
    size_t count = eg_example_list_count(&stream->lists.train, 0);
    const uint32_t *list = eg_example_list_of(&stream->lists.train, 0);
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
    if (self->stream->places) {
        place_labels(self, phase);
    } else if (self->renamed != NULL || self->shuffled != NULL) {
        permute_labels(self, phase);
    }
    if (self->stream->heads) {
        self->shift = (uint32_t)(eg_indexed_identity(self->stream, phase) * self->dataset->classes);
    }
    self->seen = phase;
}

static uint32_t label_of(const cursor *self, const eg_examples *examples, uint32_t index)
{
    if (self->shuffled != NULL) {
        return self->shuffled[index];
    }
    uint32_t label = examples->label[index];
    return self->renamed != NULL ? self->renamed[label] : label + self->shift;
}

/* Examples come in random order: they are fetched before they are needed. */
static void fetch(const cursor *self, const eg_examples *examples, uint32_t index)
{
    const uint8_t *bytes = examples->x + (size_t)index * self->dataset->features;
    for (size_t i = 0; i < self->dataset->features; i += EG_ALIGNMENT) {
        __builtin_prefetch(bytes + i);
    }
    __builtin_prefetch(examples->label + index);
}

/* Presentations of augmented test examples have numbers of their own. */
static const uint64_t first_of_tests = UINT64_C(1) << 63;

/* Makes rows loaded from index [size] what they are in presentations `first` + their numbers. */
static void augment(const cursor *self, const uint32_t *index, size_t size, uint64_t first,
                    eg_batch *out)
{
    const eg_indexed *stream = self->stream;
    for (size_t r = 0; r < size; r++) {
        size_t begin = r * self->dataset->features;
        eg_augment(&stream->augmentation, self->dataset->shape, stream->seed,
                   self->base.setup.member, first + index[r], self->rows.x + begin,
                   self->augmented + begin);
    }
    out->x = self->augmented;
}

/* Examples as they were made before, if all rows are kept. */
static bool show_kept(cursor *self, const eg_kept_rows *kept, const eg_examples *examples,
                      const uint32_t *index, size_t size, size_t phase, const uint32_t *tasks)
{
    if (!eg_kept_rows_have(kept, size, index)) {
        return false;
    }
    self->shown.start = self->shown_start;
    eg_kept_rows_show(kept, size, index, self->rows.sparse, &self->shown);
    for (size_t r = 0; r < size; r++) {
        enter(self, tasks != NULL ? tasks[r] : phase);
        self->label[r] = label_of(self, examples, index[r]);
    }
    return true;
}

/* Makes the rows of these examples from their bytes; those that come next are fetched. */
static void make_rows(cursor *self, const eg_examples *examples, const uint32_t *index, size_t size,
                      size_t known, size_t phase, const uint32_t *tasks, bool dense,
                      eg_kept_rows *kept)
{
    const bool trains = examples == &self->dataset->train;
    size_t n = 0;
    for (size_t r = 0; r < size; r++) {
        enter(self, tasks != NULL ? tasks[r] : phase);
        fetch(self, examples, index[least(r + AHEAD, known - 1)]);
        const uint8_t *bytes = examples->x + (size_t)index[r] * self->dataset->features;
        n = eg_pixel_rows_load(&self->rows, r, bytes, dense, n);
        if (kept != NULL) {
            eg_kept_rows_add(kept, trains ? phase : 0, index[r], r, self->rows.sparse);
        }
        self->label[r] = label_of(self, examples, index[r]);
    }
    if (self->rows.sparse != NULL) {
        self->rows.sparse->rows = size;
    }
}

/* index [size] and those that come next, `known` in all, as task `phase` sees them, or each as its
 * own of `tasks` [size]. */
static void load(cursor *self, const eg_examples *examples, const uint32_t *index, size_t size,
                 size_t known, size_t phase, const uint32_t *tasks, eg_batch *out)
{
    bool dense = self->rows.sparse == NULL || !self->base.setup.sparse_only;
    eg_kept_rows *rows = dense ? NULL : &self->kept[examples == &self->dataset->test];
    bool kept = rows != NULL && show_kept(self, rows, examples, index, size, phase, tasks);
    if (!kept) {
        make_rows(self, examples, index, size, known, phase, tasks, dense, rows);
    }
    out->size = size;
    out->x = dense ? self->rows.x : NULL;
    out->sparse = kept ? &self->shown : self->rows.sparse;
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
    const uint32_t *list = eg_indexed_training(self->stream, phase, &count, self->order);
    memmove(self->order, list, count * sizeof *self->order);
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_ORDER, wanted);
    eg_rng_shuffle(&rng, count, self->order);
    self->ordered = wanted;
}

/* `size` examples with replacement, from presentation `first` of all of the stream's on. */
static const uint32_t *draw(cursor *self, size_t first, size_t size)
{
    size_t count = eg_example_list_count(&self->stream->lists.train, 0);
    const uint32_t *list = eg_example_list_of(&self->stream->lists.train, 0);
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
        return draw(self, epochs * self->stream->examples + first, size);
    }
    shuffle_epoch(self, phase, epoch);
    size_t count = eg_indexed_training_count(self->stream, phase);
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

/* Which examples these are, and in self->task as which task sees them. */
static const uint32_t *tell_copies(cursor *self, const uint32_t *copy, size_t size)
{
    size_t examples = self->dataset->train.count;
    for (size_t r = 0; r < size; r++) {
        self->task[r] = (uint32_t)(copy[r] / examples);
        self->drawn[r] = (uint32_t)(copy[r] % examples);
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
    bool copies = self->stream->copies > 0;
    if (copies) {
        index = tell_copies(self, index, size);
        known = size;
    }
    load(self, &self->dataset->train, index, size, known, phase, copies ? self->task : NULL, out);
    if (self->augmented != NULL) {
        uint64_t epoch = phase * base->stream->shape.epochs + step / about.steps;
        augment(self, index, size, epoch * self->dataset->train.count, out);
    }
    out->task = about.task;
    out->active = about.active;
    if (self->stream->own_losses) {
        for (size_t r = 0; r < size; r++) {
            self->task[r] = (uint32_t)self->stream->class_task[self->label[r]];
        }
        out->row_task = self->task;
        out->task_active = self->stream->task_active;
    }
}

static void cursor_examples(eg_cursor *base, eg_subset subset, size_t task, size_t first,
                            size_t size, eg_batch *out)
{
    cursor *self = (cursor *)base;
    const eg_indexed *stream = self->stream;
    bool tests = subset == EG_SUBSET_TEST || subset == EG_SUBSET_TEST_AUGMENTED;
    const eg_examples *examples = tests ? &self->dataset->test : &self->dataset->train;
    const uint32_t *index = eg_indexed_subset(stream, subset, task, first, size, self->drawn);
    load(self, examples, index, size, size, task, NULL, out);
    if (subset == EG_SUBSET_TEST_AUGMENTED && self->augmented != NULL) {
        augment(self, index, size, first_of_tests + base->round * examples->count, out);
    }
    if (stream->base.shape.tells_task) {
        out->task = task;
        out->active = &stream->task_active[task];
    } else if (stream->run != NULL && stream->phase_active != NULL) {
        out->active = &stream->phase_active[task];
    }
}

static void cursor_free(eg_cursor *base)
{
    cursor *self = (cursor *)base;
    eg_free(self->order);
    eg_free(self->drawn);
    eg_free(self->augmented);
    eg_free(self->from);
    eg_free(self->to);
    eg_free(self->renamed);
    eg_free(self->shuffled);
    eg_pixel_rows_clear(&self->rows);
    eg_kept_rows_clear(&self->kept[0]);
    eg_kept_rows_clear(&self->kept[1]);
    eg_free(self->shown_start);
    eg_free(self->label);
    eg_free(self->task);
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
    if (stream->permutes == EG_PERMUTES_CLASSES || stream->places) {
        EG_TRY(eg_alloc(&self->renamed, self->dataset->classes, sizeof *self->renamed));
    }
    if (stream->permutes == EG_PERMUTES_LABELS) {
        EG_TRY(eg_alloc(&self->shuffled, self->dataset->train.count, sizeof *self->shuffled));
    }
    return eg_ok();
}

/* Where examples come again as they were. */
static eg_status keep_rows(cursor *self, size_t rows)
{
    const eg_indexed *stream = self->stream;
    const eg_sparse *sparse = self->rows.sparse;
    const eg_dataset *data = self->dataset;
    const size_t count[] = {data->train.count, data->test.count};
    const size_t at_once[] = {stream->largest, data->test.count};
    const bool again[] = {stream->base.shape.epochs > 1, stream->base.shape.phases > 1};
    if (sparse == NULL || self->from != NULL) {
        return eg_ok();
    }
    EG_TRY(eg_alloc(&self->shown_start, rows, (sparse->blocks + 1) * sizeof *self->shown_start));
    for (size_t i = 0; i < EG_COUNT(self->kept); i++) {
        if (again[i]) {
            EG_TRY(eg_kept_rows_init(&self->kept[i], count[i], sparse->blocks, at_once[i],
                                     data->density * (double)data->features));
        }
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
    if (eg_augmentation_active(&self->stream->augmentation) && !setup->plain) {
        /* What is background in the dataset is none in an image that was moved. */
        eg_sparse_free(self->rows.sparse);
        self->rows.sparse = NULL;
        EG_TRY(eg_alloc(&self->augmented, rows, self->dataset->features * sizeof(eg_real)));
    }
    self->rows.from = self->from;
    self->rows.to = self->to;
    EG_TRY(keep_rows(self, rows));
    if (setup->trains && (self->stream->own_losses || self->stream->copies > 0)) {
        EG_TRY(eg_alloc(&self->task, rows, sizeof *self->task));
    }
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
