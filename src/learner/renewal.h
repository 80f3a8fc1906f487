/** Learners around any learner in which a part of the network begins anew at the start of each
 *  phase but the first. Initial values are keyed by seed and phase.
 *
 *  A kind of learner is an eg_around_method from EG_RENEWAL_METHOD, whose `open` fills in the rule
 *  and calls eg_renewal_open. */
#ifndef ENGRAM_LEARNER_RENEWAL_H
#define ENGRAM_LEARNER_RENEWAL_H

#include "learner/around.h"

/** Which part; the order is that of the names of learner reset. */
typedef enum eg_renewed {
    EG_RENEWED_HEAD,        /**< the last layer with weights */
    EG_RENEWED_NEW_OUTPUTS, /**< of it, outputs that become active with the phase: a growing head */
    EG_RENEWED_NETWORK,     /**< everything: the learner is trained again */
} eg_renewed;

typedef struct eg_renewal_rule {
    eg_renewed what;
    bool keeps_state;      /**< what the optimizer remembers of the part stays */
    bool keeps_statistics; /**< of a network: running statistics and the count of its steps stay */
} eg_renewal_rule;

/** Begins the struct of every such learner. */
typedef struct eg_renewal {
    eg_around around;
    eg_renewal_rule rule;
    const eg_stream *stream; /* borrowed */
    uint64_t seed;
    eg_real *old; /* [most parameters of a network] before the reset */
    double *old_buffers;
} eg_renewal;

/** At the end of eg_around_method.open, after the rule is set. */
eg_status eg_renewal_open(eg_around *around, const eg_learner_setup *setup) EG_WARN_UNUSED;
void eg_renewal_close(eg_around *around);
eg_status eg_renewal_begin_phase(eg_learner *learner, size_t phase) EG_WARN_UNUSED;

#define EG_RENEWAL_METHOD(learner_name, open_learner)                                              \
    {                                                                                              \
        .name = learner_name, .size = sizeof(eg_renewal),                                          \
        .ops = {.begin_phase = eg_renewal_begin_phase,                                             \
                .write = eg_around_write_inside,                                                   \
                .read = eg_around_read_inside},                                                    \
        .open = (open_learner), .close = eg_renewal_close                                          \
    }

/** Of eg_learner_kind, but for its component and create. */
#define EG_RENEWAL_KIND                                                                            \
    .uses_task_boundaries = true, .records_inside = true,                                          \
    .check = eg_learner_check_network_inside, .needs_held_out = eg_learner_needs_held_out_inside,  \
    .extra_flops = eg_learner_extra_flops_inside

#endif
