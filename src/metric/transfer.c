/** Summaries of the accuracy matrix; see engram/metric.h. */
#include "engram/metric.h"

#include <math.h>

/** Best accuracy on `task` over the phases before the last, NaN if none was measured. */
static double best_before(const double *matrix, size_t stride, size_t phases, size_t task)
{
    double best = (double)NAN;
    for (size_t i = 0; i + 1 < phases; i++) {
        best = fmax(best, matrix[i * stride + task]); /* fmax passes over NaN */
    }
    return best;
}

static double forward_transfer(const double *matrix, size_t stride, size_t tasks,
                               const double *untrained)
{
    double sum = 0;
    for (size_t j = 1; j < tasks; j++) {
        sum += matrix[(j - 1) * stride + j] - untrained[j];
    }
    return sum / (double)(tasks - 1);
}

eg_transfer eg_transfer_of(const double *matrix, size_t stride, size_t phases, size_t tasks,
                           const double *weight, const double *untrained)
{
    const double *last = matrix + (phases - 1) * stride;
    double weighted = 0;
    double total = 0;
    double plain = 0;
    for (size_t j = 0; j < tasks; j++) {
        weighted +=
            weight[j] > 0 ? weight[j] * last[j] : 0; /* a task without examples has no accuracy */
        total += weight[j];
        plain += last[j];
    }
    eg_transfer out = {.final_accuracy = weighted / total,
                       .average_accuracy = plain / (double)tasks,
                       .forgetting = (double)NAN,
                       .backward_transfer = (double)NAN,
                       .forward_transfer = (double)NAN};
    if (phases == tasks && tasks > 1) {
        double forgetting = 0;
        double transfer = 0;
        for (size_t j = 0; j + 1 < tasks; j++) {
            forgetting += best_before(matrix, stride, phases, j) - last[j];
            transfer += last[j] - matrix[j * stride + j];
        }
        out.forgetting = forgetting / (double)(tasks - 1);
        out.backward_transfer = transfer / (double)(tasks - 1);
        if (untrained != NULL) {
            out.forward_transfer = forward_transfer(matrix, stride, tasks, untrained);
        }
    }
    return out;
}
