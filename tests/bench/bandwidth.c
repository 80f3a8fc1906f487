/** How fast memory is read, and read and written in place, in rows that lie anywhere: what a network of
 *  2000 units per layer does that learns example by example. Prints one line: bytes per second of processor time
 *  of reading half the rows of a matrix of 16 MB, and of changing half the rows of another one (counted twice).
 *  The matrices take turns: together they are as large as the weights of that network. */
#include "engram/memory.h"
#include "engram/random.h"
#include "math/shared/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 2000, MATRICES = 3, REPEATS = 120 };

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *memory(size_t count, size_t size)
{
    void *out = NULL;
    eg_status status = eg_alloc(&out, count, size);
    if (!eg_is_ok(&status)) {
        (void)fprintf(stderr, "bandwidth: %s\n", status.message);
        exit(4);
    }
    return out;
}

int main(void)
{
    eg_rng rng = eg_rng_make(1, EG_PURPOSE_TEST, 0);
    eg_real *w = memory((size_t)MATRICES * ROWS * ROWS, sizeof *w);
    eg_real *a = memory(ROWS, sizeof *a);
    eg_real *d = memory(ROWS, sizeof *d);
    uint32_t *row = memory(ROWS, sizeof *row);
    const eg_rows_step step = {.lr = (eg_real)1e-9, .bound = INFINITY, .shrink = 1};
    size_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        a[i] = 1;
        row[count] = i;
        count += eg_rng_below(&rng, 2);
    }
    double reading = 0;
    double changing = 0;
    for (size_t r = 0; r < REPEATS; r++) {
        eg_real *at = w + r % MATRICES * ROWS * ROWS;
        eg_real *other = w + (r + 1) % MATRICES * ROWS * ROWS;
        double start = now();
        eg_rows_product(count, row, a, ROWS, at, d);
        double middle = now();
        eg_rows_descend(&step, count, row, a, ROWS, d, other);
        reading += r >= MATRICES ? middle - start : 0;
        changing += r >= MATRICES ? now() - middle : 0;
    }
    double bytes = (double)(REPEATS - MATRICES) * (double)count * ROWS * sizeof *w;
    (void)printf("%.4g %.4g\n", bytes / reading, 2 * bytes / changing);
    eg_free(w);
    eg_free(a);
    eg_free(d);
    eg_free(row);
    return 0;
}
