/** The thin layer over CBLAS: one place for the conversion of sizes to BLAS integers, one for
 * threads. */
#ifndef ENGRAM_BLAS_H
#define ENGRAM_BLAS_H

#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** C[m,n] = alpha * op(A) op(B) + beta * C, row-major, op(A) is [m,k], op(B) is [k,n].
 *  lda, ldb, ldc: elements from one stored row to the next. Arrays must not overlap. */
void eg_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, eg_real alpha,
             const eg_real *a, size_t lda, const eg_real *b, size_t ldb, eg_real beta, eg_real *c,
             size_t ldc);

/** sum_i x[i]*y[i] */
eg_real eg_dot(size_t n, const eg_real *x, const eg_real *y);

/** Threads BLAS may use in this process (1 by default in engram; results depend on it). */
void eg_blas_set_threads(int threads);

/** Address space for the working buffers of that many calls at once is free. OpenBLAS asks for it
 *  again and again until it gets it, for ever where it never does (ulimit -v). */
bool eg_blas_has_room(int buffers);
/** Threads that OpenBLAS started when it was loaded; each takes a buffer. */
int eg_blas_threads(void);
/** Before the first product: one thread, and its buffer, which it keeps. Errors: EG_MEMORY where
 *  there is no room. */
eg_status eg_blas_prepare(void) EG_WARN_UNUSED;

/** Name of the kernel family OpenBLAS picked for this processor, e.g. "Haswell". */
const char *eg_blas_core(void);
/** OpenBLAS version and build options. */
const char *eg_blas_config(void);

/** Measured rate of C[64,1000] = A[64,784] B[1000,784]^T in floating-point operations per second
 *  (about 50 ms), for cost estimates. Returns 0 if memory is short. */
double eg_blas_probe(void);

#endif
