/** The diagonal of the Fisher information of a softmax classifier: the mean square of the gradient
 * of log softmax(beta y)[label], with the label by one of four rules. */
#ifndef ENGRAM_LEARNER_FISHER_H
#define ENGRAM_LEARNER_FISHER_H

#include "learner/importance.h"

/** Where the label comes from; the order is that of the names. */
typedef enum eg_fisher_label {
    EG_FISHER_EXACT,     /**< the expectation over softmax(beta y): every class, weighted */
    EG_FISHER_SAMPLED,   /**< drawn from softmax(beta y), once per example */
    EG_FISHER_ARGMAX,    /**< the class the network predicts */
    EG_FISHER_EMPIRICAL, /**< the true label */
} eg_fisher_label;

extern const char *const eg_fisher_names[]; /**< "exact", "sampled", "argmax", "empirical", NULL */

typedef struct eg_fisher {
    eg_fisher_label label;
    double beta;
} eg_fisher;

/** Settings `fisher` and `beta` of `view`; the rule borrows `out`. */
eg_sensitivity eg_fisher_init(eg_fisher *out, const eg_view *view, size_t outputs);
/** EG_INVALID where `fisher` and `group` do not go together. */
eg_status eg_fisher_check(const eg_view *view) EG_WARN_UNUSED;

/** Operation extra_flops of learners with settings of the Fisher information. */
double eg_fisher_flops(const eg_view *view, const eg_learner_work *work);

/** Rows of a parameter table. */
#define EG_FISHER_PARAMS                                                                           \
    {.name = "fisher",                                                                             \
     .type = EG_TYPE_NAME,                                                                         \
     .default_text = "exact",                                                                      \
     .names = eg_fisher_names,                                                                     \
     .doc = "labels of the Fisher information: the network's own distribution (exact: of all "     \
            "classes, summed over the classes first; or one sampled per example), its prediction " \
            "(argmax), or the true label (empirical)"},                                            \
        {.name = "beta",                                                                           \
         .type = EG_TYPE_REAL,                                                                     \
         .default_text = "1",                                                                      \
         .min = 0,                                                                                 \
         .max = INFINITY,                                                                          \
         .above_min = true,                                                                        \
         .doc = "the Fisher information is that of softmax(beta y); small values keep it from "    \
                "vanishing once the softmax is saturated"},                                        \
        EG_IMPORTANCE_PARAMS

#endif
