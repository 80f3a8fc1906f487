/** Sparse matrices and panels: products by hand, every kernel against the plain one, transposes. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "engram/random.h"
#include "engram/sparse.h"
#include "math/shared/panel.h"
#include "math/shared/sparse_bytes.h"
#include "math/shared/sparse_scatter.h"
#include "math/sparse_kernel.h"

#include <math.h>
#include <string.h>

/* More columns than fit into one block, and into two. */
enum { ROWS = 23, COLUMNS = 2 * EG_SPARSE_BLOCK + 37, WIDTH_MAX = 144 };

/** Rows of 0, 1, 2, … entries, so that every remainder of a group of entries occurs. */
static eg_sparse *ragged(uint64_t index)
{
    eg_sparse *list = NULL;
    assert_ok(eg_sparse_create(&list, ROWS, COLUMNS));
    eg_rng rng = eg_rng_make(11, EG_PURPOSE_TEST, index);
    uint32_t columns[COLUMNS];
    for (uint32_t c = 0; c < COLUMNS; c++) {
        columns[c] = c;
    }
    uint32_t n = 0;
    for (size_t r = 0; r < ROWS; r++) {
        eg_rng_shuffle(&rng, COLUMNS, columns);
        for (size_t b = 0; b < list->blocks; b++) {
            for (size_t k = 0; k < r; k++) {
                if (columns[k] / list->block == b) {
                    list->column[n] = columns[k];
                    list->value[n++] = (eg_real)eg_rng_normal(&rng);
                }
            }
            list->start[r * list->blocks + b + 1] = n;
        }
    }
    list->rows = ROWS;
    return list;
}

static void equal_blocks(void **state)
{
    (void)state;
    static const size_t columns[] = {1, EG_SPARSE_BLOCK, EG_SPARSE_BLOCK + 1, 784};
    static const size_t blocks[] = {1, 1, 2, 4};
    static const size_t block[] = {1, EG_SPARSE_BLOCK, EG_SPARSE_BLOCK / 2 + 1, 196};
    for (size_t i = 0; i < EG_COUNT(columns); i++) {
        eg_sparse *list = NULL;
        assert_ok(eg_sparse_create(&list, 2, columns[i]));
        assert_int_equal(list->blocks, blocks[i]);
        assert_int_equal(list->block, block[i]);
        eg_sparse_free(list);
    }
}

static void random_panel(uint64_t index, size_t n, eg_real *x)
{
    eg_rng rng = eg_rng_make(12, EG_PURPOSE_TEST, index);
    for (size_t i = 0; i < n; i++) {
        x[i] = (eg_real)eg_rng_normal(&rng);
    }
}

/** The largest distance of a product from the sums in double. */
static double error_of(eg_sparse_kernel *kernel, const eg_sparse *list, size_t width,
                       const eg_real *m)
{
    eg_real *out = NULL;
    assert_ok(eg_alloc(&out, ROWS * width, sizeof *out));
    kernel(list, width, m, out);
    double worst = 0.0;
    for (size_t r = 0; r < list->rows; r++) {
        for (size_t l = 0; l < width; l++) {
            double sum = 0.0;
            for (size_t k = eg_sparse_row(list, r); k < eg_sparse_row(list, r + 1); k++) {
                sum += (double)list->value[k] * (double)m[list->column[k] * width + l];
            }
            worst = fmax(worst, fabs((double)out[r * width + l] - sum));
        }
    }
    eg_free(out);
    return worst;
}

/** Bytes that are not 7 of every length up to several registers, against one by one; nothing is
 *  written behind its room. */
static void lists_bytes(eg_sparse_lister *lister)
{
    enum { MOST = 150, EMPTY = 7, FIRST = 1000 };
    uint8_t byte[MOST];
    uint32_t column[MOST + 1];
    eg_real value[MOST + 1];
    eg_real of[256];
    eg_rng rng = eg_rng_make(13, EG_PURPOSE_TEST, 0);
    for (size_t b = 0; b < 256; b++) {
        of[b] = (eg_real)b / 3;
    }
    for (size_t count = 0; count <= MOST; count++) {
        size_t expected = 0;
        for (size_t i = 0; i < count; i++) {
            byte[i] = eg_rng_below(&rng, 3) > 0 ? EMPTY : (uint8_t)eg_rng_below(&rng, 256);
            expected += byte[i] != EMPTY ? 1 : 0;
        }
        column[count] = UINT32_MAX;
        value[count] = -1;
        assert_int_equal(lister(count, byte, EMPTY, FIRST, of, column, value), expected);
        for (size_t i = 0, n = 0; i < count; i++) {
            if (byte[i] != EMPTY) {
                assert_int_equal(column[n], FIRST + i);
                assert_true(value[n] == of[byte[i]]);
                n++;
            }
        }
        assert_int_equal(column[count], UINT32_MAX);
        assert_true(value[count] == -1);
    }
}

static void bytes_by_every_lister(void **state)
{
    (void)state;
    lists_bytes(eg_sparse_bytes_plain);
    lists_bytes(eg_sparse_bytes);
}

static void every_kernel_in_every_width(void **state)
{
    (void)state;
    eg_sparse *list = ragged(0);
    eg_real *m = NULL;
    assert_ok(eg_alloc(&m, COLUMNS * WIDTH_MAX, sizeof *m));
    random_panel(1, COLUMNS * WIDTH_MAX, m);
    for (size_t i = 0; i <= WIDTH_MAX / EG_SPARSE_STEP; i++) {
        size_t width = i == 0 ? EG_SPARSE_NARROW : i * EG_SPARSE_STEP;
        assert_true(error_of(eg_sparse_product_plain, list, width, m) < 1e-5);
        assert_true(error_of(eg_sparse_product, list, width, m) < 1e-5);
        if (eg_sparse_has_avx512()) {
            assert_true(error_of(eg_sparse_product_avx512, list, width, m) < 1e-5);
        }
    }
    eg_free(m);
    eg_sparse_free(list);
}

/* (0 2; 0 0; 3 -1) times rows of 1 and of 10: 20, 0, 3 - 10. */
static void product_by_hand(void **state)
{
    (void)state;
    uint32_t start[] = {0, 1, 1, 3};
    uint32_t column[] = {1, 0, 1};
    eg_real value[] = {2, 3, -1};
    const eg_sparse list = {.rows = 3,
                            .columns = 2,
                            .block = 2,
                            .blocks = 1,
                            .stride = 1,
                            .background = 5,
                            .start = start,
                            .column = column,
                            .value = value};
    eg_real m[2 * EG_SPARSE_STEP];
    eg_real out[3 * EG_SPARSE_STEP];
    for (size_t l = 0; l < EG_SPARSE_STEP; l++) {
        m[l] = 1;
        m[EG_SPARSE_STEP + l] = 10;
    }
    eg_sparse_product(&list, EG_SPARSE_STEP, m, out);
    for (size_t l = 0; l < EG_SPARSE_STEP; l++) {
        assert_close((double)out[l], 20.0, 0.0);
        assert_close((double)out[EG_SPARSE_STEP + l], 0.0, 0.0);
        assert_close((double)out[2 * EG_SPARSE_STEP + l], -7.0, 0.0);
    }
}

/** Rows that stand anywhere, some of them twice: what is made of them is what is made of the same rows
 *  one after the other. */
static void rows_anywhere(void **state)
{
    (void)state;
    enum { W = EG_SPARSE_STEP + EG_SPARSE_NARROW };
    static const size_t shown[] = {22, 0, 7, 7, 1, 21};
    eg_sparse *list = ragged(4);
    eg_sparse *copy = NULL;
    eg_sparse *transposed[2] = {NULL, NULL};
    eg_real *m = NULL;
    uint32_t start[EG_COUNT(shown) * 8];
    eg_sparse rows = *list;
    rows.rows = EG_COUNT(shown);
    rows.stride = list->blocks + 1;
    rows.start = start;
    assert_in_range(rows.stride, 1, 8);
    for (size_t r = 0; r < EG_COUNT(shown); r++) {
        memcpy(start + r * rows.stride, list->start + shown[r] * list->blocks,
               rows.stride * sizeof *start);
        assert_int_equal(eg_sparse_row_end(&rows, r) - eg_sparse_row(&rows, r),
                         eg_sparse_row_end(list, shown[r]) - eg_sparse_row(list, shown[r]));
    }
    assert_ok(eg_sparse_create(&copy, EG_COUNT(shown), COLUMNS));
    eg_sparse_copy(&rows, copy);
    assert_int_equal(copy->rows, EG_COUNT(shown));
    for (size_t r = 0, n = 0; r < EG_COUNT(shown); r++) {
        for (size_t k = eg_sparse_row(&rows, r); k < eg_sparse_row_end(&rows, r); k++, n++) {
            assert_int_equal(copy->column[n], list->column[k]);
            assert_true(copy->value[n] == list->value[k]);
        }
        assert_int_equal(eg_sparse_row_end(copy, r), n);
    }
    assert_ok(eg_alloc(&m, COLUMNS * W, sizeof *m));
    random_panel(9, COLUMNS * W, m);
    for (size_t width = EG_SPARSE_NARROW; width <= EG_SPARSE_STEP; width += EG_SPARSE_NARROW) {
        eg_real expected[EG_COUNT(shown) * W];
        eg_real got[EG_COUNT(shown) * W];
        eg_sparse_product(copy, width, m, expected);
        eg_sparse_product(&rows, width, m, got);
        assert_memory_equal(got, expected, EG_COUNT(shown) * width * sizeof *got);
        eg_sparse_product_plain(copy, width, m, expected);
        eg_sparse_product_plain(&rows, width, m, got);
        assert_memory_equal(got, expected, EG_COUNT(shown) * width * sizeof *got);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_ok(eg_sparse_create(&transposed[i], COLUMNS, EG_COUNT(shown)));
        eg_sparse_transpose(i == 0 ? copy : &rows, transposed[i]);
    }
    size_t entries = eg_sparse_entries(transposed[0]);
    assert_int_equal(entries, eg_sparse_entries(copy));
    assert_int_equal(entries, eg_sparse_entries(transposed[1]));
    assert_memory_equal(transposed[0]->column, transposed[1]->column, entries * sizeof(uint32_t));
    assert_memory_equal(transposed[0]->value, transposed[1]->value, entries * sizeof(eg_real));
    eg_sparse_free(transposed[0]);
    eg_sparse_free(transposed[1]);
    eg_free(m);
    eg_sparse_free(copy);
    eg_sparse_free(list);
}

static void dense_of(const eg_sparse *list, bool transposed, eg_real *out)
{
    size_t columns = transposed ? list->rows : list->columns;
    memset(out, 0, (size_t)ROWS * COLUMNS * sizeof *out);
    for (size_t r = 0; r < list->rows; r++) {
        for (size_t k = eg_sparse_row(list, r); k < eg_sparse_row(list, r + 1); k++) {
            size_t c = list->column[k];
            out[transposed ? c * columns + r : r * columns + c] = list->value[k];
        }
    }
}

/** Columns ascend within a row, and every block begins where its first column would stand. */
static void check_order(const eg_sparse *list)
{
    for (size_t r = 0; r < list->rows; r++) {
        for (size_t k = eg_sparse_row(list, r) + 1; k < eg_sparse_row(list, r + 1); k++) {
            assert_true(list->column[k - 1] < list->column[k]);
        }
        for (size_t b = 0; b < list->blocks; b++) {
            const uint32_t *segment = list->start + r * list->blocks + b;
            for (size_t k = segment[0]; k < segment[1]; k++) {
                assert_int_equal(list->column[k] / list->block, b);
            }
        }
    }
}

static void transposes(void **state)
{
    (void)state;
    static eg_real expected[ROWS * COLUMNS];
    static eg_real got[ROWS * COLUMNS];
    eg_sparse *list = ragged(2);
    eg_sparse *transposed = NULL;
    eg_sparse *again = NULL;
    list->background = 4;
    assert_ok(eg_sparse_create(&transposed, COLUMNS, ROWS));
    assert_ok(eg_sparse_create(&again, ROWS, COLUMNS));
    /* Twice: nothing of the first one may be left. */
    for (size_t time = 0; time < 2; time++) {
        eg_sparse_transpose(list, transposed);
        assert_int_equal(transposed->rows, COLUMNS);
        assert_int_equal(transposed->columns, ROWS);
        assert_true(transposed->background == 4);
        dense_of(list, true, expected);
        dense_of(transposed, false, got);
        assert_memory_equal(got, expected, sizeof got);
        check_order(transposed);
        eg_sparse_transpose(transposed, again);
        dense_of(list, false, expected);
        dense_of(again, false, got);
        assert_memory_equal(got, expected, sizeof got);
        check_order(again);
    }
    eg_sparse_free(again);
    eg_sparse_free(transposed);
    eg_sparse_free(list);
}

/** Without the transpose, the bits of the product with it: rows of one entry, of many, of none; in
 *  both widths. Nothing of an earlier product is left in scratch. */
static void scatters_as_it_transposes(void **state)
{
    (void)state;
    if (!eg_sparse_scatters()) {
        skip();
    }
    static const size_t widths[] = {EG_SPARSE_NARROW, EG_SCATTER_WIDTH};
    eg_sparse *list = ragged(3);
    eg_sparse *transposed = NULL;
    static eg_real expected[COLUMNS * EG_SCATTER_WIDTH];
    static eg_real got[COLUMNS * EG_SCATTER_WIDTH];
    eg_real m[ROWS * EG_SCATTER_WIDTH];
    assert_ok(eg_sparse_create(&transposed, COLUMNS, ROWS));
    eg_sparse_transpose(list, transposed);
    for (size_t i = 0; i < 2 * EG_COUNT(widths); i++) {
        size_t width = widths[i % 2];
        eg_real *scratch = NULL;
        assert_ok(eg_alloc(&scratch, eg_sparse_scatter_room(COLUMNS, width), sizeof *scratch));
        random_panel(i, ROWS * width, m);
        eg_sparse_product(transposed, width, m, expected);
        eg_sparse_scatter(list, width, m, scratch);
        memset(got, 1, sizeof got);
        for (size_t first = 0; first < COLUMNS; first += 100) {
            size_t left = COLUMNS - first;
            eg_sparse_scattered(COLUMNS, width, first, left < 100 ? left : 100, scratch,
                                got + first * width);
        }
        assert_memory_equal(got, expected, COLUMNS * width * sizeof *got);
        eg_free(scratch);
    }
    eg_sparse_free(transposed);
    eg_sparse_free(list);
}

/* Seven rows: one group of four and three single ones. Lane l of row i is i + l. */
static void panel_sums(void **state)
{
    (void)state;
    enum { N = 7, W = EG_SPARSE_STEP };
    eg_real w[N * W];
    eg_real a[N];
    eg_real mean[W];
    eg_real sum[W];
    for (size_t i = 0; i < N; i++) {
        a[i] = (eg_real)i;
        for (size_t l = 0; l < W; l++) {
            w[i * W + l] = (eg_real)(i + l);
            mean[l] = (eg_real)(l + 3);
        }
    }
    eg_panel_sums(N, W, w, sum);
    assert_close((double)sum[2], 21.0 + 14.0, 0.0);
    eg_panel_squares(N, W, w, mean, sum);
    assert_close((double)sum[2], 28.0, 0.0); /* 9 + 4 + 1 + 0 + 1 + 4 + 9 */
    eg_panel_weighted(N, W, a, w, sum);
    assert_close((double)sum[2], 91.0 + 2.0 * 21.0, 0.0);
}

static void out_of_memory(void **state)
{
    (void)state;
    eg_sparse *list = NULL;
    size_t before = eg_memory_live_blocks();
    size_t failures = 0;
    while (list == NULL) {
        eg_memory_fail_after(failures + 1);
        eg_status status = eg_sparse_create(&list, ROWS, COLUMNS);
        eg_memory_fail_after(0);
        if (!eg_is_ok(&status)) {
            assert_int_equal(status.code, EG_MEMORY);
            assert_null(list);
            assert_int_equal(eg_memory_live_blocks(), before);
            failures++;
        }
    }
    assert_int_equal(failures, 4); /* the matrix and its three arrays */
    eg_sparse_free(list);
    eg_sparse_free(NULL);
    assert_int_equal(eg_memory_live_blocks(), before);
    assert_fails(eg_sparse_create(&list, 100000, 100000), EG_INVALID, "100000 x 100000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_in_every_width),
        cmocka_unit_test(product_by_hand),
        cmocka_unit_test(rows_anywhere),
        cmocka_unit_test(equal_blocks),
        cmocka_unit_test(bytes_by_every_lister),
        cmocka_unit_test(transposes),
        cmocka_unit_test(scatters_as_it_transposes),
        cmocka_unit_test(panel_sums),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
