/** Packing the active columns for any loss; see learner/masked_loss.h. */
#include "learner/masked_loss.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

eg_status eg_masked_loss_init(eg_masked_loss *out, size_t batch, size_t outputs)
{
    EG_TRY(eg_alloc(&out->y, batch * outputs, sizeof *out->y));
    EG_TRY(eg_alloc(&out->dy, batch * outputs, sizeof *out->dy));
    return eg_alloc(&out->label, batch, sizeof *out->label);
}

void eg_masked_loss_clear(eg_masked_loss *masked)
{
    eg_free(masked->y);
    eg_free(masked->dy);
    eg_free(masked->label);
    *masked = (eg_masked_loss){0};
}

bool eg_masked_pack(eg_masked_loss *masked, const eg_active *active, size_t size, size_t outputs,
                    const eg_real *y, const uint32_t *label)
{
    size_t n = active->count;
    for (size_t b = 0; b < size; b++) {
        size_t place = eg_active_place(active, label[b]);
        if (place == n) {
            return false;
        }
        masked->label[b] = (uint32_t)place;
        for (size_t k = 0; k < n; k++) {
            masked->y[b * n + k] = y[b * outputs + active->output[k]];
        }
    }
    return true;
}

void eg_masked_unpack(const eg_masked_loss *masked, const eg_active *active, size_t size,
                      size_t outputs, eg_real *dy)
{
    size_t n = active->count;
    memset(dy, 0, size * outputs * sizeof *dy);
    for (size_t b = 0; b < size; b++) {
        for (size_t k = 0; k < n; k++) {
            dy[b * outputs + active->output[k]] = masked->dy[b * n + k];
        }
    }
}

/* Every example has active outputs of its own: the mean of their losses, one by one. */
static double mixed_loss(eg_masked_loss *masked, const eg_loss *loss, const eg_batch *batch,
                         size_t outputs, const eg_real *y, eg_real *dy)
{
    double sum = 0;
    const size_t rows = eg_batch_rows(batch);
    for (size_t b = 0; b < rows; b++) {
        const eg_active *active = eg_batch_active(batch, b * batch->size / rows);
        if (!eg_masked_pack(masked, active, 1, outputs, y + b * outputs, batch->label + b)) {
            return (double)NAN;
        }
        sum += loss->evaluate(1, active->count, masked->y, masked->label, NULL, masked->dy);
        for (size_t k = 0; k < active->count; k++) {
            masked->dy[k] /= (eg_real)rows;
        }
        eg_masked_unpack(masked, active, 1, outputs, dy + b * outputs);
    }
    return sum / (double)rows;
}

double eg_masked_loss_of(eg_masked_loss *masked, const eg_loss *loss, const eg_batch *batch,
                         size_t outputs, const eg_real *y, eg_real *dy)
{
    const eg_active *active = batch->active;
    const size_t rows = eg_batch_rows(batch);
    if (batch->row_task != NULL) {
        return mixed_loss(masked, loss, batch, outputs, y, dy);
    }
    if (!eg_masked_pack(masked, active, rows, outputs, y, batch->label)) {
        return (double)NAN;
    }
    double mean = loss->evaluate(rows, active->count, masked->y, masked->label, NULL, masked->dy);
    eg_masked_unpack(masked, active, rows, outputs, dy);
    return mean;
}
