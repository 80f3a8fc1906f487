/** Protocols: which data choose the best point. What is reported is always measured on the test
 * set; what selects is a variable of its own (`objective`). */
#ifndef ENGRAM_TRIAL_PROTOCOL_H
#define ENGRAM_TRIAL_PROTOCOL_H

#include "engram/measure.h"
#include "engram/settings.h"

typedef struct eg_protocol {
    eg_component component;
    /** What it means for a trial. */
    eg_selection (*selection)(const eg_view *view);
} eg_protocol;

extern const eg_family eg_protocol_family;

/** The selection chosen by setting `protocol` of `root`. */
eg_selection eg_protocol_selection(const eg_view *root);
/** Refuses a selection by more tasks than there are. */
eg_status eg_selection_check(const eg_selection *selection, size_t tasks) EG_WARN_UNUSED;

#endif
