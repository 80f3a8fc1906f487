/** Shuffling example numbers and turning bytes into numbers; see stream/indexed.h. */
#include "stream/indexed.h"

#include "engram/memory.h"
#include "engram/random.h"

#include <assert.h>
#include <string.h>

enum { AHEAD = 2 }; /* examples fetched before they are needed */

typedef struct indexed {
    struct eg_stream base;
    const eg_dataset *dataset;
    uint64_t seed;
    size_t batch, epochs, block;
    eg_example_lists lists;
    uint32_t *from;    /* [phases, pixels] the dataset's pixel that is seen there, or NULL */
    uint32_t *order;   /* [largest training group] the examples of the current epoch, shuffled */
    size_t ordered;    /* phase*epochs + epoch that `order` is of; SIZE_MAX: none */
    uint8_t *seen;     /* [pixels] one channel of one example, permuted; NULL without `from` */
    eg_real *x;        /* [rows, features], rows = the larger of minibatch and block */
    eg_sparse *sparse; /* the same, sparse, or NULL if the data are dense */
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

static const eg_example_list *evaluation_list(const indexed *self, eg_subset subset)
{
    return subset == EG_SUBSET_TEST ? &self->lists.test : &self->lists.validation;
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
static size_t list(const indexed *self, size_t first, size_t end, const eg_real *restrict value,
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
static const uint8_t *look(const indexed *self, const uint32_t *from, const uint8_t *byte)
{
    if (from == NULL) {
        return byte;
    }
    size_t pixels = self->dataset->height * self->dataset->width;
    for (size_t i = 0; i < pixels; i++) {
        self->seen[i] = byte[from[i]];
    }
    return self->seen;
}

static bool wants_dense(const indexed *self)
{
    return self->sparse == NULL || !self->base.sparse_only;
}

/* Row r of the minibatch; n as in `list`. Blocks of columns do not end where channels do. */
static size_t load_row(const indexed *self, size_t r, const uint8_t *bytes, const uint32_t *from,
                       size_t n)
{
    const eg_dataset *data = self->dataset;
    const eg_sparse *sparse = self->sparse;
    size_t pixels = data->height * data->width;
    eg_real *x = self->x + r * data->features;
    uint32_t *next = sparse == NULL ? NULL : sparse->start + r * sparse->blocks + 1;
    for (size_t c = 0; c < data->channels; c++) {
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

static void load(indexed *self, const eg_examples *examples, const uint32_t *index, size_t size,
                 size_t phase, eg_batch *out)
{
    const eg_dataset *data = self->dataset;
    const uint32_t *from =
        self->from == NULL ? NULL : self->from + phase * data->height * data->width;
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
    *out = (eg_batch){.size = size,
                      .x = wants_dense(self) ? self->x : NULL,
                      .sparse = self->sparse,
                      .label = self->label};
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

static size_t indexed_count(const eg_stream *stream, eg_subset subset, size_t task)
{
    const indexed *self = (const indexed *)stream;
    return eg_example_list_count(evaluation_list(self, subset), group_of(self, task));
}

static void indexed_examples(eg_stream *stream, eg_subset subset, size_t task, size_t first,
                             size_t size, eg_batch *out)
{
    indexed *self = (indexed *)stream;
    assert(size <= self->block);
    const eg_examples *examples =
        subset == EG_SUBSET_TEST ? &self->dataset->test : &self->dataset->train;
    const uint32_t *index = eg_example_list_of(evaluation_list(self, subset), group_of(self, task));
    load(self, examples, index + first, size, task, out);
}

static void indexed_free(eg_stream *stream)
{
    indexed *self = (indexed *)stream;
    eg_example_lists_clear(&self->lists);
    eg_free(self->from);
    eg_free(self->order);
    eg_free(self->seen);
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
static bool worth_sparse(const eg_dataset *data)
{
    bool even = true;
    for (size_t c = 1; c < data->channels; c++) {
        even = even && data->value[c][data->background] == data->value[0][data->background];
    }
    return even && data->density < sparse_density;
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
    if (self->from != NULL) {
        EG_TRY(eg_alloc(&self->seen, self->dataset->height * self->dataset->width, 1));
    }
    EG_TRY(eg_alloc(&self->x, rows, self->dataset->features * sizeof *self->x));
    if (worth_sparse(self->dataset)) {
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
        .from = setup->permutation,
        .ordered = SIZE_MAX,
    };
    EG_TRY_DONE(status, eg_example_lists_make(&self->lists, data, setup->group, setup->groups,
                                              setup->holdout));
    EG_TRY_DONE(status, allocate_buffers(self));
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
