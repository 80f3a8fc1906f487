/** Ensembles that get new members when a phase begins, of which only the newest learn: what
 *  `growing_ensemble` and `stl` have in common. */
#ifndef ENGRAM_LEARNER_GROWING_H
#define ENGRAM_LEARNER_GROWING_H

#include "learner/ensemble.h"

typedef struct eg_growing eg_growing;

/** New members come, and those from before are frozen (eg_growing_freeze). */
typedef eg_status (*eg_growing_grow)(eg_growing *self);

/** Begins the struct of every such learner. */
struct eg_growing {
    eg_ensemble ensemble;
    eg_view view, root; /* for members to come */
    eg_learner_setup setup;
    size_t add; /**< members that come together, and learn */
};

/** Without members, where it will stay. On failure the caller still frees it. */
eg_status eg_growing_init(eg_growing *self, const eg_learner_ops *ops, eg_combination combination,
                          const eg_view *view, const eg_learner_setup *setup,
                          size_t add) EG_WARN_UNUSED;
/** Operation of eg_learner_ops. */
void eg_growing_free(eg_learner *learner);

/** Makes the next member, with initial weights of member `seed` of an ensemble and the order of
 *  examples of member `order`. */
eg_status eg_growing_make(eg_growing *self, size_t seed, size_t order) EG_WARN_UNUSED;
/** From now on only the newest `add` members learn. */
void eg_growing_freeze(eg_growing *self);

/** How many members there are, and all of them. */
void eg_growing_write(const eg_growing *self, eg_writer *writer);
/** It grows as it reads, so that a number that is wrong does not ask for all of its members. */
eg_status eg_growing_read(eg_growing *self, eg_reader *reader, eg_growing_grow grow) EG_WARN_UNUSED;

/** Whether the pass has arrays in that group. */
bool eg_growing_has_group(const eg_weights_pass *pass, const char *group);

#endif
