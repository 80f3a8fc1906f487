/** What learners have in common whose tasks each use a part of one network, and whose later tasks
 *  leave alone what earlier ones need: raw weights, of which a rule makes those that the network
 *  computes with, and parameters that are fixed for a phase.
 *
 *  A step: network <- weights(raw, masks of the task); forward, loss, backward; gradients of the
 *  network's weights -> of the raw ones; an update of the raw ones. What is fixed has gradient 0
 *  and is the same after the update to the last bit, whatever weight decay and momentum do.
 *
 *  The head of a task is the slice of the output layer of its active outputs; the others are fixed
 *  while it learns. Layers with running averages are refused: they would move old tasks. */
#ifndef ENGRAM_LEARNER_SUBNETWORK_H
#define ENGRAM_LEARNER_SUBNETWORK_H

#include "learner/gradient_learner.h"

typedef struct eg_subnetwork eg_subnetwork;

/** What is a learner's own. */
typedef struct eg_subnetwork_rule {
    const char *name; /**< of the learner */
    /** theta [param_count]: what the network computes with for a task; `learning`: in a step of the
     *  phase under way, else in predictions. A task that is not learned yet has some, too. */
    void (*weights)(eg_subnetwork *self, size_t task, bool learning, eg_real *theta);
    /** Optional: g [param_count], the gradient at theta, becomes that at the raw weights. */
    void (*pull)(eg_subnetwork *self, const eg_batch *batch, eg_real *g);
    /** fixed [param_count]: makes 1 what stays in the phase under way, besides the outputs of other
     *  tasks, which are 1 already. */
    void (*fix)(const eg_subnetwork *self, uint8_t *fixed);
} eg_subnetwork_rule;

/** Begins the struct of every such learner. */
struct eg_subnetwork {
    eg_gradient_learner gradient; /**< its network is scratch: raw weights say what it is */
    const eg_subnetwork_rule *rule;
    eg_real *raw;   /**< [param_count] */
    eg_real *kept;  /**< [param_count] as raw, where it is fixed */
    uint8_t *fixed; /**< [param_count] */
    size_t phase;   /**< under way, or the last one */
    size_t shown;   /**< task whose weights for predictions the network has; EG_NO_TASK: of none */
};

/** Fills *self (zero before) but for base.ops; the network's initial weights are the raw ones. On
 *  failure the caller still clears it. EG_INVALID if the learner has an obstacle in the network. */
eg_status eg_subnetwork_init(eg_subnetwork *self, const eg_learner_setup *setup,
                             const eg_subnetwork_rule *rule) EG_WARN_UNUSED;
void eg_subnetwork_clear(eg_subnetwork *self);

/** After raw weights, masks or what the rule fixes have changed. */
void eg_subnetwork_changed(eg_subnetwork *self);

/** Operations of eg_learner_ops. */
eg_status eg_subnetwork_begin_phase(eg_learner *learner, size_t phase);
eg_status eg_subnetwork_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);
eg_status eg_subnetwork_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores);
void eg_subnetwork_freeze(eg_learner *learner);
/** Who reads more afterwards calls eg_subnetwork_changed then. */
void eg_subnetwork_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_subnetwork_read(eg_learner *learner, eg_reader *reader);
/** The raw weights, as the group `network`. */
eg_status eg_subnetwork_weights(eg_learner *learner, eg_weights_pass *pass);

/** The operations that are the same for all of them, inside an initialiser. */
#define EG_SUBNETWORK_OPS                                                                          \
    .predict = eg_subnetwork_predict, .activity = eg_gradient_learner_activity,                    \
    .flops = eg_gradient_learner_flops, .extra_flops = eg_gradient_learner_extra_flops,            \
    .costs = eg_gradient_learner_costs

#endif
