/** Singular values of a matrix, and the ranks that are told from them.
 *
 *  With sigma_1 >= sigma_2 >= … and p_k = sigma_k / sum sigma (Dohare et al. 2024, Nature 632):
 *
 *      effective rank    exp(-sum_k p_k ln p_k), p_k = 0 left out   (Roy and Vetterli 2007)
 *      stable rank       least k with (sigma_1 + … + sigma_k) / sum sigma >= 0.99
 *      approximate rank  the same of sigma^2
 *
 *  A matrix of zeros has rank 0 in all three; with a value that is not finite they are NaN. */
#ifndef ENGRAM_MATH_SPECTRUM_H
#define ENGRAM_MATH_SPECTRUM_H

#include "engram/status.h"

#include <stddef.h>

/** Room for matrices of up to so many rows and columns. */
typedef struct eg_spectrum {
    double *a;     /**< [rows, columns] the matrix, packed; overwritten by eg_spectrum_of */
    double *sigma; /**< [count] descending */
    size_t count;  /**< min(rows, columns) of the last matrix */
    double *work;  /**< LAPACK's */
    int work_size;
    int *integers; /**< LAPACK's */
} eg_spectrum;

/** Errors: EG_MEMORY. On failure there is nothing to clear. */
eg_status eg_spectrum_init(eg_spectrum *out, size_t rows, size_t columns) EG_WARN_UNUSED;
void eg_spectrum_clear(eg_spectrum *spectrum);
/** Singular values of spectrum->a [rows, columns]; all NaN if a value of it is not finite.
 * Allocates nothing. Errors: EG_SYSTEM if LAPACK's iteration does not converge. */
eg_status eg_spectrum_of(eg_spectrum *spectrum, size_t rows, size_t columns) EG_WARN_UNUSED;

/* Of sigma [n], descending. */

double eg_spectrum_effective_rank(const double *sigma, size_t n);
double eg_spectrum_stable_rank(const double *sigma, size_t n);
double eg_spectrum_approximate_rank(const double *sigma, size_t n);

#endif
