/** Additive parameter decomposition: the weights of task j in every layer of the trunk are
 *
 *      theta_j[i,o] = M_j[o] sigma[i,o] + sigma_g[i,o] + tau_j[i,o],   M_j = 1/(1 + exp(-v_j))
 *
 *  with shared weights sigma, a mask M_j per output unit o, sparse weights tau_j of the task's own,
 *  and, where tasks have been put into a group g, weights sigma_g of these. Biases, scales, shifts
 *  and the active outputs of the head are the task's own, as they are.
 *
 *  What is here is the state and its parts; learner_apd.c is the learner.
 *
 *  Source: Yoon et al. 2020, arXiv 1902.09432, and the program of its authors. */
#ifndef ENGRAM_LEARNER_APD_H
#define ENGRAM_LEARNER_APD_H

#include "learner/apd_layout.h"
#include "learner/apd_store.h"
#include "learner/gradient_learner.h"

/** In the order of their names. */
typedef enum eg_apd_l1 { EG_APD_SUBGRADIENT, EG_APD_PROXIMAL } eg_apd_l1;
typedef enum eg_apd_start { EG_APD_FROM_SIGMA, EG_APD_FROM_ZERO } eg_apd_start;
typedef enum eg_apd_first { EG_APD_FIRST_MASKED, EG_APD_FIRST_PLAIN } eg_apd_first;
typedef enum eg_apd_centre { EG_APD_MIDPOINT, EG_APD_MEAN } eg_apd_centre;

typedef struct eg_apd_settings {
    bool retroactive, masks, retro_masks, freeze_shared;
    double lambda1, lambda2, weight_decay, mask_l1, beta;
    eg_apd_l1 l1;
    eg_apd_start tau_start;
    eg_apd_first first_task;
    eg_apd_centre centre;
    size_t every, centroids; /**< consolidation; every 0: never */
} eg_apd_settings;

enum {
    EG_APD_CHUNK = 1024 /**< numbers of every array that one pass holds in the first-level cache */
};
#define EG_APD_NONE SIZE_MAX /**< no plane, no group, no task */

typedef struct eg_apd_task {
    bool known;       /**< it has parameters */
    bool masked;      /**< false: M = 1, and v is not there */
    size_t plane;     /**< where tau and v are in `all`; EG_APD_NONE: in the two below */
    eg_apd_store tau; /**< [weights] */
    eg_real *mask;    /**< [units] v; owned */
    eg_real *own;     /**< [own] of a task that is not being learned; owned */
    size_t *group;    /**< [parts] number of its group, EG_APD_NONE: none; owned */
} eg_apd_task;

/** Groups of a part. */
typedef struct eg_apd_groups {
    eg_real **shared;   /**< [phases] sigma_g [block]; NULL: there is no such group; owned */
    eg_real **centroid; /**< [phases] means of the last clusters [block], then NULL; owned */
} eg_apd_groups;

/** Begins with a gradient learner, whose network holds the effective weights of one task, and whose
 *  optimizer is of its parameters (`all`), made anew for every task. */
typedef struct eg_apd {
    eg_gradient_learner base;
    eg_apd_settings settings;
    eg_apd_layout layout;
    eg_view root;
    uint64_t seed;
    eg_profile *profile;
    size_t phases;
    eg_real *start;        /**< [own] biases and the whole head as the network began */
    eg_apd_task *task;     /**< [phases] */
    eg_apd_groups *groups; /**< [parts] */
    eg_real *all;          /**< sigma, own, planes (learner/apd_layout.h) */
    size_t planes;
    size_t learned; /**< tasks that have arrived, forgotten ones included */

    /* While a task is learned: */
    bool learning;
    size_t current;          /**< the task learned now or last; EG_APD_NONE before the first */
    const eg_active *active; /**< its outputs; borrowed from the stream */
    size_t old;              /**< tasks of the retroactive term, in planes 0 … old-1 */
    bool first;              /**< no task is known but this one */
    eg_real *anchor;         /**< theta* [old][weights], or sigma [weights] as it was */
    eg_real *gradient;       /**< as `all`, where the optimizer waits for all; else NULL */
    eg_real *masks;          /**< [planes][units] M */
    double *sums;            /**< [planes][units] of the gradients of M */
    eg_real *scratch;        /**< [own or units] */
    double deleted; /**< numbers of the sigma_g that the last consolidation replaced, above lambda1,
                       if no task has begun since */
    uint64_t updates;                      /**< made of this task, the one under way included */
    const eg_gradient_consumer *optimizer; /**< of the update under way */

    /** What the network holds; EG_APD_NONE: no one's, or they changed. */
    size_t shown;
    bool shown_raw;
} eg_apd;

/** --- Tasks (apd_tasks.c) --------------------------------------------------------------------- */

/** Parameters of a task that begins, in the last plane; theta* of the others, an optimizer. */
eg_status eg_apd_begin(eg_apd *self, size_t task, size_t steps) EG_WARN_UNUSED;
/** The task is learned: releases what only learning needs. */
eg_status eg_apd_end(eg_apd *self) EG_WARN_UNUSED;
/** Memory of what learning needs, for the planes there are, but no values. */
eg_status eg_apd_open_learning(eg_apd *self, size_t steps) EG_WARN_UNUSED;
void eg_apd_close_learning(eg_apd *self);
/** So many planes, of zeros where there were fewer. */
eg_status eg_apd_resize(eg_apd *self, size_t planes) EG_WARN_UNUSED;
/** A task that comes from elsewhere: it is known, all its numbers are 0. */
eg_status eg_apd_admit(eg_apd *self, size_t task, bool masked) EG_WARN_UNUSED;
/** tau and v of a task, from this plane, into memory of its own. What consolidation will not look
 *  at is left out for good. */
eg_status eg_apd_put_aside(eg_apd *self, size_t task, const eg_real *plane) EG_WARN_UNUSED;
/** Releases all of a task; its plane becomes 0. */
void eg_apd_drop(eg_apd *self, size_t task);
/** Removes tau, v, biases and the head of a task; nothing else changes. EG_INVALID: the task has no
 *  parameters, or is the one being learned. */
eg_status eg_apd_forget(eg_apd *self, size_t task) EG_WARN_UNUSED;

static inline eg_real *eg_apd_plane(const eg_apd *self, size_t plane)
{
    return self->all + self->layout.first_plane + plane * self->layout.plane;
}

/** Whether the task that is learned uses the shared weights as they are. */
static inline bool eg_apd_plain(const eg_apd *self)
{
    return self->first && self->settings.first_task == EG_APD_FIRST_PLAIN;
}

/** Biases and head of a known task. */
static inline eg_real *eg_apd_own_of(const eg_apd *self, size_t task)
{
    return self->learning && task == self->current ? self->all + self->layout.first_own
                                                   : self->task[task].own;
}

/** v [units] of a known task. */
static inline eg_real *eg_apd_mask(const eg_apd *self, size_t task)
{
    const eg_apd_task *of = &self->task[task];
    return of->plane != EG_APD_NONE ? eg_apd_plane(self, of->plane) + self->layout.weights
                                    : of->mask;
}

/** n numbers of tau of a known task, from `at` on: borrowed, or in room [n]. */
const eg_real *eg_apd_tau(const eg_apd *self, size_t task, size_t at, size_t n, eg_real *room);
/** sigma_g of a task from number i of a part on; NULL: it is in no group there. */
const eg_real *eg_apd_shared(const eg_apd *self, size_t task, size_t part, size_t i);
/** The outputs of a task. */
const eg_active *eg_apd_active(const eg_apd *self, size_t task);

/** --- Effective weights (apd_effective.c) ----------------------------------------------------- */

/** M = 1/(1 + exp(-v)) [units] of a task; 1 for one that is not masked. */
void eg_apd_masks(const eg_apd *self, size_t task, eg_real *masks);
/** theta [weights] of a known task, `raw`, or with what is not above lambda1 in tau and sigma_g
 *  left out. */
void eg_apd_theta(const eg_apd *self, size_t task, bool raw, eg_real *theta);
/** Puts the weights of a task into the network; of one that is not known, sigma alone, and biases
 *  and head as they began, or 0 if it was forgotten. */
void eg_apd_show(eg_apd *self, size_t task, bool raw);

/** --- Updates (apd_update.c) ------------------------------------------------------------------ */

/** Before the backward of a minibatch: the optimizer's update begins. The consumer, valid until the
 *  end, takes the gradients of theta piece by piece, in net->grads. */
eg_gradient_consumer eg_apd_update_begin(eg_apd *self);
/** After it: masks, biases, head. */
void eg_apd_update_end(eg_apd *self);

/** --- Consolidation (apd_consolidate.c) ------------------------------------------------------- */

eg_status eg_apd_consolidate(eg_apd *self) EG_WARN_UNUSED;
/** Room for groups, [phases]; on failure the caller still clears it. */
eg_status eg_apd_groups_init(eg_apd_groups *out, size_t phases) EG_WARN_UNUSED;
void eg_apd_groups_clear(eg_apd_groups *groups, size_t phases);

/** --- Counting (apd_capacity.c) --------------------------------------------------------------- */

bool eg_apd_capacity(const eg_learner *learner, size_t learned, eg_learner_capacity *out);
/** Numbers of all sigma_g above lambda1, of groups with members that are known. */
double eg_apd_shared_kept(const eg_apd *self);
extern const eg_variable *const eg_apd_variables[];
eg_status eg_apd_declare(eg_learner *learner, eg_record *record, size_t evals);
eg_status eg_apd_measure(eg_learner *learner, eg_record *record, size_t eval);

/** --- Files (apd_weights.c, apd_state.c) ------------------------------------------------------ */

eg_status eg_apd_weights(eg_learner *learner, eg_weights_pass *pass);
void eg_apd_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_apd_read(eg_learner *learner, eg_reader *reader);

#endif
