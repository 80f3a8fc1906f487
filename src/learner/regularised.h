/** What learners that add quadratic penalties to the loss have in common. The reported loss is that
 * of the data alone; the curve `penalty` is what is added to it. */
#ifndef ENGRAM_LEARNER_REGULARISED_H
#define ENGRAM_LEARNER_REGULARISED_H

#include "learner/gradient_learner.h"
#include "learner/penalty_term.h"

/** Begins the struct of every such learner. */
typedef struct eg_regularised {
    eg_gradient_learner gradient;
    eg_update_terms update_terms;
    eg_penalty penalty;    /**< what update_terms.penalty points to */
    size_t separate_terms; /**< of this step: terms before this one are added by update_terms.add */
    size_t phases;
    eg_penalty_term *terms; /**< [term_count] the penalty is the sum of the active ones */
    size_t term_count;
} eg_regularised;

/** Fills *self (zero before) but for base.ops; `weighted`: terms have importances. On failure the
 * caller still closes it. */
eg_status eg_regularised_init(eg_regularised *self, const eg_learner_setup *setup,
                              size_t term_count, double strength, bool weighted) EG_WARN_UNUSED;
void eg_regularised_clear(eg_regularised *self);

/** Whether another phase follows: after the last one no penalty is needed. */
static inline bool eg_regularised_goes_on(const eg_regularised *self, size_t phase)
{
    return phase + 1 < self->phases;
}

/** Operations of eg_learner_ops; free is for learners that add nothing to be released. */
void eg_regularised_free(eg_learner *learner);
eg_status eg_regularised_step(eg_learner *learner, const eg_batch *batch, eg_step_outcome *out);
eg_status eg_regularised_declare(eg_learner *learner, eg_record *record, size_t evals);
eg_status eg_regularised_measure(eg_learner *learner, eg_record *record, size_t eval);
void eg_regularised_write(const eg_learner *learner, eg_writer *writer);
eg_status eg_regularised_read(eg_learner *learner, eg_reader *reader);

/** Whether setting EG_PENALISED of `view` leaves the layer of the outputs alone. */
bool eg_regularised_trunk_only(const eg_view *view);
/** Importances [params] become 0 for the parameters of that layer. */
void eg_regularised_leave_out_head(const eg_net *net, eg_real *importance);

/** The curves they add: `penalty`. */
extern const eg_variable *const eg_regularised_variables[];

/** The operations that are the same for all of them, inside an initialiser. */
#define EG_REGULARISED_OPS                                                                         \
    .begin_phase = eg_gradient_learner_begin_phase, .step = eg_regularised_step,                   \
    .predict = eg_gradient_learner_predict, .activity = eg_gradient_learner_activity,              \
    .network = eg_gradient_learner_network, .declare = eg_regularised_declare,                     \
    .measure = eg_regularised_measure, .freeze = eg_gradient_learner_freeze,                       \
    .rest = eg_gradient_learner_rest, .flops = eg_gradient_learner_flops,                          \
    .extra_flops = eg_gradient_learner_extra_flops, .costs = eg_gradient_learner_costs,            \
    .capacity = eg_gradient_learner_capacity

/** Row of a parameter table: the factor lambda of a penalty. */
#define EG_LAMBDA(default_value, words)                                                            \
    {                                                                                              \
        .name = "lambda", .type = EG_TYPE_REAL, .default_text = default_value, .min = 0,           \
        .max = INFINITY, .doc = words                                                              \
    }

extern const char *const eg_penalised_names[]; /**< "all", "trunk", NULL */

/** Row of a parameter table: what a penalty is on. */
#define EG_PENALISED                                                                               \
    {                                                                                              \
        .name = "penalised", .type = EG_TYPE_NAME, .default_text = "all",                          \
        .names = eg_penalised_names,                                                               \
        .doc = "the penalty is on all parameters, or on those of all layers but the one that "     \
               "makes the outputs (trunk), where every task has outputs of its own",               \
        .added_later = true                                                                        \
    }

#endif
