/** Products of small matrices against plain loops, for sizes with and without whole registers. */
#include "testing.h"

#include "engram/random.h"
#include "math/shared/small_product.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
