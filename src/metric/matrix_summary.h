/** Summaries of an accuracy matrix R, where R[i,j] is the accuracy on task j after phase i, from
 *  its rows as they come: of thousands of tasks no matrix is kept.
 *
 *      n_j  examples of task j        T  phases        N  tasks
 *      b_j  accuracy on task j before anything was learned
 *
 *      final accuracy      sum_j n_j R[T-1,j] / sum_j n_j
 *      average accuracy    mean_j R[T-1,j]
 *      forgetting          mean_{j < T-1} max_{i < T-1} R[i,j] - R[T-1,j]
 *      backward transfer   mean_{j < T-1} R[T-1,j] - R[j,j]
 *      forward transfer    mean_{j > 0}   R[j-1,j] - b_j
 *
 *  Entries not measured are NaN: maxima pass over them, everything else they touch becomes NaN. The
 *  last three need phase j to teach task j: NaN unless T == N > 1. */
#ifndef METRIC_MATRIX_SUMMARY_H
#define METRIC_MATRIX_SUMMARY_H

#include "engram/pack.h"
#include "engram/status.h"

#include <stddef.h>

typedef struct eg_matrix_summary {
    size_t phases, tasks; /**< T, N */
    double *weight;       /**< [N] n_j */
    double *untrained;    /**< [N] b_j */
    double *last;         /**< [N] R[T-1,j] */
    double *best;         /**< [N] max_{i < T-1} R[i,j] */
    double *own;          /**< [N] R[j,j] */
    double *before;       /**< [N] R[j-1,j] */
} eg_matrix_summary;

/** All NaN, weights 0, for the caller to fill. On failure the caller still clears it. */
eg_status eg_matrix_summary_init(eg_matrix_summary *out, size_t phases,
                                 size_t tasks) EG_WARN_UNUSED;
void eg_matrix_summary_clear(eg_matrix_summary *summary);
/** Row `phase` of R: accuracy [at least N]. Rows from T on are passed over. */
void eg_matrix_summary_add(eg_matrix_summary *summary, size_t phase, const double *accuracy);

double eg_final_accuracy(const eg_matrix_summary *summary);
double eg_average_accuracy(const eg_matrix_summary *summary);
/** Chaudhry et al. 2018, eq. 3. */
double eg_forgetting(const eg_matrix_summary *summary);
/** Lopez-Paz & Ranzato 2017, eq. 3. */
double eg_backward_transfer(const eg_matrix_summary *summary);
/** Lopez-Paz & Ranzato 2017, eq. 4. */
double eg_forward_transfer(const eg_matrix_summary *summary);

/** All but the weights. */
void eg_matrix_summary_write(const eg_matrix_summary *summary, eg_writer *writer);
eg_status eg_matrix_summary_read(eg_matrix_summary *summary, eg_reader *reader) EG_WARN_UNUSED;

#endif
