/** Products of small matrices against plain loops, for sizes with and without whole registers. */
#include "testing.h"

#include "engram/random.h"
#include "math/small_product_kernel.h"

#include <math.h>

enum { MOST = 40, ROW = MOST + 3 };

typedef struct matrices {
    eg_real a[MOST * ROW], b[MOST * ROW], c[MOST * ROW], before[MOST * ROW];
} matrices;

static void draw(matrices *m)
{
    eg_rng rng = eg_rng_make(3, EG_PURPOSE_TEST, 0);
    for (size_t i = 0; i < (size_t)MOST * ROW; i++) {
        m->a[i] = (eg_real)eg_rng_normal(&rng);
        m->b[i] = (eg_real)eg_rng_normal(&rng);
        m->c[i] = m->before[i] = (eg_real)eg_rng_normal(&rng);
    }
}

/* What is outside of C stays. */
static void check(matrices *x, size_t m, size_t n, size_t k, bool transposed, bool add)
{
    const eg_strided a = {x->a, transposed ? 1 : ROW, transposed ? ROW : 1};
    draw(x);
    eg_small_product(m, n, k, a, x->b, ROW, add, x->c, ROW);
    for (size_t i = 0; i < MOST; i++) {
        for (size_t j = 0; j < ROW; j++) {
            const eg_real before = x->before[i * ROW + j];
            if (i >= m || j >= n) {
                assert_true(x->c[i * ROW + j] == before);
                continue;
            }
            double sum = add ? (double)before : 0;
            for (size_t p = 0; p < k; p++) {
                sum += (double)x->a[i * a.row + p * a.column] * (double)x->b[p * ROW + j];
            }
            assert_close((double)x->c[i * ROW + j], sum, 1e-5);
        }
    }
}

static void products_are_right(void **state)
{
    (void)state;
    static matrices x;
    const size_t sizes[][3] = {{1, 1, 1},    {8, 16, 4}, {9, 32, 40},
                               {40, 40, 17}, {3, 5, 7},  {16, 16, 0}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (size_t form = 0; form < 4; form++) {
            check(&x, sizes[s][0], sizes[s][1], sizes[s][2], form % 2 == 1, form / 2 == 1);
        }
    }
}

/* Where the processor has both, they give the same bits. */
static void widths_of_registers_agree(void **state)
{
    (void)state;
    static matrices x;
    static matrices y;
    eg_small_product_tiles *const wide = eg_small_product_avx512();
    eg_small_product_tiles *const narrow = eg_small_product_avx2();
    const eg_strided a = {x.a, ROW, 1};
    if (wide == NULL || narrow == NULL) {
        skip();
        return;
    }
    draw(&x);
    draw(&y);
    for (size_t m = 1; m < 20; m += 6) {
        wide(m, 32, 17, a, x.b, ROW, true, x.c, ROW);
        narrow(m, 32, 17, a, x.b, ROW, true, y.c, ROW);
        assert_memory_equal(x.c, y.c, sizeof x.c);
        assert_memory_not_equal(x.c, x.before, sizeof x.c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_right),
                                       cmocka_unit_test(widths_of_registers_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
