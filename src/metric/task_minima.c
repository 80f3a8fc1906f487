/** Lowest accuracies; see metric/task_minima.h. */
#include "metric/task_minima.h"

#include "engram/memory.h"

#include <math.h>

eg_status eg_minima_init(eg_minima *out, size_t phases, size_t tasks)
{
    *out = (eg_minima){.phases = phases, .tasks = tasks};
    EG_TRY(eg_alloc(&out->lowest, tasks, sizeof *out->lowest));
    for (size_t j = 0; j < tasks; j++) {
        out->lowest[j] = (double)NAN;
    }
    return eg_ok();
}

void eg_minima_clear(eg_minima *minima)
{
    eg_free(minima->lowest);
    *minima = (eg_minima){.phases = 0};
}

void eg_minima_add(eg_minima *minima, size_t phase, const double *accuracy)
{
    for (size_t j = 0; phase < minima->phases && j < minima->tasks && j < phase; j++) {
        minima->lowest[j] = fmin(minima->lowest[j], accuracy[j]); /* passes over NaN */
    }
}

double eg_minima_mean(const eg_minima *minima)
{
    double sum = 0;
    size_t count = 0;
    for (size_t j = 0; j < minima->tasks && j + 1 < minima->phases; j++) {
        sum += minima->lowest[j];
        count++;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

void eg_minima_write(const eg_minima *minima, eg_writer *writer)
{
    for (size_t j = 0; j < minima->tasks; j++) {
        eg_write_f64(writer, minima->lowest[j]);
    }
}

eg_status eg_minima_read(eg_minima *minima, eg_reader *reader)
{
    for (size_t j = 0; j < minima->tasks; j++) {
        minima->lowest[j] = eg_read_f64(reader);
    }
    return eg_reader_status(reader, false);
}
