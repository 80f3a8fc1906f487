/** Measures of continual learning: what a curve point and a summary mean. */
#ifndef ENGRAM_METRIC_H
#define ENGRAM_METRIC_H

#include "engram/learner.h"

#include <stddef.h>
#include <stdint.h>

/** How many rows (of a batch: eg_batch_rows) are classified correctly: the largest of scores
 * [rows, n] (the first one among equals) is at label [rows]. Among the active outputs only, NULL:
 * all. A row with a NaN there counts as wrong. */
size_t eg_count_correct(size_t rows, size_t n, const eg_real *scores, const uint32_t *label,
                        const eg_active *active);
/** The same of a minibatch, whose examples may each have active outputs of their own. */
size_t eg_count_correct_batch(const eg_batch *batch, size_t n, const eg_real *scores);
/** The same in examples: one with several positions counts as the share of them that is correct.
 *  The minibatch has examples. */
double eg_correct_examples(const eg_batch *batch, size_t n, const eg_real *scores);
/** As eg_count_correct, and counted class by class: adds to examples_of[c] the rows with label c,
 * and to correct_of[c] those of them that are classified correctly; both [n], labels are below
 * n. */
size_t eg_count_correct_of(size_t rows, size_t n, const eg_real *scores, const uint32_t *label,
                           const eg_active *active, size_t *examples_of, size_t *correct_of);

/** Sum over the rows of a batch with labels of -log p(label), of scores [rows, n]; infinite if a
 *  label is not active, NaN of EG_SCORES_OTHER. */
double eg_nll_sum(const eg_batch *batch, size_t n, const eg_real *scores, eg_scores kind);

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
