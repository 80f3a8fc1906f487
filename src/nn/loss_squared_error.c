/** Squared error of all outputs; a label stands for the target 1 at its output and 0 at the others.
 *
 *      loss      1/B sum_b sum_j (y[b,j] - t[b,j])^2
 *      dy[b,j]   2/B (y[b,j] - t[b,j])
 *
 *  There is no factor 1/2. */
#include "engram/loss.h"

static double evaluate(size_t batch, size_t n, const eg_real *y, const uint32_t *label,
                       const eg_real *target, eg_real *dy)
{
    double total = 0.0;
    eg_real share = 2 / (eg_real)batch;
    for (size_t b = 0; b < batch; b++) {
        for (size_t j = 0; j < n; j++) {
            size_t i = b * n + j;
            eg_real wanted = target != NULL ? target[i] : (eg_real)(label[b] == j ? 1 : 0);
            eg_real error = y[i] - wanted;
            total += (double)error * (double)error;
            dy[i] = share * error;
        }
    }
    return total / (double)batch;
}

const eg_loss eg_loss_squared_error = {
    .component = {.name = "squared_error",
                  .doc = "sum over the outputs of (y - target)^2; a label is 1 at its output and 0 "
                         "at the others"},
    .takes_targets = true,
    .evaluate = evaluate,
};
