/** Several learners of one kind: what `ensemble`, `growing_ensemble` and `stl` have in common.
 *  Members from number `first` on learn, each with an order of examples of its own; those before
 *  are frozen, and only predict. */
#ifndef ENGRAM_LEARNER_ENSEMBLE_H
#define ENGRAM_LEARNER_ENSEMBLE_H

#include "engram/learner.h"
#include "learner/combination.h"

/** Begins the struct of every such learner. */
typedef struct eg_ensemble {
    eg_learner base;
    size_t count, capacity;
    eg_learner **member; /**< [count] owned */
    size_t first;        /**< the first one that learns; never all are frozen */
    size_t learning;     /**< how many do: count - first, but while members are made */
    /** [learning] minibatches of those that learn; NULL of the first, which gets the trial's. */
    eg_cursor **cursor;
    bool *enough; /**< [learning] the phase has ended for this member */
    /** Of those that learn, how many have made their end_epoch, end_phase while an epoch or a phase
     * is being ended: if one is stopped, those before it are not ended again. */
    size_t epoch_ended, phase_ended;
    eg_combination combination;
    eg_real *scores; /**< [block, outputs] of one member */
    double *share;   /**< [hidden layers] of one member */
    size_t outputs;
} eg_ensemble;

/** For `learning` members, which then are made. On failure the caller still clears it. */
eg_status eg_ensemble_init(eg_ensemble *self, const eg_learner_ops *ops, eg_combination combination,
                           const eg_learner_setup *setup, size_t learning) EG_WARN_UNUSED;
/** Releases the members and what eg_ensemble_init made. */
void eg_ensemble_clear(eg_ensemble *self);

/** Makes the next member: the learner that setting `of` chooses, with this seed, and with the order
 *  of examples number `member`. It is one that learns. */
eg_status eg_ensemble_add(eg_ensemble *self, const eg_view *view, const eg_learner_setup *setup,
                          uint64_t seed, size_t member) EG_WARN_UNUSED;
/** Opens the minibatches of learning member `slot`, after they are made: those of `member`, or for
 *  slot 0 the trial's. */
eg_status eg_ensemble_open_cursor(eg_ensemble *self, const eg_learner_setup *setup, size_t slot,
                                  size_t member) EG_WARN_UNUSED;

/** The rest of eg_learner_ops, but free. */
eg_status eg_ensemble_begin_phase(eg_learner *learner, size_t phase);
size_t eg_ensemble_begin_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_ensemble_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);
eg_status eg_ensemble_end_epoch(eg_learner *learner, size_t phase, size_t epoch, bool *enough);
size_t eg_ensemble_end_epoch_polls(const eg_learner *learner, size_t phase);
eg_status eg_ensemble_end_phase(eg_learner *learner, size_t phase);
size_t eg_ensemble_end_phase_polls(const eg_learner *learner, size_t phase);
eg_status eg_ensemble_predict(eg_learner *learner, const eg_batch *batch, eg_real *scores);
eg_scores eg_ensemble_scores(const eg_learner *learner);
void eg_ensemble_activity(const eg_learner *learner, double *out);
bool eg_ensemble_network(eg_learner *learner, size_t index, eg_learner_network *out);
bool eg_ensemble_replaced(const eg_learner *learner, double *counts);
/** Of the members that learn. */
const double *eg_ensemble_epoch_scores(const eg_learner *learner, size_t index, size_t *count);
void eg_ensemble_freeze(eg_learner *learner);
void eg_ensemble_rest(eg_learner *learner);
double eg_ensemble_flops(const eg_learner *learner);
double eg_ensemble_extra_flops(const eg_learner *learner);
bool eg_ensemble_costs(const eg_learner *learner, eg_learner_costs *out);
/** Weights of member 2 stand in group member2. */
eg_status eg_ensemble_weights(eg_learner *learner, eg_weights_pass *pass);
/** Those of member m, in this group. */
eg_status eg_ensemble_weights_of(const eg_ensemble *self, size_t m, const char *group,
                                 const eg_weights_pass *pass) EG_WARN_UNUSED;

/** write and read in parts: how far an epoch or a phase has been ended; one member. */
void eg_ensemble_write_ends(const eg_ensemble *self, eg_writer *writer);
eg_status eg_ensemble_read_ends(eg_ensemble *self, eg_reader *reader) EG_WARN_UNUSED;
void eg_ensemble_write_member(const eg_ensemble *self, size_t m, eg_writer *writer);
eg_status eg_ensemble_read_member(eg_ensemble *self, size_t m, eg_reader *reader) EG_WARN_UNUSED;

#endif
