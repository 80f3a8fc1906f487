/** The only file that calls LAPACK, which comes in OpenBLAS; see math/shared/spectrum.h. */
#include "math/shared/spectrum.h"

#include "engram/memory.h"

#include <assert.h>
#include <limits.h>
#include <math.h>

static const double kept_share = 0.99; /* of the sum, by stable and approximate rank */

/* Fortran: everything by address, column by column, the length of a text at the end. OpenBLAS has
 * it without a header of its own. */
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *lda, double *s,
             double *u, const int *ldu, double *vt, const int *ldvt, double *work, const int *lwork,
             int *iwork, int *info, size_t job_length);

/** Row-major [rows, columns] is column-major [columns, rows], and has the same singular values. */
static int decompose(eg_spectrum *spectrum, int rows, int columns, double *work, int work_size)
{
    double none = 0;
    const int one = 1;
    int info = 0;
    dgesdd_("N", &columns, &rows, spectrum->a, &columns, spectrum->sigma, &none, &one, &none, &one,
            work, &work_size, spectrum->integers, &info, 1);
    assert(info >= 0);
    return info;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

eg_status eg_spectrum_init(eg_spectrum *out, size_t rows, size_t columns)
{
    assert(rows >= 1 && rows <= INT_MAX && columns >= 1 && columns <= INT_MAX);
    *out = (eg_spectrum){.count = 0};
    size_t count = least(rows, columns);
    double size = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&out->a, rows * columns, sizeof *out->a));
    EG_TRY_DONE(status, eg_alloc(&out->sigma, count, sizeof *out->sigma));
    EG_TRY_DONE(status, eg_alloc(&out->integers, 8 * count, sizeof *out->integers));
    (void)decompose(out, (int)rows, (int)columns, &size, -1); /* asks for the size alone */
    out->work_size = (int)size;
    EG_TRY_DONE(status, eg_alloc(&out->work, (size_t)out->work_size, sizeof *out->work));
    return status;
done:
    eg_spectrum_clear(out);
    return status;
}

void eg_spectrum_clear(eg_spectrum *spectrum)
{
    eg_free(spectrum->a);
    eg_free(spectrum->sigma);
    eg_free(spectrum->integers);
    eg_free(spectrum->work);
    *spectrum = (eg_spectrum){.count = 0};
}

eg_status eg_spectrum_of(eg_spectrum *spectrum, size_t rows, size_t columns)
{
    spectrum->count = least(rows, columns);
    bool finite = true;
    for (size_t i = 0; i < rows * columns && finite; i++) {
        finite = isfinite(spectrum->a[i]);
    }
    for (size_t k = 0; k < spectrum->count && !finite; k++) {
        spectrum->sigma[k] = (double)NAN;
    }
    if (!finite) {
        return eg_ok();
    }
    int info = decompose(spectrum, (int)rows, (int)columns, spectrum->work, spectrum->work_size);
    return info == 0
               ? eg_ok()
               : eg_fail(EG_SYSTEM, "singular values of %zu x %zu numbers: LAPACK did not converge",
                         rows, columns);
}

static double sum_of(const double *sigma, size_t n, bool squared)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        sum += squared ? sigma[k] * sigma[k] : sigma[k];
    }
    return sum;
}

double eg_spectrum_effective_rank(const double *sigma, size_t n)
{
    double sum = sum_of(sigma, n, false);
    double entropy = 0;
    for (size_t k = 0; k < n && sum > 0; k++) {
        double p = sigma[k] / sum;
        entropy -= p > 0 ? p * log(p) : 0;
    }
    return sum == 0 ? 0 : sum > 0 ? exp(entropy) : (double)NAN;
}

/** The least k whose first k values make up the share. */
static double leading(const double *sigma, size_t n, bool squared)
{
    double sum = sum_of(sigma, n, squared);
    double part = 0;
    size_t k = 0;
    while (k < n && sum > 0 && part / sum < kept_share) {
        part += squared ? sigma[k] * sigma[k] : sigma[k];
        k++;
    }
    return sum == 0 || sum > 0 ? (double)k : (double)NAN;
}

double eg_spectrum_stable_rank(const double *sigma, size_t n)
{
    return leading(sigma, n, false);
}

double eg_spectrum_approximate_rank(const double *sigma, size_t n)
{
    return leading(sigma, n, true);
}
