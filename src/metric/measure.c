/** What measures share: declaring curves, filling rows; see engram/measure.h. */
#include "engram/measure.h"

#include <math.h>
#include <string.h>

static size_t length_of(const eg_measure_setup *setup, const char *dimension, size_t other)
{
    const eg_stream_shape *shape = &setup->stream->shape;
    const struct {
        const char *name;
        size_t length;
    } known[] = {
        {"eval", setup->evals},
        {"task", shape->tasks},
        {"eval_task", shape->tasks},
        {"train_task", shape->phases},
        {"layer", setup->learner->hidden_layers},
        {"epoch", shape->epochs},
        {"mega_batch", shape->chunks + 1},
    };
    for (size_t i = 0; i < EG_COUNT(known); i++) {
        if (strcmp(known[i].name, dimension) == 0) {
            return known[i].length;
        }
    }
    return other;
}

eg_status eg_measure_declare(const eg_measure *measure, const eg_variable *variable, size_t length,
                             eg_array **out)
{
    size_t extent[EG_RANK_MAX] = {0};
    for (size_t i = 0; i < eg_variable_rank(variable); i++) {
        extent[i] = length_of(measure->setup, variable->dims[i], length);
    }
    return eg_record_declare(measure->setup->record, variable, extent, out);
}

void eg_measure_set_tasks(const eg_measure *measure, eg_array *array, size_t row,
                          const double *accuracy)
{
    size_t tasks = measure->setup->stream->shape.tasks;
    for (size_t t = 0; t < tasks; t++) {
        array->data[row * tasks + t] = accuracy[t];
    }
}
