/** A selector: which of the parameters that a phase passed through it leaves behind, and when it
 *  has gone on for long enough. Parameters and buffers of networks are copied, or all that
 *  predictions are made of (eg_learner_ops.weights); the state of optimizers is not. */
#ifndef ENGRAM_LEARNER_SELECTOR_H
#define ENGRAM_LEARNER_SELECTOR_H

#include "engram/learner.h"

/** What stays; the order is that of the names. */
typedef enum eg_selection_rule {
    EG_SELECT_BEST,         /**< of all epochs, the first of equals */
    EG_SELECT_LAST,         /**< as they are: nothing is copied */
    EG_SELECT_BEST_OF_LAST, /**< of the last `window` epochs, the latest of equals */
    EG_SELECT_IMPROVED,     /**< of the last epoch that was an improvement, so by `delta` */
} eg_selection_rule;

extern const char
    *const eg_selection_rule_names[]; /**< "best", "last", "best_of_last", "improved", NULL */

typedef struct eg_selector {
    eg_selection_rule rule;
    size_t window;   /**< epochs of best_of_last */
    size_t last;     /**< of best: only the last so many epochs of a phase count; 0: all do */
    size_t patience; /**< enough after so many epochs without improvement; 0: never */
    double delta;    /**< a higher score is an improvement if it is higher by more than this */
    size_t epochs;   /**< offered in this phase */
    size_t waited;   /**< of them since the last improvement */
    double best;     /**< score of the last improvement */
    bool restored;   /**< the phase has got what it leaves behind: there are no copies any more */
    size_t slots;    /**< copies there is room for */
    double *score;   /**< [slots] of the copies; -INFINITY: none */
    /* Of networks: */
    size_t params, buffers; /**< numbers of a copy, of all networks together */
    eg_real *param;         /**< [slots, params] */
    double *buffer;         /**< [slots, buffers] */
    /* Of a learner that predicts with other weights: */
    eg_weights *weights; /**< [slots]; NULL: networks are copied */
} eg_selector;

/** For the networks of `learner`, or with `own_weights` all its weights, with settings
 *  EG_SELECTOR_PARAMS of `view`. On failure the caller still clears it. */
eg_status eg_selector_init(eg_selector *selector, const eg_view *view, eg_learner *learner,
                           bool own_weights) EG_WARN_UNUSED;
void eg_selector_clear(eg_selector *selector);

/** A phase begins, and with it the learner's: its networks may have other sizes than before. */
eg_status eg_selector_begin(eg_selector *selector, eg_learner *learner) EG_WARN_UNUSED;
/** An epoch has ended with this score (higher is better; NaN: worse than any); `left`: how many
 *  more the phase has at most. *enough: it ends here. */
eg_status eg_selector_offer(eg_selector *selector, double score, size_t left, eg_learner *learner,
                            bool *enough) EG_WARN_UNUSED;
/** Puts back what stays. Again, before the next phase begins: does nothing. */
eg_status eg_selector_restore(eg_selector *selector, eg_learner *learner) EG_WARN_UNUSED;

void eg_selector_write(const eg_selector *selector, eg_writer *writer);
/** The learner has been read before. */
eg_status eg_selector_read(eg_selector *selector, eg_learner *learner,
                           eg_reader *reader) EG_WARN_UNUSED;

/** EG_INVALID where the settings do not go together. */
eg_status eg_selector_check(const eg_view *view) EG_WARN_UNUSED;

/** Rows of a parameter table. */
#define EG_SELECTOR_PARAMS                                                                         \
    {.name = "keep",                                                                               \
     .type = EG_TYPE_NAME,                                                                         \
     .default_text = "best",                                                                       \
     .names = eg_selection_rule_names,                                                             \
     .doc = "parameters a phase leaves behind: those of its best epoch, of its last one, of the "  \
            "best of its last `window` epochs, or of the last that was an improvement by more "    \
            "than delta"},                                                                         \
        {.name = "window",                                                                         \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "5",                                                                      \
         .min = 1,                                                                                 \
         .max = 1000,                                                                              \
         .unit = "epochs",                                                                         \
         .doc = "of keep = best_of_last"},                                                         \
        {.name = "patience",                                                                       \
         .type = EG_TYPE_INT,                                                                      \
         .default_text = "5",                                                                      \
         .min = 0,                                                                                 \
         .max = 1e9,                                                                               \
         .unit = "epochs",                                                                         \
         .doc =                                                                                    \
             "a phase ends after so many epochs without improvement; 0: it goes on to the end"},   \
        {.name = "delta",                                                                          \
         .type = EG_TYPE_REAL,                                                                     \
         .default_text = "0",                                                                      \
         .min = 0,                                                                                 \
         .max = INFINITY,                                                                          \
         .doc = "an improvement is by more than this"},                                            \
    {                                                                                              \
        .name = "last", .type = EG_TYPE_INT, .default_text = "0", .min = 0, .max = 1e9,            \
        .unit = "epochs",                                                                          \
        .doc = "with keep = best: only the last so many of the phase's epochs can be the best; a " \
               "phase that ends before them leaves its last parameters; 0: all can",               \
        .added_later = true                                                                        \
    }

#endif
