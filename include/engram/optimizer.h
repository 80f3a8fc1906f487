/** Optimizers: one fused pass gradient → state → clipped update → weight over flat arrays.
 *
 *  One update, whatever the settings:
 *
 *      consumer = eg_optimizer_begin(optimizer, params, grads, terms);
 *      eg_net_backward(net, workspace, dy, consumer);       parameters change as gradients come, or
 *      eg_optimizer_end(optimizer);                          here, if the norm of all is bounded
 *
 *  What the settings can add, in this order: terms of the learner, the bound on the norm, weight
 *  decay, the optimizer's own rule, the bound on every element. */
#ifndef ENGRAM_OPTIMIZER_H
#define ENGRAM_OPTIMIZER_H

#include "engram/column_magnitudes.h"
#include "engram/gradient_consumer.h"
#include "engram/pack.h"
#include "engram/parameter_table.h"
#include "engram/penalty.h"
#include "engram/profile.h"
#include "engram/real.h"
#include "engram/settings.h"

#include <stddef.h>
#include <stdint.h>

/* Using one. */

typedef struct eg_optimizer eg_optimizer;

/** What an update also carries; arrays [table->count], borrowed until the update ends. */
typedef struct eg_update_terms {
    const eg_penalty *penalty; /**< its gradient is added, which costs least; NULL: none */
    /** g += what else the learner adds, before the penalty, at weights w; called for one block of
     * the parameters after the other, each once per update: w, g [count] are of the parameters
     * first … first+count-1. NULL: nothing. */
    void (*add)(void *user, size_t first, size_t count, const eg_real *w, eg_real *g);
    void *user;
    /** Of every parameter, minus the sum over updates of the gradient of the loss alone times its
     * change: what it contributed to lowering the loss. NULL: not followed. */
    eg_real *path_integral;
} eg_update_terms;

/** The optimizer chosen by setting `optimizer` of `root`, for the parameters of a table (borrowed
 * during the call only); `carries`: updates will have terms; `seed`: of the noise that is part of
 * some rules. */
eg_status eg_optimizer_create(eg_optimizer **out, const eg_view *root,
                              const eg_parameter_table *table, bool carries,
                              uint64_t seed) EG_WARN_UNUSED;
void eg_optimizer_free(eg_optimizer *optimizer);
/** Measures the updates in `profile` (borrowed); NULL: no more. */
void eg_optimizer_profile(eg_optimizer *optimizer, eg_profile *profile);

/** What a learner around the one that updates adds to the gradients of every update, after what the
 *  update itself carries and before the norm is bounded. Owned by that learner, for as long as the
 *  optimizer. */
typedef struct eg_gradient_term {
    const eg_penalty *penalty; /**< its gradient is added, which costs least; NULL: none */
    /** As in eg_update_terms; NULL: nothing. */
    void (*add)(void *user, size_t first, size_t count, const eg_real *w, eg_real *g);
    /** These parameters begin anew (eg_optimizer_renew). NULL: of no interest. */
    void (*renewed)(void *user, size_t first, size_t count, size_t stride);
    void *user;
    struct eg_gradient_term *next; /**< the optimizer's */
} eg_gradient_term;

/** From now on. What the term points to may change between updates. */
eg_status eg_optimizer_attach(eg_optimizer *optimizer, eg_gradient_term *term) EG_WARN_UNUSED;

/** From now on every update keeps these sums up, or says that it did not. They belong to one matrix
 *  of the optimizer's parameters, and stay where they are for as long as the optimizer is used. */
void eg_optimizer_follow(eg_optimizer *optimizer, eg_column_magnitudes *sums);

/** Begins an update of params [table->count]. The consumer, valid until the end, takes every
 * gradient once, in any order; `grads` is where they are stored if it does not update at once, and
 * holds nothing of use afterwards. terms NULL: none. */
const eg_gradient_consumer *eg_optimizer_begin(eg_optimizer *optimizer, eg_real *params,
                                               eg_real *grads, const eg_update_terms *terms);
/** After all gradients have come. */
void eg_optimizer_end(eg_optimizer *optimizer);
/** One update from gradients [table->count] that are there already. */
void eg_optimizer_step(eg_optimizer *optimizer, eg_real *params, eg_real *grads);

/** A phase of minibatches begins, of which an epoch has `epoch_steps`: for schedules that count in
 * these, and setting `restart`. */
void eg_optimizer_begin_phase(eg_optimizer *optimizer, size_t phase, size_t epoch_steps);
/** Forgets everything: state arrays as at the start, no updates made. */
void eg_optimizer_restart(eg_optimizer *optimizer);
/** Forgets what is known of parameters first, first+stride, …, `count` of them: for a unit that is
 * replaced (eg_net_unit_run). Counts of updates stay. */
void eg_optimizer_reset(eg_optimizer *optimizer, size_t first, size_t count, size_t stride);
/** The same for parameters that begin anew, as at the start of a trial, with values they have been
 * given: those who keep what they began with are told. */
void eg_optimizer_renew(eg_optimizer *optimizer, size_t first, size_t count, size_t stride);
/** Only tells them: what is known of the parameters stays. */
void eg_optimizer_tell(eg_optimizer *optimizer, size_t first, size_t count, size_t stride);
/** The updates of these parameters are counted from 0 again, where each has a count of its own. */
void eg_optimizer_recount(eg_optimizer *optimizer, size_t first, size_t count, size_t stride);

/** Learning rate of the last update; 0 before the first. */
double eg_optimizer_rate(const eg_optimizer *optimizer);

/** How far a gradient of 1 would move each of these parameters in an update like the last one, but
 *  for momentum. Only for kinds with `reach`. */
void eg_optimizer_reach(const eg_optimizer *optimizer, size_t first, size_t count, eg_real *out);

/** What an optimizer knows of every parameter. */
typedef struct eg_optimizer_traits {
    const char *name;
    size_t slots;     /**< state arrays */
    bool is_momentum; /**< they are momentum and no more */
    bool counts_each; /**< every parameter has a count of its own updates */
} eg_optimizer_traits;

/** Of the optimizer that the settings choose. */
eg_optimizer_traits eg_optimizer_traits_of(const eg_view *root);

/** State arrays and counts, for checkpoints. */
void eg_optimizer_write(const eg_optimizer *optimizer, eg_writer *writer);
/** EG_INVALID, and nothing changed, if it is of another optimizer or size. */
eg_status eg_optimizer_read(eg_optimizer *optimizer, eg_reader *reader) EG_WARN_UNUSED;

/* Adding one: optim/optimizer_<name>.c, or schedule_<name>.c, and an entry in the registry. */

enum { EG_OPTIMIZER_SLOTS_MAX = 3, EG_OPTIMIZER_PARAMS_MAX = 8, EG_OPTIMIZER_FACTORS_MAX = 2 };

/** One pass over n parameters. The update u is clipped to ±clip, then added to w. */
typedef struct eg_update {
    const double *p; /**< the optimizer's own parameters in the order of its table */
    double lr;       /**< the schedule's learning rate for this step */
    double factor[EG_OPTIMIZER_FACTORS_MAX]; /**< as `factors` filled it */
    double clip; /**< bound on every element of the update; INFINITY: none */
    size_t n;
    eg_real *w;
    const eg_real *g;
    eg_real scale;             /**< of g */
    eg_penalty penalty;        /**< its gradient is added to the scaled g; anchor NULL: none */
    eg_composed_term composed; /**< g is its gradient; anchor NULL: g is given */
    eg_real *path_integral;    /**< -= loss_g times the change of w; NULL: not followed */
    const eg_real *loss_g;     /**< set where path_integral is */
    eg_real *slot[EG_OPTIMIZER_SLOTS_MAX]; /**< state arrays [n] */
    /** [n] updates of each parameter before this one, up to correction_end; NULL: there are no
     * such counts */
    int32_t *count;
    const eg_real *correction; /**< [correction_end + 1] by number of updates, 1 for the first */
    int32_t correction_end;    /**< from which on it is constant */
    /* For rules with `gather` only, which get one whole block after the other: */
    const eg_parameter_block *block;
    double gathered;      /**< what `gather` left; 0 before */
    const eg_real *noise; /**< [n] standard normal numbers, 0 where padding is; NULL: not wanted */
} eg_update;

typedef struct eg_optimizer_kind {
    eg_component component;
    size_t slots; /**< state arrays */
    /** Optional: how many there are with these settings, instead. */
    size_t (*slots_with)(const double *p);
    /** Optional: starting value of slot s (0 if unset). */
    double (*initial)(const double *p, size_t s);
    bool is_momentum; /**< the state is momentum and no more */
    /** Optional: whether every parameter counts its updates with these settings; and what the t-th
     *  of them (1, 2, …) is corrected by, which tends to 1. It is tabulated. */
    bool (*counts_each)(const double *p);
    double (*correction)(const double *p, double t);
    /** Optional: works out what is the same for all parameters of an update, the step-th (1, 2,
     *  …). */
    void (*factors)(const double *p, uint64_t step, double *factor);
    /** Optional: for rules that need all gradients before they change anything. Called for every
     * block with gradients to which everything is added, scale 1 and no penalty, before the first
     * update; may change slots and u->gathered. Then decoupled decay and `update` come for every
     * block. */
    void (*gather)(eg_update *u);
    /** Optional, with gather: whether update wants noise, keyed by seed, update and block. */
    bool (*draws)(const double *p);
    void (*update)(const eg_update *u);
    /** Optional: see eg_optimizer_reach; out [u->n], after the update. */
    void (*reach)(const eg_update *u, eg_real *out);
    bool descends; /**< the update is -lr g and nothing else, so factors of g are enough */
} eg_optimizer_kind;

/** When an update is made; all from 0. */
typedef struct eg_schedule_time {
    uint64_t step;       /**< updates made before this one, since the start or the last restart */
    uint64_t phase;      /**< the stream's phase */
    uint64_t epoch;      /**< epochs of this phase that are over */
    uint64_t phase_step; /**< updates of this phase made before this one */
} eg_schedule_time;

/** Learning rate at a time. */
typedef struct eg_schedule {
    eg_component component;
    double (*rate)(const double *p, double lr, const eg_schedule_time *now);
} eg_schedule;

extern const eg_family eg_optimizer_family;
extern const eg_family eg_schedule_family;

#endif
