/** Predictions of several learners; see learner/combination.h. */
#include "learner/combination.h"

#include "engram/params.h"
#include "math/shared/elementary.h"

#include <math.h>

const char *const eg_combination_names[] = {
    [EG_COMBINATION_PROBABILITIES] = "probabilities",
    [EG_COMBINATION_SCORES] = "scores",
    [EG_COMBINATION_VOTES] = "votes",
    NULL,
};

/* y <- softmax over the active outputs; the others become 0. */
static void soften(size_t n, const eg_active *active, eg_real *y)
{
    size_t count = active != NULL ? active->count : n;
    eg_real top = -(eg_real)INFINITY;
    eg_real sum = 0;
    for (size_t k = 0; k < count; k++) {
        size_t j = active != NULL ? active->output[k] : k;
        top = y[j] > top ? y[j] : top;
    }
    for (size_t j = 0; j < n; j++) {
        bool takes_part = active == NULL || eg_active_place(active, (uint32_t)j) < active->count;
        y[j] = takes_part ? eg_exp(y[j] - top) : 0;
        sum += y[j];
    }
    for (size_t j = 0; j < n; j++) {
        y[j] /= sum;
    }
}

/* One vote for the most probable output: the whole part of a score counts votes, what is behind it
 * is half the largest probability among them. */
static void vote(size_t n, const eg_real *probability, eg_real *scores)
{
    size_t best = 0;
    for (size_t j = 1; j < n; j++) {
        best = probability[j] > probability[best] ? j : best;
    }
    eg_real votes = (eg_real)floor((double)scores[best]);
    eg_real surest = scores[best] - votes;
    eg_real own = probability[best] / 2;
    scores[best] = votes + 1 + (own > surest ? own : surest);
}

void eg_combination_add(eg_combination rule, size_t members, const eg_batch *batch, size_t outputs,
                        eg_real *own, eg_real *scores)
{
    const size_t rows = eg_batch_rows(batch);
    for (size_t b = 0; rule != EG_COMBINATION_SCORES && b < rows; b++) {
        soften(outputs, batch->active, own + b * outputs);
    }
    if (rule == EG_COMBINATION_VOTES) {
        for (size_t b = 0; b < rows; b++) {
            vote(outputs, own + b * outputs, scores + b * outputs);
        }
        return;
    }
    for (size_t k = 0; k < rows * outputs; k++) {
        scores[k] += own[k] / (eg_real)members;
    }
}
