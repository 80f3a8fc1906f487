/** What several measures ask of the settings and of the stream. */
#ifndef METRIC_MEASURE_SCOPES_H
#define METRIC_MEASURE_SCOPES_H

#include "engram/measure.h"

/** eg_measure_kind.lacks: classes, and sets to evaluate them on. */
const char *eg_lacks_accuracy(const eg_measure_scope *scope);
/** eg_measure_kind.lacks: evaluation sets. */
const char *eg_lacks_evaluation(const eg_measure_scope *scope);
/** eg_measure_kind.lacks: accuracies, and phases each of which teaches a task, or all the same. */
const char *eg_lacks_learned_tasks(const eg_measure_scope *scope);
/** eg_measure_kind.by_default: not more than EG_MANY_TASKS phases or tasks. */
bool eg_measure_has_few_tasks(const eg_measure_scope *scope);
/** Training examples of a trial whose phases are not ended early, all epochs counted. */
size_t eg_measure_count_examples(const eg_stream *stream);
/** Bins of `size` examples in it; size 0: each phase is one. */
size_t eg_measure_count_bins(const eg_stream *stream, size_t size);

#endif
