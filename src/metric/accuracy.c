/** Classification accuracy; see engram/metric.h. */
#include "engram/metric.h"

#include <math.h>
#include <stdbool.h>

static bool is_correct_among_all(size_t n, const eg_real *row, uint32_t label)
{
    size_t best = 0;
    bool valid = true;
    for (size_t j = 0; j < n; j++) {
        if (isnan(row[j])) {
            valid = false;
        } else if (row[j] > row[best]) {
            best = j;
        }
    }
    return valid && best == label;
}

static bool is_correct_among_active(const eg_active *active, const eg_real *row, uint32_t label)
{
    uint32_t best = active->output[0];
    bool valid = true;
    for (size_t k = 0; k < active->count; k++) {
        uint32_t j = active->output[k];
        valid = valid && !isnan(row[j]);
        best = row[j] > row[best] ? j : best;
    }
    return valid && best == label;
}

static bool is_correct(size_t n, const eg_real *row, uint32_t label, const eg_active *active)
{
    return active == NULL ? is_correct_among_all(n, row, label)
                          : is_correct_among_active(active, row, label);
}

size_t eg_count_correct(size_t rows, size_t n, const eg_real *scores, const uint32_t *label,
                        const eg_active *active)
{
    size_t correct = 0;
    for (size_t b = 0; b < rows; b++) {
        correct += is_correct(n, scores + b * n, label[b], active) ? 1 : 0;
    }
    return correct;
}

size_t eg_count_correct_batch(const eg_batch *batch, size_t n, const eg_real *scores)
{
    size_t correct = 0;
    const size_t positions = batch->positions > 0 ? batch->positions : 1;
    for (size_t b = 0; b < batch->size; b++) {
        const size_t first = b * positions;
        correct += eg_count_correct(positions, n, scores + first * n, batch->label + first,
                                    eg_batch_active(batch, b));
    }
    return correct;
}

double eg_correct_examples(const eg_batch *batch, size_t n, const eg_real *scores)
{
    const size_t positions = eg_batch_rows(batch) / batch->size;
    return (double)eg_count_correct_batch(batch, n, scores) / (double)positions;
}

size_t eg_count_correct_of(size_t rows, size_t n, const eg_real *scores, const uint32_t *label,
                           const eg_active *active, size_t *examples_of, size_t *correct_of)
{
    size_t correct = 0;
    for (size_t b = 0; b < rows; b++) {
        size_t right = is_correct(n, scores + b * n, label[b], active) ? 1 : 0;
        examples_of[label[b]]++;
        correct_of[label[b]] += right;
        correct += right;
    }
    return correct;
}
