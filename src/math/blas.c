/** The only file that includes cblas.h; see engram/blas.h. */
#define _DEFAULT_SOURCE /* anonymous mappings */

#include "engram/blas.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <sys/mman.h>

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

int eg_blas_threads(void)
{
    return openblas_get_num_threads();
}

/* A buffer is 128 MiB of address space on 64-bit processors (BUFFER_SIZE in OpenBLAS), of which
 * little is used. */
enum { BUFFER_MIB = 128, SPARE_MIB = 4 };

bool eg_blas_has_room(int buffers)
{
    size_t size = (size_t)(buffers * BUFFER_MIB + SPARE_MIB) << 20;
    void *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return room != MAP_FAILED && munmap(room, size) == 0;
}

eg_status eg_blas_prepare(void)
{
    /* Products of up to 100^3 multiplications may go without a buffer (kernels for small matrices,
     * on processors with AVX-512). */
    enum { N = 128 };
    eg_real *a = NULL;
    eg_real *c = NULL;
    eg_status status;
    static bool prepared;
    if (prepared) {
        return eg_ok();
    }
    openblas_set_num_threads(1);
    if (!eg_blas_has_room(1)) {
        return eg_fail(EG_MEMORY,
                       "out of memory: OpenBLAS needs %d MiB of address space for its working "
                       "buffer, and would wait for it for ever; raise the limit (ulimit -v)",
                       (int)BUFFER_MIB);
    }
    EG_TRY_DONE(status, eg_alloc(&a, (size_t)N * N, sizeof *a));
    EG_TRY_DONE(status, eg_alloc(&c, (size_t)N * N, sizeof *c));
    eg_gemm(false, false, N, N, N, 1, a, N, a, N, 0, c, N);
    prepared = true;
done:
    eg_free(a);
    eg_free(c);
    return status;
}

const char *eg_blas_core(void)
{
    return openblas_get_corename();
}

const char *eg_blas_config(void)
{
    return openblas_get_config();
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
    double start = eg_clock();
    double elapsed = 0.0;
    while (elapsed < wanted_seconds) {
        eg_gemm(false, true, M, N, K, 1, a, K, b, K, 0, c, N);
        calls += 1.0;
        elapsed = eg_clock() - start;
    }
    rate = calls * 2.0 * M * N * K / elapsed;
done:
    eg_free(a);
    eg_free(b);
    eg_free(c);
    return rate;
}
