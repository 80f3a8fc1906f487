/** Inside the sweep room: what the rules have in common that look into trials. */
#ifndef SWEEP_STOP_CURVE_H
#define SWEEP_STOP_CURVE_H

#include "sweep/stop_rules.h"

/** The curve that is the objective before the end: the accuracy on the selecting examples of all
 *  tasks; NULL: there is none. */
const eg_array *eg_stop_curve(const eg_record *record);

/** Refuses plans of which some point's objective is not known before the end; `rule`: the name of
 *  the rule, `does` what it does with the objective. */
eg_status eg_stop_check_curve(const eg_plan *plan, const char *rule,
                              const char *does) EG_WARN_UNUSED;

/** Refuses plans that look for the smallest accuracy. */
eg_status eg_stop_check_goal(const eg_plan *plan, const char *rule) EG_WARN_UNUSED;

#endif
