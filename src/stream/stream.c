/** Creating and asking streams; see engram/stream.h. */
#include "engram/stream.h"

#include <assert.h>

eg_status eg_stream_create(eg_stream **out, const eg_view *root, const eg_dataset *dataset,
                           uint64_t seed, double holdout, size_t block)
{
    assert(holdout >= 0 && holdout < 1);
    *out = NULL;
    /* A component is the first member of its descriptor. */
    const eg_stream_kind *kind =
        (const eg_stream_kind *)(const void *)eg_view_component(root, "stream");
    eg_view view = eg_view_inside(root, "stream");
    return kind->create(out, &view, dataset, seed, holdout, block);
}

void eg_stream_free(eg_stream *stream)
{
    if (stream != NULL) {
        stream->ops->free(stream);
    }
}

size_t eg_stream_steps(const eg_stream *stream, size_t phase)
{
    assert(phase < stream->shape.phases);
    return stream->ops->steps(stream, phase);
}

void eg_stream_get(eg_stream *stream, size_t phase, size_t step, eg_batch *out)
{
    assert(step < eg_stream_steps(stream, phase));
    stream->ops->get(stream, phase, step, out);
}

size_t eg_stream_count(const eg_stream *stream, eg_subset subset, size_t task)
{
    assert(task < stream->shape.tasks);
    return stream->ops->count(stream, subset, task);
}

void eg_stream_examples(eg_stream *stream, eg_subset subset, size_t task, size_t first, size_t size,
                        eg_batch *out)
{
    assert(first <= eg_stream_count(stream, subset, task) &&
           size <= eg_stream_count(stream, subset, task) - first);
    stream->ops->examples(stream, subset, task, first, size, out);
}
