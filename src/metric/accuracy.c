/** Classification accuracy; see engram/metric.h. */
#include "engram/metric.h"

#include <math.h>
#include <stdbool.h>

size_t eg_count_correct(size_t batch, size_t n, const eg_real *scores, const uint32_t *label)
{
    size_t correct = 0;
    for (size_t b = 0; b < batch; b++) {
        const eg_real *row = scores + b * n;
        size_t best = 0;
        bool valid = true;
        for (size_t j = 0; j < n; j++) {
            if (isnan(row[j])) {
                valid = false;
            } else if (row[j] > row[best]) {
                best = j;
            }
        }
        if (valid && best == label[b]) {
            correct++;
        }
    }
    return correct;
}
