/** What several measures ask of the settings. */
#ifndef METRIC_MEASURE_SCOPES_H
#define METRIC_MEASURE_SCOPES_H

#include "engram/measure.h"

/** eg_measure_kind.lacks: classes, and sets to evaluate them on. */
const char *eg_lacks_accuracy(const eg_measure_scope *scope);
/** eg_measure_kind.lacks: evaluation sets. */
const char *eg_lacks_evaluation(const eg_measure_scope *scope);
/** eg_measure_kind.by_default: not more than EG_MANY_TASKS phases or tasks. */
bool eg_measure_has_few_tasks(const eg_measure_scope *scope);

#endif
