/** Sums of losses over experts; see learner/growth_losses.h. */
#include "learner/growth_losses.h"

#include "engram/memory.h"
#include "learner/held_out.h"
#include "nn/shared/switch_layers.h"

#include <math.h>

eg_status eg_growth_losses_init(eg_growth_losses *out, eg_gradient_learner *learner,
                                const eg_stream_shape *shape)
{
    const size_t rows = shape->batch * eg_stream_positions(shape);
    *out = (eg_growth_losses){.learner = learner,
                              .batch = shape->batch,
                              .outputs = shape->outputs,
                              .layers = eg_switch_layer_count(learner->net),
                              .experts = eg_switch_layer_at(learner->net, 0).experts};
    EG_TRY(eg_alloc(&out->sum, out->layers, out->experts * sizeof *out->sum));
    EG_TRY(eg_alloc(&out->chosen, rows, sizeof *out->chosen));
    return eg_alloc(&out->row, rows, sizeof *out->row);
}

void eg_growth_losses_clear(eg_growth_losses *losses)
{
    eg_free(losses->sum);
    eg_free(losses->chosen);
    eg_free(losses->row);
    *losses = (eg_growth_losses){.sum = NULL};
}

/* The loss of row r of a block. */
static double loss_of(eg_growth_losses *losses, const eg_batch *block, const eg_real *y, size_t r)
{
    eg_gradient_learner *learner = losses->learner;
    const eg_real *scores = y + r * losses->outputs;
    eg_batch one = *block;
    one.size = 1;
    one.positions = 1;
    one.label = block->label + r;
    return one.active != NULL
               ? eg_masked_loss_of(&learner->masked, learner->loss, &one, losses->outputs, scores,
                                   learner->dy)
               : learner->loss->evaluate(1, losses->outputs, scores, one.label, NULL, learner->dy);
}

static void add_block(eg_growth_losses *losses, const eg_batch *block)
{
    eg_gradient_learner *learner = losses->learner;
    const size_t rows = eg_batch_rows(block);
    const eg_real *y =
        eg_net_forward(learner->net, learner->training, EG_MODE_PROBE, block->size, block->x, NULL);
    for (size_t r = 0; r < rows; r++) {
        losses->row[r] = loss_of(losses, block, y, r);
        losses->loss += losses->row[r];
    }
    losses->rows += (double)rows;
    losses->examples += (double)block->size;
    for (size_t l = 0; l < losses->layers; l++) {
        eg_switch_layer_chosen(learner->net, learner->training, l, losses->chosen);
        for (size_t r = 0; r < rows; r++) {
            losses->sum[l * losses->experts + losses->chosen[r]] += losses->row[r];
        }
    }
}

void eg_growth_losses_add(eg_growth_losses *losses, eg_cursor *cursor, size_t phase)
{
    const eg_stream *stream = losses->learner->stream;
    const eg_held_out_sets sets = eg_held_out_of(stream, phase);
    const eg_phase about = eg_stream_phase(stream, phase);
    for (size_t set = sets.first; set < sets.end; set++) {
        const size_t count = eg_stream_count(stream, EG_SUBSET_VALIDATION, set);
        for (size_t first = about.held_out_before; first < count; first += losses->batch) {
            const size_t left = count - first;
            eg_batch block;
            eg_cursor_examples(cursor, EG_SUBSET_VALIDATION, set, first,
                               left < losses->batch ? left : losses->batch, &block);
            block.active = block.active != NULL ? block.active : about.active;
            add_block(losses, &block);
        }
    }
}

void eg_growth_losses_choose(const double *sum, size_t experts, size_t add, size_t *source)
{
    for (size_t i = 0; i < add; i++) {
        size_t best = experts;
        for (size_t e = 0; e < experts; e++) {
            bool taken = false;
            for (size_t k = 0; k < i; k++) {
                taken = taken || source[k] == e;
            }
            const bool larger =
                best == experts || sum[e] > sum[best] || (isnan(sum[e]) && !isnan(sum[best]));
            best = !taken && larger ? e : best;
        }
        source[i] = best;
    }
}
