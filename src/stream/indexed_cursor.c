/** Reading a stream over a dataset: shuffling example numbers and turning bytes into numbers; see
 * stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <string.h>

enum { AHEAD = 2 }; /* examples fetched before they are needed */

typedef struct cursor {
    eg_cursor base;
    const eg_indexed *stream;
    const eg_dataset *dataset;
    uint64_t seed;     /* of the member */
    uint32_t *order;   /* [largest training group] the examples of the current epoch, shuffled */
    size_t ordered;    /* phase*epochs + epoch that `order` is of; SIZE_MAX: none */
    uint8_t *seen;     /* [pixels] one channel of one example, permuted; NULL without `from` */
    eg_real *x;        /* [rows, features], rows = the larger of minibatch and block */
    eg_sparse *sparse; /* the same, sparse, or NULL if the data are dense */
    uint32_t *label;   /* [rows] */
} cursor;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The bytes of one channel as numbers. */
static void convert(size_t pixels, const eg_real *restrict value, const uint8_t *restrict byte,
                    eg_real *restrict x)
{
    for (size_t i = 0; i < pixels; i++) {
        x[i] = value[byte[i]];
    }
}

/* Bit i says whether byte i of eight differs from the byte repeated in `empty`. The sum carries into
 * the highest bit of every byte that is not 0, the product gathers these bits at the top. */
static uint64_t differing(const uint8_t *byte, uint64_t empty)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);
    uint64_t word = 0;
    memcpy(&word, byte, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    word ^= empty;
    uint64_t marks = (((word & low) + low) | word) & ~low;
    return (marks >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The same for at most 64 bytes. */
static uint64_t differing_of(size_t count, const uint8_t *byte, uint64_t empty)
{
    uint64_t marks = 0;
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        marks |= differing(byte + i, empty) << i;
    }
    for (; i < count; i++) {
        marks |= (uint64_t)(byte[i] != (uint8_t)empty) << i;
    }
    return marks;
}

/* Lists what is not background of bytes first … end-1 of one channel from entry n of the sparse
 * matrix on, with columns counted from `column`; returns the entries after. */
static size_t list(const cursor *self, size_t first, size_t end, const eg_real *restrict value,
                   const uint8_t *restrict byte, size_t column, size_t n)
{
    enum { CHUNK = 64 };
    uint32_t *restrict columns = self->sparse->column;
    eg_real *restrict difference = self->sparse->value;
    const eg_real background = self->sparse->background;
    const uint64_t empty = self->dataset->background * UINT64_C(0x0101010101010101);
    for (size_t chunk = first; chunk < end; chunk += CHUNK) {
        uint64_t marks = differing_of(least(CHUNK, end - chunk), byte + chunk, empty);
        for (; marks != 0; marks &= marks - 1) {
            size_t i = chunk + (size_t)__builtin_ctzll(marks);
            columns[n] = (uint32_t)(column + i);
            difference[n] = value[byte[i]] - background;
            n++;
        }
    }
    return n;
}

/* One channel as this phase sees it: its own bytes, or permuted ones. */
static const uint8_t *look(const cursor *self, const uint32_t *from, const uint8_t *byte)
{
    if (from == NULL) {
        return byte;
    }
    size_t pixels = eg_shape_positions(self->dataset->shape);
    for (size_t i = 0; i < pixels; i++) {
        self->seen[i] = byte[from[i]];
    }
    return self->seen;
}

static bool wants_dense(const cursor *self)
{
    return self->sparse == NULL || !self->base.setup.sparse_only;
}

/* Row r of the minibatch; n as in `list`. Blocks of columns do not end where channels do. */
static size_t load_row(const cursor *self, size_t r, const uint8_t *bytes, const uint32_t *from,
                       size_t n)
{
    const eg_dataset *data = self->dataset;
    const eg_sparse *sparse = self->sparse;
    size_t pixels = eg_shape_positions(data->shape);
    eg_real *x = self->x + r * data->features;
    uint32_t *next = sparse == NULL ? NULL : sparse->start + r * sparse->blocks + 1;
    for (size_t c = 0; c < data->shape.channels; c++) {
        size_t begin = c * pixels;
        const uint8_t *byte = look(self, from, bytes + begin);
        if (wants_dense(self)) {
            convert(pixels, data->value[c], byte, x + begin);
        }
        for (size_t first = 0, end = 0; sparse != NULL && first < pixels; first = end) {
            size_t column = begin + first;
            size_t room = sparse->block - column % sparse->block;
            end = least(pixels, first + room);
            n = list(self, first, end, data->value[c], byte, begin, n);
            if (end - first == room || begin + end == data->features) {
                *next++ = (uint32_t)n;
            }
        }
    }
    return n;
}

static void load(cursor *self, const eg_examples *examples, const uint32_t *index, size_t size,
                 size_t phase, eg_batch *out)
{
    const eg_dataset *data = self->dataset;
    const uint32_t *from = self->stream->from == NULL
                               ? NULL
                               : self->stream->from + phase * eg_shape_positions(data->shape);
    size_t n = 0;
    for (size_t r = 0; r < size; r++) {
        /* Examples come in random order: the next ones are fetched meanwhile. */
        const uint8_t *ahead =
            examples->x + (size_t)index[least(r + AHEAD, size - 1)] * data->features;
        for (size_t i = 0; i < data->features; i += EG_ALIGNMENT) {
            __builtin_prefetch(ahead + i);
        }
        n = load_row(self, r, examples->x + (size_t)index[r] * data->features, from, n);
        self->label[r] = examples->label[index[r]];
    }
    if (self->sparse != NULL) {
        self->sparse->rows = size;
    }
    out->size = size;
    out->x = wants_dense(self) ? self->x : NULL;
    out->sparse = self->sparse;
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

static void cursor_get(eg_cursor *base, size_t phase, size_t step, eg_batch *out)
{
    cursor *self = (cursor *)base;
    eg_phase about = eg_stream_phase(base->stream, phase);
    const eg_order_file *given = &self->stream->order;
    const uint32_t *index = NULL;
    size_t size = 0;
    if (given->batches > 0) {
        index = eg_order_file_batch(given, given->phase[phase] + step, &size);
    } else {
        size_t first = step % about.steps * self->stream->batch;
        shuffle_epoch(self, phase, step / about.steps);
        index = self->order + first;
        size = least(self->stream->batch, about.examples - first);
    }
    load(self, &self->dataset->train, index, size, phase, out);
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
    const uint32_t *index = eg_indexed_evaluation(stream, subset, task);
    load(self, examples, index + first, size, task, out);
    if (stream->base.shape.tells_task) {
        out->task = task;
        out->active = &stream->task_active[task];
    }
}

static void cursor_free(eg_cursor *base)
{
    cursor *self = (cursor *)base;
    eg_free(self->order);
    eg_free(self->seen);
    eg_free(self->x);
    eg_sparse_free(self->sparse);
    eg_free(self->label);
    eg_free(self);
}

static const eg_cursor_ops cursor_ops = {
    .free = cursor_free,
    .get = cursor_get,
    .examples = cursor_examples,
};

/* Below this density the sparse kernels beat dense ones. */
static const double sparse_density = 0.4;

/* One background for all channels is what a sparse matrix can say. */
static bool worth_sparse(const eg_dataset *data)
{
    bool even = true;
    for (size_t c = 1; c < data->shape.channels; c++) {
        even = even && data->value[c][data->background] == data->value[0][data->background];
    }
    return even && data->density < sparse_density;
}

/* Buffers for the largest minibatch and evaluation block there can be. */
static eg_status allocate_buffers(cursor *self)
{
    const eg_dataset *data = self->dataset;
    const eg_cursor_setup *setup = &self->base.setup;
    size_t batch = setup->trains ? self->stream->base.shape.batch : 0;
    size_t rows = batch > setup->block ? batch : setup->block;
    if (setup->trains) {
        EG_TRY(eg_alloc(&self->order, self->stream->largest, sizeof *self->order));
    }
    if (self->stream->from != NULL) {
        EG_TRY(eg_alloc(&self->seen, eg_shape_positions(data->shape), 1));
    }
    EG_TRY(eg_alloc(&self->x, rows, data->features * sizeof *self->x));
    if (worth_sparse(data)) {
        EG_TRY(eg_sparse_create(&self->sparse, rows, data->features));
        self->sparse->background = data->value[0][data->background];
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
