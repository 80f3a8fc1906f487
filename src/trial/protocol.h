/** Protocols: which data choose the best point. What is reported is always measured on the test
 * set; what selects is a variable of its own (`objective`). */
#ifndef ENGRAM_TRIAL_PROTOCOL_H
#define ENGRAM_TRIAL_PROTOCOL_H

#include "engram/settings.h"
#include "engram/stream.h"

/** What a protocol means for a trial. */
typedef struct eg_selection {
    eg_subset subset; /**< the examples the objective is computed from */
    double holdout;   /**< share of the training examples held out for validation */
    size_t
        tasks; /**< only the first `tasks` tasks count, measured when they were learned; 0: all */
} eg_selection;

typedef struct eg_protocol {
    eg_component component;
    eg_selection (*selection)(const eg_view *view);
} eg_protocol;

extern const eg_family eg_protocol_family;

/** The selection chosen by setting `protocol` of `root`. */
eg_selection eg_protocol_selection(const eg_view *root);
/** Refuses a selection by more tasks than there are. */
eg_status eg_selection_check(const eg_selection *selection, size_t tasks) EG_WARN_UNUSED;

#endif
