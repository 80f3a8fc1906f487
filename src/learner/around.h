/** What learners around any other learner have in common: the learner inside, its networks, and
 *  operations that pass on. A method that acts before or after an update begins its struct with
 *  eg_around, has a `step` of its own that calls eg_around_step first, and lists the operations
 *  below for all the rest. Its kind sets records_inside. */
#ifndef ENGRAM_LEARNER_AROUND_H
#define ENGRAM_LEARNER_AROUND_H

#include "engram/learner.h"

/** A network of the learner inside. */
typedef struct eg_around_network {
    eg_learner_network at; /**< borrowed from the learner inside */
    uint64_t before;       /**< net->step before the step under way */
    bool updated;          /**< the last eg_around_step updated it */
    uint64_t updates;      /**< those that did, since the start: keys randomness, counts periods */
} eg_around_network;

/** Begins the struct of every such learner. */
typedef struct eg_around {
    eg_learner base;
    eg_learner *inside; /**< owned */
    size_t network_count;
    eg_around_network *network; /**< [network_count] always the same ones; owned */
    double own_flops;           /**< what eg_around_extra_flops gives besides the learner inside */
} eg_around;

/** Creates the learner inside and fills *self (zero before). `around`: the learner's own name, if
 *  it needs a network; NULL: it does without. On failure the caller still calls eg_around_clear.
 *  Errors: EG_INVALID if there is no network, and those of the learner inside. */
eg_status eg_around_init(eg_around *self, const eg_learner_ops *ops, const eg_view *view,
                         const eg_learner_setup *setup, const char *around) EG_WARN_UNUSED;
/** Releases what init made, not *self. */
void eg_around_clear(eg_around *self);

/** One minibatch of the learner inside. Says of every network whether it was updated; one was not
 *  if the loss is not finite, which ends the trial, or if the learner inside left the minibatch
 *  out. */
eg_status eg_around_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);

/** The node of a network's head: the last with parameters. */
size_t eg_around_head(const eg_net *net);

/** Operations of eg_learner_ops that pass on. */
void eg_around_free(
    eg_learner *learner); /**< clears, and frees *learner: for those that own no more */
eg_status eg_around_begin_phase(eg_learner *learner, size_t phase);
eg_status eg_around_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough);
size_t eg_around_end_epoch_polls(const eg_learner *learner, size_t phase);
eg_status eg_around_end_phase(eg_learner *learner, size_t phase);
size_t eg_around_end_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_around_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores);
void eg_around_activity(const eg_learner *learner, double *out);
eg_status eg_around_declare(eg_learner *learner, eg_record *record, size_t evals);
eg_status eg_around_measure(eg_learner *learner, eg_record *record, size_t eval);
bool eg_around_network_at(eg_learner *learner, size_t index, eg_learner_network *out);
bool eg_around_replaced(const eg_learner *learner, double *counts);
double eg_around_flops(const eg_learner *learner);
double eg_around_extra_flops(const eg_learner *learner);
eg_status eg_around_weights(eg_learner *learner, eg_weights_pass *pass);
/** The learner inside, and nothing else. */
void eg_around_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read(eg_learner *learner, eg_reader *reader);

/** The same and what eg_around_step counted, and own_flops: for methods that act by it. */
void eg_around_write_counts(const eg_learner *learner, eg_writer *writer);
eg_status eg_around_read_counts(eg_learner *learner, eg_reader *reader);

#endif
