/** The negative log-likelihood of labels; see engram/metric.h. */
#include "engram/metric.h"

#include "math/shared/elementary.h"

#include <math.h>

/* Sum of exp(y - top) over the outputs that take part, and the largest of these. */
static double sum_exponentials(size_t n, const eg_real *y, const eg_active *active, eg_real *top)
{
    const size_t count = active != NULL ? active->count : n;
    double sum = 0;
    *top = -(eg_real)INFINITY;
    for (size_t k = 0; k < count; k++) {
        const eg_real value = y[active != NULL ? active->output[k] : k];
        *top = value > *top ? value : *top;
    }
    for (size_t k = 0; k < count; k++) {
        const eg_real value = y[active != NULL ? active->output[k] : k];
        sum += isnan(value) ? (double)value : (double)eg_exp(value - *top);
    }
    return sum;
}

static double nll_of(size_t n, const eg_real *y, uint32_t label, const eg_active *active,
                     eg_scores kind)
{
    const bool takes_part = active == NULL || eg_active_place(active, label) < active->count;
    eg_real top = 0;
    if (!takes_part) {
        return (double)INFINITY;
    }
    if (kind == EG_SCORES_PROBABILITIES) {
        return -log((double)y[label]);
    }
    const double sum = sum_exponentials(n, y, active, &top);
    return log(sum) - ((double)y[label] - (double)top);
}

double eg_nll_sum(const eg_batch *batch, size_t n, const eg_real *scores, eg_scores kind)
{
    const size_t rows = eg_batch_rows(batch);
    double sum = 0;
    for (size_t b = 0; b < rows && kind != EG_SCORES_OTHER; b++) {
        const eg_active *active = eg_batch_active(batch, b * batch->size / rows);
        sum += nll_of(n, scores + b * n, batch->label[b], active, kind);
    }
    return kind == EG_SCORES_OTHER ? (double)NAN : sum;
}
