/** The only file that includes cblas.h; see engram/blas.h. */
#include "engram/blas.h"

#include "engram/memory.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <time.h>

/* BLAS counts in int. A matrix that large is a mistake in the program: settings bound every width.
 */
static int to_int(size_t n)
{
    assert(n <= INT_MAX);
    return (int)n;
}

void eg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, eg_real alpha,
             const eg_real *a, size_t lda, const eg_real *b, size_t ldb, eg_real beta, eg_real *c,
             size_t ldc)
{
    CBLAS_TRANSPOSE op_a = transpose_a ? CblasTrans : CblasNoTrans;
    CBLAS_TRANSPOSE op_b = transpose_b ? CblasTrans : CblasNoTrans;
#ifdef EG_REAL_DOUBLE
    cblas_dgemm(CblasRowMajor, op_a, op_b, to_int(m), to_int(n), to_int(k), alpha, a, to_int(lda),
                b, to_int(ldb), beta, c, to_int(ldc));
#else
    cblas_sgemm(CblasRowMajor, op_a, op_b, to_int(m), to_int(n), to_int(k), alpha, a, to_int(lda),
                b, to_int(ldb), beta, c, to_int(ldc));
#endif
}

eg_real eg_dot(size_t n, const eg_real *x, const eg_real *y)
{
#ifdef EG_REAL_DOUBLE
    return cblas_ddot(to_int(n), x, 1, y, 1);
#else
    return cblas_sdot(to_int(n), x, 1, y, 1);
#endif
}

void eg_blas_set_threads(int threads)
{
    assert(threads >= 1);
    openblas_set_num_threads(threads);
}

const char *eg_blas_core(void)
{
    return openblas_get_corename();
}

const char *eg_blas_config(void)
{
    return openblas_get_config();
}

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double eg_blas_probe(void)
{
    enum { M = 64, N = 1000, K = 784 };
    const double wanted_seconds = 0.05;
    eg_real *a = NULL;
    eg_real *b = NULL;
    eg_real *c = NULL;
    double rate = 0.0;
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&a, (size_t)M * K, sizeof *a));
    EG_TRY_DONE(status, eg_alloc(&b, (size_t)N * K, sizeof *b));
    EG_TRY_DONE(status, eg_alloc(&c, (size_t)M * N, sizeof *c));
    /* Plain numbers: multiplying zeros can be faster or slower than real work. */
    for (size_t i = 0; i < (size_t)M * K; i++) {
        a[i] = 1;
    }
    for (size_t i = 0; i < (size_t)N * K; i++) {
        b[i] = 1;
    }
    eg_gemm(false, true, M, N, K, 1, a, K, b, K, 0, c, N); /* warms caches and threads up */
    double calls = 0.0;
    double start = seconds_now();
    double elapsed = 0.0;
    while (elapsed < wanted_seconds) {
        eg_gemm(false, true, M, N, K, 1, a, K, b, K, 0, c, N);
        calls += 1.0;
        elapsed = seconds_now() - start;
    }
    rate = calls * 2.0 * M * N * K / elapsed;
done:
    eg_free(a);
    eg_free(b);
    eg_free(c);
    return rate;
}
