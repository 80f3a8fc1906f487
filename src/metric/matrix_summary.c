/** Summaries of the accuracy matrix; see metric/matrix_summary.h. */
#include "metric/matrix_summary.h"

#include "engram/memory.h"

#include <math.h>

enum { VECTORS = 5 };

/* All but the weights. */
static void list_vectors(const eg_matrix_summary *summary, double *vector[VECTORS])
{
    vector[0] = summary->untrained;
    vector[1] = summary->last;
    vector[2] = summary->best;
    vector[3] = summary->own;
    vector[4] = summary->before;
}

eg_status eg_matrix_summary_init(eg_matrix_summary *out, size_t phases, size_t tasks)
{
    *out = (eg_matrix_summary){.phases = phases, .tasks = tasks};
    EG_TRY(eg_alloc(&out->weight, tasks, sizeof(double)));
    EG_TRY(eg_alloc(&out->untrained, tasks, sizeof(double)));
    EG_TRY(eg_alloc(&out->last, tasks, sizeof(double)));
    EG_TRY(eg_alloc(&out->best, tasks, sizeof(double)));
    EG_TRY(eg_alloc(&out->own, tasks, sizeof(double)));
    EG_TRY(eg_alloc(&out->before, tasks, sizeof(double)));
    double *vector[VECTORS];
    list_vectors(out, vector);
    for (size_t v = 0; v < VECTORS; v++) {
        for (size_t j = 0; j < tasks; j++) {
            vector[v][j] = (double)NAN;
        }
    }
    return eg_ok();
}

void eg_matrix_summary_clear(eg_matrix_summary *summary)
{
    eg_free(summary->weight);
    eg_free(summary->untrained);
    eg_free(summary->last);
    eg_free(summary->best);
    eg_free(summary->own);
    eg_free(summary->before);
    *summary = (eg_matrix_summary){.phases = 0};
}

void eg_matrix_summary_add(eg_matrix_summary *summary, size_t phase, const double *accuracy)
{
    bool last = phase + 1 == summary->phases;
    for (size_t j = 0; phase < summary->phases && j < summary->tasks; j++) {
        if (last) {
            summary->last[j] = accuracy[j];
        } else {
            summary->best[j] = fmax(summary->best[j], accuracy[j]); /* passes over NaN */
        }
        if (j == phase) {
            summary->own[j] = accuracy[j];
        } else if (j == phase + 1) {
            summary->before[j] = accuracy[j];
        }
    }
}

double eg_final_accuracy(const eg_matrix_summary *summary)
{
    double weighted = 0;
    double total = 0;
    for (size_t j = 0; j < summary->tasks; j++) {
        double n = summary->weight[j];
        weighted += n > 0 ? n * summary->last[j] : 0; /* a task without examples has no accuracy */
        total += n;
    }
    return weighted / total;
}

double eg_average_accuracy(const eg_matrix_summary *summary)
{
    double sum = 0;
    for (size_t j = 0; j < summary->tasks; j++) {
        sum += summary->last[j];
    }
    return sum / (double)summary->tasks;
}

static bool teaches_task_by_task(const eg_matrix_summary *summary)
{
    return summary->phases == summary->tasks && summary->tasks > 1;
}

double eg_forgetting(const eg_matrix_summary *summary)
{
    double sum = 0;
    for (size_t j = 0; j + 1 < summary->tasks; j++) {
        sum += summary->best[j] - summary->last[j];
    }
    return teaches_task_by_task(summary) ? sum / (double)(summary->tasks - 1) : (double)NAN;
}

double eg_backward_transfer(const eg_matrix_summary *summary)
{
    double sum = 0;
    for (size_t j = 0; j + 1 < summary->tasks; j++) {
        sum += summary->last[j] - summary->own[j];
    }
    return teaches_task_by_task(summary) ? sum / (double)(summary->tasks - 1) : (double)NAN;
}

double eg_forward_transfer(const eg_matrix_summary *summary)
{
    double sum = 0;
    for (size_t j = 1; j < summary->tasks; j++) {
        sum += summary->before[j] - summary->untrained[j];
    }
    return teaches_task_by_task(summary) ? sum / (double)(summary->tasks - 1) : (double)NAN;
}

void eg_matrix_summary_write(const eg_matrix_summary *summary, eg_writer *writer)
{
    double *vector[VECTORS];
    list_vectors(summary, vector);
    for (size_t v = 0; v < VECTORS; v++) {
        for (size_t j = 0; j < summary->tasks; j++) {
            eg_write_f64(writer, vector[v][j]);
        }
    }
}

eg_status eg_matrix_summary_read(eg_matrix_summary *summary, eg_reader *reader)
{
    double *vector[VECTORS];
    list_vectors(summary, vector);
    for (size_t v = 0; v < VECTORS; v++) {
        for (size_t j = 0; j < summary->tasks; j++) {
            vector[v][j] = eg_read_f64(reader);
        }
    }
    return eg_reader_status(reader, false);
}
