/** Reading a stream over a text; see stream/sequences.h. */
#include "stream/sequences.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <string.h>

typedef struct cursor {
    eg_cursor base;
    const eg_sequences *stream;
    uint64_t seed;    /* of the member */
    uint32_t *order;  /* [largest] the sequences of a group in the order of a pass */
    uint64_t ordered; /* key of that pass; UINT64_MAX: none */
    eg_real *x;       /* [rows, T] */
    uint32_t *label;  /* [rows, T] */
    uint32_t *number; /* [rows] */
} cursor;

/* Passes of a group are fewer. */
enum { PASS_BITS = 40 };

static void shuffle_pass(cursor *self, size_t group, size_t pass)
{
    const uint64_t key = (uint64_t)group << PASS_BITS | pass;
    if (key == self->ordered) {
        return;
    }
    const eg_example_list *train = &self->stream->lists.train;
    const size_t count = eg_example_list_count(train, group);
    memcpy(self->order, eg_example_list_of(train, group), count * sizeof *self->order);
    eg_rng rng = eg_rng_make(self->seed, EG_PURPOSE_ORDER, key);
    eg_rng_shuffle(&rng, count, self->order);
    self->ordered = key;
}

static void load(cursor *self, size_t row, uint32_t sequence)
{
    const size_t length = self->base.stream->shape.positions;
    const uint32_t *id = self->stream->dataset->text.id + self->stream->start[sequence];
    eg_real *x = self->x + row * length;
    for (size_t t = 0; t < length; t++) {
        x[t] = (eg_real)id[t];
    }
    memcpy(self->label + row * length, id + 1, length * sizeof *id);
    self->number[row] = sequence;
}

static void show(const cursor *self, size_t size, eg_batch *out)
{
    out->size = size;
    out->x = self->x;
    out->label = self->label;
    out->number = self->number;
}

static void cursor_get(eg_cursor *base, size_t phase, size_t step, eg_batch *out)
{
    cursor *self = (cursor *)base;
    const eg_sequences *stream = self->stream;
    const size_t size = base->stream->shape.batch;
    const size_t group = eg_sequences_group(stream, phase);
    const size_t count = eg_example_list_count(&stream->lists.train, group);
    const size_t before = stream->together ? phase * stream->steps : 0;
    for (size_t r = 0; r < size; r++) {
        const size_t shown = (before + step) * size + r;
        shuffle_pass(self, group, shown / count);
        load(self, r, self->order[shown % count]);
    }
    show(self, size, out);
    out->task = 0;
}

static void cursor_examples(eg_cursor *base, eg_subset subset, size_t task, size_t first,
                            size_t size, eg_batch *out)
{
    cursor *self = (cursor *)base;
    const eg_example_lists *lists = &self->stream->lists;
    const eg_example_list *list = subset == EG_SUBSET_VALIDATION ? &lists->validation
                                  : subset == EG_SUBSET_TRAINING ? &lists->train
                                                                 : &lists->test;
    (void)task;
    for (size_t r = 0; r < size; r++) {
        load(self, r, list->index[first + r]);
    }
    show(self, size, out);
}

static void cursor_free(eg_cursor *base)
{
    cursor *self = (cursor *)base;
    eg_free(self->order);
    eg_free(self->x);
    eg_free(self->label);
    eg_free(self->number);
    eg_free(self);
}

static const eg_cursor_ops cursor_ops = {
    .free = cursor_free, .get = cursor_get, .examples = cursor_examples};

static eg_status allocate(cursor *self)
{
    const eg_cursor_setup *setup = &self->base.setup;
    const eg_stream_shape *shape = &self->base.stream->shape;
    const size_t batch = setup->trains ? shape->batch : 0;
    const size_t rows = batch > setup->block ? batch : setup->block;
    if (setup->trains) {
        EG_TRY(eg_alloc(&self->order, self->stream->largest, sizeof *self->order));
    }
    EG_TRY(eg_alloc(&self->x, rows, shape->positions * sizeof *self->x));
    EG_TRY(eg_alloc(&self->label, rows, shape->positions * sizeof *self->label));
    return eg_alloc(&self->number, rows, sizeof *self->number);
}

eg_status eg_sequences_open(eg_cursor **out, const eg_stream *stream, const eg_cursor_setup *setup)
{
    cursor *self = NULL;
    EG_TRY(eg_alloc(&self, 1, sizeof *self));
    *self = (cursor){.base = {.ops = &cursor_ops, .stream = stream, .setup = *setup},
                     .stream = (const eg_sequences *)stream,
                     .ordered = UINT64_MAX};
    self->seed = eg_member_seed(self->stream->seed, setup->member);
    eg_status status = allocate(self);
    if (!eg_is_ok(&status)) {
        cursor_free(&self->base);
        return status;
    }
    *out = &self->base;
    return status;
}
