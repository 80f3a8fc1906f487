/** Turning the bytes of examples into numbers; see stream/pixel_rows.h. */
#include "stream/pixel_rows.h"

#include "engram/memory.h"
#include "math/shared/sparse_bytes.h"

#include <string.h>

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

/* Lists what is not background of bytes first … end-1 of one channel from entry n of the sparse
 * matrix on, with columns counted from `column`; returns the entries after. */
static size_t list(const eg_pixel_rows *self, size_t first, size_t end, size_t channel,
                   const uint8_t *byte, size_t column, size_t n)
{
    return n + eg_sparse_bytes(end - first, byte + first, self->dataset->background,
                               (uint32_t)(column + first), self->difference[channel],
                               self->sparse->column + n, self->sparse->value + n);
}

/* One channel as it is seen: its own bytes, or permuted ones. */
static const uint8_t *look(const eg_pixel_rows *self, const uint8_t *byte)
{
    if (self->from == NULL) {
        return byte;
    }
    size_t pixels = eg_shape_positions(self->dataset->shape);
    for (size_t i = 0; i < pixels; i++) {
        self->seen[i] = byte[self->from[i]];
    }
    return self->seen;
}

static void load_dense(const eg_pixel_rows *self, size_t r, const uint8_t *bytes)
{
    const eg_dataset *data = self->dataset;
    size_t pixels = eg_shape_positions(data->shape);
    for (size_t c = 0; c < data->shape.channels; c++) {
        size_t begin = c * pixels;
        convert(pixels, data->value[c], look(self, bytes + begin),
                self->x + r * data->features + begin);
    }
}

/* Entries in the order of the columns. */
static size_t load_ordered(const eg_pixel_rows *self, size_t r, const uint8_t *bytes, size_t n)
{
    const eg_dataset *data = self->dataset;
    const eg_sparse *sparse = self->sparse;
    size_t pixels = eg_shape_positions(data->shape);
    uint32_t *next = sparse->start + r * sparse->blocks + 1;
    for (size_t c = 0; c < data->shape.channels; c++) {
        size_t begin = c * pixels;
        const uint8_t *byte = look(self, bytes + begin);
        /* Blocks of columns do not end where channels do. */
        for (size_t first = 0, end = 0; first < pixels; first = end) {
            size_t column = begin + first;
            size_t room = sparse->block - column % sparse->block;
            end = least(pixels, first + room);
            n = list(self, first, end, c, byte, begin, n);
            if (end - first == room || begin + end == data->features) {
                *next++ = (uint32_t)n;
            }
        }
    }
    return n;
}

/* Puts what is not background of one channel where it is seen, every block of columns at the place
 * it would have if all of them were full. */
static void scatter(const eg_pixel_rows *self, size_t channel, const uint8_t *restrict byte,
                    uint32_t *restrict columns, eg_real *restrict difference)
{
    enum { CHUNK = 64 };
    const eg_dataset *data = self->dataset;
    const eg_real *restrict value = self->difference[channel];
    size_t pixels = eg_shape_positions(data->shape);
    size_t block = self->sparse->block;
    for (size_t chunk = 0; chunk < pixels; chunk += CHUNK) {
        uint64_t marks =
            eg_sparse_marks(least(CHUNK, pixels - chunk), byte + chunk, data->background);
        for (; marks != 0; marks &= marks - 1) {
            size_t i = chunk + (size_t)__builtin_ctzll(marks);
            size_t column = channel * pixels + self->to[i];
            size_t b = column / block;
            size_t at = b * block + self->filled[b]++;
            columns[at] = (uint32_t)column;
            difference[at] = value[byte[i]];
        }
    }
}

/* Entries of a block in the order of the dataset: only they are moved, not all pixels. */
static size_t load_scattered(const eg_pixel_rows *self, size_t r, const uint8_t *bytes, size_t n)
{
    const eg_dataset *data = self->dataset;
    const eg_sparse *sparse = self->sparse;
    size_t pixels = eg_shape_positions(data->shape);
    uint32_t *columns = sparse->column + n;
    eg_real *difference = sparse->value + n;
    memset(self->filled, 0, sparse->blocks * sizeof *self->filled);
    for (size_t c = 0; c < data->shape.channels; c++) {
        scatter(self, c, bytes + c * pixels, columns, difference);
    }
    size_t end = self->filled[0];
    sparse->start[r * sparse->blocks + 1] = (uint32_t)(n + end);
    for (size_t b = 1; b < sparse->blocks; b++) {
        size_t count = self->filled[b];
        memmove(columns + end, columns + b * sparse->block, count * sizeof *columns);
        memmove(difference + end, difference + b * sparse->block, count * sizeof *difference);
        end += count;
        sparse->start[r * sparse->blocks + b + 1] = (uint32_t)(n + end);
    }
    return n + end;
}

size_t eg_pixel_rows_load(const eg_pixel_rows *self, size_t r, const uint8_t *bytes, bool dense,
                          size_t n)
{
    if (dense || self->sparse == NULL) {
        load_dense(self, r, bytes);
    }
    if (self->sparse == NULL) {
        return n;
    }
    return self->to != NULL ? load_scattered(self, r, bytes, n) : load_ordered(self, r, bytes, n);
}

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

eg_status eg_pixel_rows_init(eg_pixel_rows *out, const eg_dataset *dataset, size_t rows)
{
    *out = (eg_pixel_rows){.dataset = dataset};
    EG_TRY(eg_alloc(&out->seen, eg_shape_positions(dataset->shape), 1));
    EG_TRY(eg_alloc(&out->x, rows, dataset->features * sizeof *out->x));
    if (worth_sparse(dataset)) {
        EG_TRY(eg_sparse_create(&out->sparse, rows, dataset->features));
        out->sparse->background = dataset->value[0][dataset->background];
        EG_TRY(eg_alloc(&out->filled, out->sparse->blocks, sizeof *out->filled));
        EG_TRY(eg_alloc(&out->difference, dataset->shape.channels, sizeof *out->difference));
        for (size_t c = 0; c < dataset->shape.channels; c++) {
            for (size_t b = 0; b < EG_COUNT(out->difference[c]); b++) {
                out->difference[c][b] = dataset->value[c][b] - out->sparse->background;
            }
        }
    }
    return eg_ok();
}

void eg_pixel_rows_clear(eg_pixel_rows *self)
{
    eg_free(self->seen);
    eg_free(self->x);
    eg_sparse_free(self->sparse);
    eg_free(self->filled);
    eg_free(self->difference);
    *self = (eg_pixel_rows){.dataset = NULL};
}
