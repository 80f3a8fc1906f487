/** Measures of continual learning: what a curve point and a summary mean. */
#ifndef ENGRAM_METRIC_H
#define ENGRAM_METRIC_H

#include "engram/batch.h"
#include "engram/real.h"

#include <stddef.h>
#include <stdint.h>

/** How many of the batch's examples are classified correctly: the largest of scores [batch, n] (the
 * first one among equals) is at the label. Among the active outputs only, NULL: all. A row with a NaN
 * there counts as wrong. */
size_t eg_count_correct(size_t batch, size_t n, const eg_real *scores, const uint32_t *label,
                        const eg_active *active);

/** Summary of an accuracy matrix R, where R[i,j] is the accuracy on task j after phase i. */
typedef struct eg_transfer {
    double final_accuracy;   /**< sum_j n_j R[T-1,j] / sum_j n_j: all examples count the same */
    double average_accuracy; /**< mean_j R[T-1,j]: all tasks count the same */
    /** mean over j < T-1 of max_{i < T-1} R[i,j] - R[T-1,j]. Chaudhry et al. 2018, eq. 3. NaN if T
     * = 1. */
    double forgetting;
    /** mean over j < T-1 of R[T-1,j] - R[j,j]. Lopez-Paz & Ranzato 2017, eq. 3. NaN if T = 1. */
    double backward_transfer;
    /** mean over j > 0 of R[j-1,j] - b_j, b_j the accuracy on task j before anything was learned.
     * Lopez-Paz & Ranzato 2017, eq. 4. NaN if T = 1 or b is not given. */
    double forward_transfer;
} eg_transfer;

/** Of the leading T phases and N tasks: matrix [*, stride] row-major, weight [N] = examples n_j.
 * Entries not measured are NaN: maxima pass over them, everything else they touch becomes NaN.
 * Forgetting and both transfers need phase j to teach task j: NaN unless T == N. untrained [N]: b_j, or
 * NULL. */
eg_transfer eg_transfer_of(const double *matrix, size_t stride, size_t phases, size_t tasks,
                           const double *weight, const double *untrained);

/** Mean of the last EG_WINDOW values. */
enum { EG_WINDOW = 100 };
typedef struct eg_window {
    double value[EG_WINDOW];
    size_t seen;
} eg_window;
void eg_window_add(eg_window *window, double value);
/** NaN before the first value. */
double eg_window_mean(const eg_window *window);

#endif
