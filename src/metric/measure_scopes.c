/** What several measures ask of the settings; see metric/measure_scopes.h. */
#include "metric/measure_scopes.h"

const char *eg_lacks_evaluation(const eg_measure_scope *scope)
{
    return scope->tasks == 0 ? "a stream with evaluation sets" : NULL;
}

const char *eg_lacks_accuracy(const eg_measure_scope *scope)
{
    return scope->classifies ? eg_lacks_evaluation(scope) : "classes, and the stream has targets";
}

bool eg_measure_has_few_tasks(const eg_measure_scope *scope)
{
    return scope->tasks <= EG_MANY_TASKS && scope->phases <= EG_MANY_TASKS;
}
