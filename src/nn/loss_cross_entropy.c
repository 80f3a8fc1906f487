/** Softmax over all outputs and cross-entropy with one label per example. */
#include "engram/loss.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>

/* Rows are short: a group of them is one loop, which is long enough to vectorise well. */
enum { GROUP = 32 };

EG_CLONES static void exponentials(size_t n, eg_real *x)
{
    for (size_t i = 0; i < n; i++) {
        x[i] = eg_exp(x[i]); /* NaN and infinity reach the sum, so the loss */
    }
}

/* dy [n] = y less the largest y, so that nothing overflows. */
static void lower(size_t n, const eg_real *restrict y, eg_real *restrict dy)
{
    eg_real largest = y[0];
    for (size_t j = 1; j < n; j++) {
        largest = y[j] > largest ? y[j] : largest;
    }
    for (size_t j = 0; j < n; j++) {
        dy[j] = y[j] - largest;
    }
}

/* From dy [n] = exp(y - largest) the gradient of one example; returns the sum. */
static eg_real differentiate(size_t n, uint32_t label, eg_real share, eg_real *dy)
{
    eg_real sum = 0;
    for (size_t j = 0; j < n; j++) {
        sum += dy[j];
    }
    for (size_t j = 0; j < n; j++) {
        dy[j] /= sum;
    }
    dy[label] -= 1;
    for (size_t j = 0; j < n; j++) {
        dy[j] *= share;
    }
    return sum;
}

/* The loss of an example is log sum_j exp(y_j) - y_label; dy becomes softmax(y) first. */
static double evaluate(size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                       const eg_real *target, eg_real *dy)
{
    (void)target;
    assert(label != NULL);
    double total = 0.0;
    eg_real share = 1 / (eg_real)batch;
    for (size_t first = 0; first < batch; first += GROUP) {
        size_t rows = batch - first < GROUP ? batch - first : GROUP;
        eg_real of_label[GROUP];
        for (size_t r = 0; r < rows; r++) {
            size_t b = first + r;
            assert(label[b] < n);
            lower(n, y + b * n, dy + b * n);
            of_label[r] = dy[b * n + label[b]];
        }
        exponentials(rows * n, dy + first * n);
        for (size_t r = 0; r < rows; r++) {
            size_t b = first + r;
            eg_real sum = differentiate(n, label[b], share, dy + b * n);
            total += log((double)sum) - (double)of_label[r];
        }
    }
    return total / (double)batch;
}

const eg_loss eg_loss_cross_entropy = {
    .component = {.name = "cross_entropy",
                  .doc = "-log softmax(y)[label], softmax over all outputs"},
    .evaluate = evaluate,
};
