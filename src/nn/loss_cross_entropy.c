/** Softmax over all outputs and cross-entropy with one label per example. */
#include "engram/loss.h"

#include "math/shared/elementary.h"

#include <assert.h>

/* Loss of one example: log sum_j exp(y_j) - y_label, with the largest y taken out so that nothing
 * overflows. dy receives softmax(y), the caller makes it the gradient. */
static double one(size_t n, const eg_real *restrict y, uint32_t label, eg_real *restrict dy)
{
    eg_real largest = y[0];
    for (size_t j = 1; j < n; j++) {
        largest = y[j] > largest ? y[j] : largest;
    }
    eg_real sum = 0;
    for (size_t j = 0; j < n; j++) {
        dy[j] = eg_exp(y[j] - largest); /* NaN and infinity reach the sum, so the loss */
        sum += dy[j];
    }
    for (size_t j = 0; j < n; j++) {
        dy[j] /= sum;
    }
    return log((double)sum) - (double)(y[label] - largest);
}

static double evaluate(size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                       const eg_real *target, eg_real *dy)
{
    (void)target;
    assert(label != NULL);
    double total = 0.0;
    eg_real share = 1 / (eg_real)batch;
    for (size_t b = 0; b < batch; b++) {
        assert(label[b] < n);
        eg_real *row = dy + b * n;
        total += one(n, y + b * n, label[b], row);
        row[label[b]] -= 1;
        for (size_t j = 0; j < n; j++) {
            row[j] *= share;
        }
    }
    return total / (double)batch;
}

const eg_loss eg_loss_cross_entropy = {
    .component = {.name = "cross_entropy",
                  .doc = "-log softmax(y)[label], softmax over all outputs"},
    .evaluate = evaluate,
};
