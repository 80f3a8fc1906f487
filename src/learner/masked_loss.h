/** The loss over the active outputs of a batch alone: the others get no gradient. */
#ifndef ENGRAM_LEARNER_MASKED_LOSS_H
#define ENGRAM_LEARNER_MASKED_LOSS_H

#include "engram/batch.h"
#include "engram/loss.h"
#include "engram/status.h"

/** Room for the active columns of a minibatch; begins zero. */
typedef struct eg_masked_loss {
    eg_real *y, *dy; /**< [batch, active outputs] at most [batch, outputs] */
    uint32_t *label; /**< [batch] places among the active outputs */
} eg_masked_loss;

/** For minibatches of up to `batch` rows (eg_batch_rows). On failure the caller still clears it. */
eg_status eg_masked_loss_init(eg_masked_loss *out, size_t batch, size_t outputs) EG_WARN_UNUSED;
void eg_masked_loss_clear(eg_masked_loss *masked);

/** masked->y [size, active outputs] and masked->label from y [size, outputs] and label [size].
 *  false, and nothing to be relied on, if a label is not active. */
bool eg_masked_pack(eg_masked_loss *masked, const eg_active *active, size_t size, size_t outputs,
                    const eg_real *y, const uint32_t *label) EG_WARN_UNUSED;
/** dy [size, outputs] from masked->dy; 0 at outputs that are not active. */
void eg_masked_unpack(const eg_masked_loss *masked, const eg_active *active, size_t size,
                      size_t outputs, eg_real *dy);

/** Mean loss of a batch with labels and active outputs (of each example: eg_batch_active), and
 * its gradient dy [rows, outputs], which is 0 at outputs that are not active. y [rows, outputs].
 * NaN, and dy is undefined, if a label is not active: there is no loss then. */
double eg_masked_loss_of(eg_masked_loss *masked, const eg_loss *loss, const eg_batch *batch,
                         size_t outputs, const eg_real *y, eg_real *dy);

#endif
