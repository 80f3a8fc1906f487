/** What learners by gradient descent have in common: a network, its passes, an optimizer, a loss,
 * and the step that joins them. */
#ifndef ENGRAM_LEARNER_GRADIENT_H
#define ENGRAM_LEARNER_GRADIENT_H

#include "engram/learner.h"
#include "engram/loss.h"
#include "engram/model.h"
#include "engram/optimizer.h"
#include "engram/units.h"
#include "learner/masked_loss.h"

/** Begins the struct of every such learner. */
typedef struct eg_gradient_learner {
    eg_learner base;
    eg_net *net;
    eg_workspace *training;
    eg_workspace *evaluation; /**< NULL while it is frozen and rests */
    size_t block;             /**< most examples of one forward of evaluation */
    eg_optimizer *optimizer;
    const eg_loss *loss;
    eg_profile *profile;       /**< borrowed, or NULL */
    const eg_stream *stream;   /**< borrowed */
    eg_real *dy;               /**< [batch, outputs] */
    eg_masked_loss masked;     /**< where batches have active outputs */
    eg_unit_observer observer; /**< of evaluation: counts in `active` */
    /** What steps add to the gradient, not to the loss of their outcome; NULL: nothing.
     *  Borrowed. */
    const eg_update_terms *terms;
    double *active;     /**< [hidden layers] share of active units in the last predict */
    uint64_t learned;   /**< examples of the minibatches of all updates */
    double extra_flops; /**< what eg_gradient_learner_extra_flops gives; who does more adds to it */
} eg_gradient_learner;

/** Fills *self (zero before) but for base.ops, for minibatches of up to `batch` examples, which may
 * come without x if they come in sparse form; `carries`: steps will have terms. On failure the
 * caller still closes it. */
eg_status eg_gradient_learner_init(eg_gradient_learner *self, const eg_learner_setup *setup,
                                   size_t batch, bool carries) EG_WARN_UNUSED;
/** The same with this network, which it takes, also on failure. */
eg_status eg_gradient_learner_init_with(eg_gradient_learner *self, const eg_learner_setup *setup,
                                        eg_net *net, size_t batch, bool carries) EG_WARN_UNUSED;
/** Puts another network, which it takes, in the place of the one there was, with a new optimizer;
 *  the arguments otherwise as before. After a failure it is only good for being cleared. */
eg_status eg_gradient_learner_put(eg_gradient_learner *self, const eg_learner_setup *setup,
                                  eg_net *net, size_t batch, bool carries) EG_WARN_UNUSED;
/** Releases what open made, not *self. */
void eg_gradient_learner_clear(eg_gradient_learner *self);

/** The mean loss of a batch, of at most as many examples as a minibatch, with outputs y [size,
 *  outputs]; fills self->dy. */
double eg_gradient_learner_loss(eg_gradient_learner *self, const eg_batch *batch, const eg_real *y);

/** Operations of eg_learner_ops for every learner that begins with an eg_gradient_learner.
 *  begin_phase: also what the phase does to the outputs, so whoever has one of its own calls it.
 *  step: forward, loss, backward, update; no update if the loss is not finite. capacity: where the
 *  one network predicts every task. write and read: the network, the optimizer and the counts of
 *  examples and extra operations. */
eg_status eg_gradient_learner_step(eg_learner *learner, const eg_batch *batch,
                                   eg_step_outcome *out);
eg_status eg_gradient_learner_begin_phase(eg_learner *learner, size_t phase);
eg_status eg_gradient_learner_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores);
void eg_gradient_learner_activity(const eg_learner *learner, double *out);
bool eg_gradient_learner_network(eg_learner *learner, size_t index, eg_learner_network *out);
void eg_gradient_learner_freeze(eg_learner *learner);
void eg_gradient_learner_rest(eg_learner *learner);
double eg_gradient_learner_flops(const eg_learner *learner);
double eg_gradient_learner_extra_flops(const eg_learner *learner);
bool eg_gradient_learner_costs(const eg_learner *learner, eg_learner_costs *out);
bool eg_gradient_learner_capacity(const eg_learner *learner, size_t learned,
                                  eg_learner_capacity *out);
void eg_gradient_learner_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_gradient_learner_read(eg_learner *learner, eg_reader *reader);
/** The same without the network. */
void eg_gradient_learner_write_rest(const eg_learner *learner, eg_writer *writer);
eg_status eg_gradient_learner_read_rest(eg_learner *learner, eg_reader *reader);
/** The network, as the group `network`. */
eg_status eg_gradient_learner_weights(eg_learner *learner, eg_weights_pass *pass);

#endif
