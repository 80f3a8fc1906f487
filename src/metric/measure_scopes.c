/** What several measures ask of the settings and of the stream; see metric/measure_scopes.h. */
#include "metric/measure_scopes.h"

const char *eg_lacks_evaluation(const eg_measure_scope *scope)
{
    return scope->tasks == 0 ? "a stream with evaluation sets" : NULL;
}

const char *eg_lacks_accuracy(const eg_measure_scope *scope)
{
    return scope->classifies ? eg_lacks_evaluation(scope) : "classes, and the stream has targets";
}

const char *eg_lacks_learned_tasks(const eg_measure_scope *scope)
{
    return scope->tasks == 1 || scope->tasks == scope->phases
               ? eg_lacks_accuracy(scope)
               : "a stream whose phases are tasks, or share one";
}

bool eg_measure_has_few_tasks(const eg_measure_scope *scope)
{
    return scope->tasks <= EG_MANY_TASKS && scope->phases <= EG_MANY_TASKS;
}

size_t eg_measure_count_examples(const eg_stream *stream)
{
    size_t examples = 0;
    for (size_t phase = 0; phase < stream->shape.phases; phase++) {
        eg_phase about = eg_stream_phase(stream, phase);
        examples += about.examples * about.epochs;
    }
    return examples;
}

size_t eg_measure_count_bins(const eg_stream *stream, size_t size)
{
    return size == 0 ? stream->shape.phases : (eg_measure_count_examples(stream) + size - 1) / size;
}
