/** Optimizers: one fused pass gradient → state → clipped update → weight over flat arrays. */
#ifndef ENGRAM_OPTIMIZER_H
#define ENGRAM_OPTIMIZER_H

#include "engram/pack.h"
#include "engram/penalty.h"
#include "engram/real.h"
#include "engram/settings.h"

#include <stddef.h>
#include <stdint.h>

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
    eg_real scale;          /**< of g */
    eg_penalty penalty;     /**< its gradient is added to the scaled g; anchor NULL: none */
    eg_real *path_integral; /**< -= loss_g times the change of w; NULL: not followed */
    const eg_real *loss_g;  /**< set where path_integral is */
    eg_real *slot[EG_OPTIMIZER_SLOTS_MAX]; /**< state arrays [n] */
} eg_update;

/** What an update also carries; arrays [n] of all parameters, borrowed. */
typedef struct eg_update_terms {
    const eg_penalty *penalty; /**< its gradient is added; NULL: none */
    /** Of every parameter, minus the sum over updates of its gradient times its change: what it
     * contributed to lowering the loss. NULL: not followed. */
    eg_real *path_integral;
} eg_update_terms;

typedef struct eg_optimizer_kind {
    eg_component component;
    size_t slots; /**< state arrays */
    /** Optional: starting value of slot s (0 if unset). */
    double (*initial)(const double *p, size_t s);
    /** Optional: works out what is the same for all parameters of an update, the step-th (1, 2, …). */
    void (*factors)(const double *p, uint64_t step, double *factor);
    void (*update)(const eg_update *u);
} eg_optimizer_kind;

/** Learning rate at a step. */
typedef struct eg_schedule {
    eg_component component;
    /** step: updates made before this one, 0, 1, … */
    double (*rate)(const double *p, double lr, uint64_t step);
} eg_schedule;

extern const eg_family eg_optimizer_family; /**< common: lr, clip, schedule */
extern const eg_family eg_schedule_family;

typedef struct eg_optimizer eg_optimizer;

/** The optimizer chosen by setting `optimizer` of `root`, for n parameters. */
eg_status eg_optimizer_create(eg_optimizer **out, const eg_view *root, size_t n) EG_WARN_UNUSED;
void eg_optimizer_free(eg_optimizer *optimizer);
/** One update of params [n] from grads [n]. */
void eg_optimizer_step(eg_optimizer *optimizer, eg_real *params, const eg_real *grads);
/** The same in pieces: begin the update, then apply it to each part of the parameters once. `params`
 *  is the whole array [n]; grads [count] are of the parameters first … first+count-1, and so are
 *  loss_grads, those that a path integral takes; NULL: the same. */
void eg_optimizer_begin(eg_optimizer *optimizer);
void eg_optimizer_apply(const eg_optimizer *optimizer, eg_real *params, size_t first, size_t count,
                        const eg_real *grads, const eg_real *loss_grads,
                        const eg_update_terms *update_terms);
/** Whether updates need the norm of the whole gradient first (setting clip_norm). */
bool eg_optimizer_bounds_norm(const eg_optimizer *optimizer);
/** After begin: the update takes gradients scaled to the norm the settings allow; `squares` is the sum
 * of their squares. */
void eg_optimizer_bound_norm(eg_optimizer *optimizer, double squares);
/** State arrays and step count, for tests and checkpoints. */
void eg_optimizer_write(const eg_optimizer *optimizer, eg_writer *writer);
eg_status eg_optimizer_read(eg_optimizer *optimizer, eg_reader *reader) EG_WARN_UNUSED;

#endif
