/** Sparse matrices times dense panels; see engram/sparse.h.
 *
 *  The plain product adds eight listed rows of M to a row of the result at a time: one load and one
 * store of the sum for eight multiplications, each over a whole row of the panel, so it runs at the
 * speed at which the panel comes out of the cache. */
#include "engram/sparse.h"

#include "engram/memory.h"
#include "math/shared/clones.h"
#include "math/sparse_kernel.h"

#include <assert.h>
#include <string.h>

eg_status eg_sparse_create(eg_sparse **out, size_t rows, size_t columns)
{
    *out = NULL;
    assert(rows < UINT32_MAX && columns < UINT32_MAX);
    eg_sparse *matrix = NULL;
    EG_TRY(eg_alloc(&matrix, 1, sizeof *matrix));
    eg_status status = eg_ok();
    if (columns > 0 && rows > UINT32_MAX / columns) {
        status = eg_fail(EG_INVALID, "a sparse matrix of %zu x %zu is too large", rows, columns);
        goto done;
    }
    matrix->blocks = eg_sparse_block_count(columns);
    matrix->block = (columns + matrix->blocks - 1) / matrix->blocks;
    EG_TRY_DONE(status, eg_alloc(&matrix->start, rows * matrix->blocks + 1, sizeof *matrix->start));
    EG_TRY_DONE(status, eg_alloc(&matrix->column, rows * columns, sizeof *matrix->column));
    EG_TRY_DONE(status, eg_alloc(&matrix->value, rows * columns, sizeof *matrix->value));
    matrix->columns = columns;
    matrix->stride = matrix->blocks;
    *out = matrix;
    return status;
done:
    eg_sparse_free(matrix);
    return status;
}

void eg_sparse_free(eg_sparse *matrix)
{
    if (matrix == NULL) {
        return;
    }
    eg_free(matrix->start);
    eg_free(matrix->column);
    eg_free(matrix->value);
    eg_free(matrix);
}

void eg_sparse_copy(const eg_sparse *from, eg_sparse *out)
{
    assert(out->columns == from->columns && out->stride == out->blocks);
    uint32_t n = 0;
    out->rows = from->rows;
    out->background = from->background;
    for (size_t r = 0; r < from->rows; r++) {
        const uint32_t *segment = from->start + r * from->stride;
        const uint32_t first = segment[0];
        const size_t count = segment[from->blocks] - first;
        for (size_t b = 0; b <= from->blocks; b++) {
            out->start[r * out->blocks + b] = n + (segment[b] - first);
        }
        memcpy(out->column + n, from->column + first, count * sizeof *out->column);
        if (out->value != NULL) {
            memcpy(out->value + n, from->value + first, count * sizeof *out->value);
        }
        n += (uint32_t)count;
    }
}

/* A counting sort: start[s + 1] first counts the entries of segment s, a row's part of a block,
 * then runs through their places. */
void eg_sparse_transpose(const eg_sparse *from, eg_sparse *out)
{
    out->rows = from->columns;
    out->columns = from->rows;
    out->background = from->background;
    size_t segments = out->rows * out->blocks;
    uint32_t *start = out->start;
    memset(start, 0, (segments + 1) * sizeof *start);
    for (size_t r = 0; r < from->rows; r++) {
        uint32_t *count = start + 1 + r / out->block;
        for (size_t k = eg_sparse_row(from, r); k < eg_sparse_row_end(from, r); k++) {
            count[from->column[k] * out->blocks]++;
        }
    }
    uint32_t place = 0;
    for (size_t s = 0; s < segments; s++) {
        uint32_t count = start[s + 1];
        start[s + 1] = place;
        place += count;
    }
    for (size_t r = 0; r < from->rows; r++) {
        uint32_t *next = start + 1 + r / out->block;
        for (size_t k = eg_sparse_row(from, r); k < eg_sparse_row_end(from, r); k++) {
            uint32_t to = next[from->column[k] * out->blocks]++;
            out->column[to] = (uint32_t)r;
            out->value[to] = from->value[k];
        }
    }
}

/* sum += v[0] * row column[0] of m + … + v[7] * row column[7] of m. The factors are copied so that
 * the compiler keeps them in registers over the whole row. */
static inline void add_eight(size_t step, size_t width, const uint32_t *column, const eg_real *v,
                             const eg_real *restrict m, eg_real *restrict sum)
{
    const eg_real *restrict m0 = m + column[0] * width;
    const eg_real *restrict m1 = m + column[1] * width;
    const eg_real *restrict m2 = m + column[2] * width;
    const eg_real *restrict m3 = m + column[3] * width;
    const eg_real *restrict m4 = m + column[4] * width;
    const eg_real *restrict m5 = m + column[5] * width;
    const eg_real *restrict m6 = m + column[6] * width;
    const eg_real *restrict m7 = m + column[7] * width;
    const eg_real v0 = v[0], v1 = v[1], v2 = v[2], v3 = v[3];
    const eg_real v4 = v[4], v5 = v[5], v6 = v[6], v7 = v[7];
    for (size_t s = 0; s < width; s += step) {
        for (size_t l = 0; l < step; l++) {
            eg_real low = (v0 * m0[s + l] + v1 * m1[s + l]) + (v2 * m2[s + l] + v3 * m3[s + l]);
            eg_real high = (v4 * m4[s + l] + v5 * m5[s + l]) + (v6 * m6[s + l] + v7 * m7[s + l]);
            sum[s + l] += low + high;
        }
    }
}

/* sum += v[0] * row column[0] of m + v[1] * row column[1] of m */
static inline void add_two(size_t step, size_t width, const uint32_t *column, const eg_real *v,
                           const eg_real *restrict m, eg_real *restrict sum)
{
    const eg_real *restrict m0 = m + column[0] * width;
    const eg_real *restrict m1 = m + column[1] * width;
    const eg_real v0 = v[0], v1 = v[1];
    for (size_t s = 0; s < width; s += step) {
        for (size_t l = 0; l < step; l++) {
            sum[s + l] += v0 * m0[s + l] + v1 * m1[s + l];
        }
    }
}

/* sum += v * row `column` of m */
static inline void add_one(size_t step, size_t width, uint32_t column, eg_real v,
                           const eg_real *restrict m, eg_real *restrict sum)
{
    const eg_real *restrict m0 = m + column * width;
    for (size_t s = 0; s < width; s += step) {
        for (size_t l = 0; l < step; l++) {
            sum[s + l] += v * m0[s + l];
        }
    }
}

/* sum += the listed entries from k to end times their rows of m */
static inline void add_all(const eg_sparse *list, size_t k, size_t end, size_t step, size_t width,
                           const eg_real *restrict m, eg_real *restrict sum)
{
    for (; k + 8 <= end; k += 8) {
        add_eight(step, width, list->column + k, list->value + k, m, sum);
    }
    for (; k + 2 <= end; k += 2) {
        add_two(step, width, list->column + k, list->value + k, m, sum);
    }
    if (k < end) {
        add_one(step, width, list->column[k], list->value[k], m, sum);
    }
}

/* Called with a constant `step`, so that loops over lanes have a known length. */
__attribute__((always_inline)) static inline void product_by(size_t step, const eg_sparse *list,
                                                             size_t width,
                                                             const eg_real *restrict m,
                                                             eg_real *restrict out)
{
    memset(out, 0, list->rows * width * sizeof *out);
    for (size_t b = 0; b < list->blocks; b++) {
        for (size_t r = 0; r < list->rows; r++) {
            const uint32_t *segment = list->start + r * list->stride + b;
            add_all(list, segment[0], segment[1], step, width, m, out + r * width);
        }
    }
}

EG_CLONES static void product(const eg_sparse *list, size_t width, const eg_real *restrict m,
                              eg_real *restrict out)
{
    if (width == EG_SPARSE_NARROW) {
        product_by(EG_SPARSE_NARROW, list, EG_SPARSE_NARROW, m, out);
    } else {
        product_by(EG_SPARSE_STEP, list, width, m, out);
    }
}

void eg_sparse_product_plain(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out)
{
    product(list, width, m, out);
}

void eg_sparse_product(const eg_sparse *list, size_t width, const eg_real *m, eg_real *out)
{
    assert(width % EG_SPARSE_STEP == 0 || width == EG_SPARSE_NARROW);
    if (eg_sparse_has_avx512()) {
        eg_sparse_product_avx512(list, width, m, out);
    } else {
        eg_sparse_product_plain(list, width, m, out);
    }
}
