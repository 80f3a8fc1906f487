/** What rules that reset hidden units by looking at every update have in common: a learner around
 *  another one, and a way of resetting units for each of its networks. */
#ifndef ENGRAM_LEARNER_RESETTING_H
#define ENGRAM_LEARNER_RESETTING_H

#include "learner/unit_reset.h"

/** Begins the struct of every such learner. */
typedef struct eg_resetting {
    eg_around around;
    eg_unit_reset *reset; /**< [network_count]; owned */
    eg_profile *profile;  /**< borrowed, or NULL */
} eg_resetting;

/** Fills *self (zero before) from settings of EG_UNIT_RESET_PARAMS and EG_LEARNER_OF. `name`: the
 *  learner's own. On failure the caller still calls clear. Errors: EG_INVALID if there is no
 *  network, or one without hidden units that could be reset, and those of the learner inside. */
eg_status eg_resetting_init(eg_resetting *self, const eg_learner_ops *ops, const eg_view *view,
                            const eg_learner_setup *setup, const char *name,
                            eg_reset_published published) EG_WARN_UNUSED;
/** Releases what init made, not *self. */
void eg_resetting_clear(eg_resetting *self);

/** eg_learner_kind.check: that there is a network inside, and an optimizer that can forget what it
 *  should. */
eg_status eg_resetting_check(const eg_view *view) EG_WARN_UNUSED;

/** Operations of eg_learner_ops. write and read: what is counted, and the learner inside. */
bool eg_resetting_replaced(const eg_learner *learner, double *counts);
eg_status eg_resetting_weights(eg_learner *learner, eg_weights_pass *pass);
void eg_resetting_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_resetting_read(eg_learner *learner, eg_reader *reader);

#endif
