/** Held-out examples of phases; see learner/held_out.h. */
#include "learner/held_out.h"

eg_held_out_sets eg_held_out_of(const eg_stream *stream, size_t phase)
{
    size_t task = eg_stream_phase(stream, phase).task;
    if (stream->shape.phases_hold_out) {
        return (eg_held_out_sets){.first = phase, .end = phase + 1};
    }
    return task == EG_NO_TASK ? (eg_held_out_sets){.first = 0, .end = stream->shape.tasks}
                              : (eg_held_out_sets){.first = task, .end = task + 1};
}

eg_status eg_held_out_needed(const eg_stream *stream, const char *learner)
{
    size_t count = 0;
    size_t sets = stream->shape.phases_hold_out ? stream->shape.phases : stream->shape.tasks;
    for (size_t t = 0; t < sets; t++) {
        count += eg_stream_count(stream, EG_SUBSET_VALIDATION, t);
    }
    return count > 0 ? eg_ok()
                     : eg_fail(EG_INVALID, "learner %s needs held-out training examples", learner);
}
