/** Sums of |w| over the columns of a matrix of parameters, kept up by the updates that change it.
 *
 *  Who needs them after every update need not read the whole matrix then: an update that knows the
 *  gradient in factors (eg_outer_gradient) changes few of its rows, and adds the change of |w| in
 *  the same pass. */
#ifndef ENGRAM_COLUMN_MAGNITUDES_H
#define ENGRAM_COLUMN_MAGNITUDES_H

#include <stdbool.h>
#include <stddef.h>

/** Of a whole block of parameters, a matrix by rows. Owned by who needs it, who fills the sums and
 *  takes `lost` back; an optimizer follows it (eg_optimizer_follow). */
typedef struct eg_column_magnitudes {
    size_t first, rows, width; /**< parameter first + r*width + c is w[r, c] */
    double *sum;               /**< [width] sum_r |w[r, c]|, but for rounding */
    /** Set by updates that change the matrix and not the sums. Whoever changes parameters otherwise
     *  says so by eg_net_touch. */
    bool lost;
    struct eg_column_magnitudes *next; /**< the optimizer's */
} eg_column_magnitudes;

#endif
