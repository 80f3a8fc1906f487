/** What the machine allows for the benchmark's network, 784 - 1000 - 10 with minibatches of 64: the
 *  dense matrix products at the rate OpenBLAS reaches at exactly these shapes, and one pass over the
 *  weights and an optimizer state of the same size at the speed of memory.
 *
 *  Prints one line: seconds of the products of a training step, seconds of the products of one
 * evaluated example, seconds of a pass over weights and one state, the rate of the products of a
 * step in GFLOP/s, the processor whose kernels OpenBLAS uses. */
#include "engram/blas.h"
#include "engram/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 64, BLOCK = 500, IN = 784, HIDDEN = 1000, OUT = 10, REPEATS = 200 };

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct arrays {
    eg_real *x, *w1, *hidden, *w2, *y, *state;
} arrays;

static eg_real *filled(size_t n)
{
    eg_real *out = NULL;
    eg_status status = eg_alloc(&out, n, sizeof *out);
    if (!eg_is_ok(&status)) {
        (void)fprintf(stderr, "roofline: %s\n", status.message);
        exit(4);
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = (eg_real)(i % 7) / 7;
    }
    return out;
}

/* hidden = x w1', y = hidden w2' */
static void forward(const arrays *a, size_t batch)
{
    eg_gemm(false, true, batch, HIDDEN, IN, 1, a->x, IN, a->w1, IN, 0, a->hidden, HIDDEN);
    eg_gemm(false, true, batch, OUT, HIDDEN, 1, a->hidden, HIDDEN, a->w2, HIDDEN, 0, a->y, OUT);
}

static void step(const arrays *a)
{
    forward(a, BATCH);
    eg_gemm(true, false, OUT, HIDDEN, BATCH, 1, a->y, OUT, a->hidden, HIDDEN, 0, a->w2, HIDDEN);
    eg_gemm(false, false, BATCH, HIDDEN, OUT, 1, a->y, OUT, a->w2, HIDDEN, 0, a->hidden, HIDDEN);
    eg_gemm(true, false, HIDDEN, IN, BATCH, 1, a->hidden, HIDDEN, a->x, IN, 0, a->w1, IN);
}

static void update(const arrays *a)
{
    for (size_t i = 0; i < (size_t)HIDDEN * IN; i++) {
        a->state[i] += a->w1[i];
        a->w1[i] -= a->state[i];
    }
}

/* Undoes what growing numbers would do to the speed of arithmetic. */
static void clear(const arrays *a)
{
    for (size_t i = 0; i < (size_t)HIDDEN * IN; i++) {
        a->w1[i] = a->state[i] = (eg_real)(i % 7) / 7;
    }
    for (size_t i = 0; i < (size_t)HIDDEN * OUT; i++) {
        a->w2[i] = (eg_real)(i % 7) / 7;
    }
}

int main(void)
{
    eg_blas_set_threads(1);
    const arrays a = {.x = filled(BLOCK * IN),
                      .w1 = filled(HIDDEN * IN),
                      .hidden = filled(BLOCK * HIDDEN),
                      .w2 = filled(HIDDEN * OUT),
                      .y = filled(BLOCK * OUT),
                      .state = filled(HIDDEN * IN)};
    double steps = 0.0;
    double evaluations = 0.0;
    double updates = 0.0;
    for (size_t i = 0; i < REPEATS; i++) {
        clear(&a);
        double start = now();
        step(&a);
        steps += now() - start;
        clear(&a);
        start = now();
        update(&a);
        updates += now() - start;
    }
    for (size_t i = 0; i < REPEATS / 10; i++) {
        double start = now();
        forward(&a, BLOCK);
        evaluations += now() - start;
    }
    double work = BATCH * 2.0 * (2.0 * IN * HIDDEN + 3.0 * HIDDEN * OUT);
    (void)printf("%.9f %.9f %.9f %.1f %s\n", steps / REPEATS, evaluations / (REPEATS / 10) / BLOCK,
                 updates / REPEATS, work / (steps / REPEATS) / 1e9, eg_blas_core());
    eg_free(a.x);
    eg_free(a.w1);
    eg_free(a.hidden);
    eg_free(a.w2);
    eg_free(a.y);
    eg_free(a.state);
    return 0;
}
