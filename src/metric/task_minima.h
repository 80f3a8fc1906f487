/** The lowest accuracy on each task since it was learned, from evaluations as they come: during
 *  phases as well as at their ends. Task j counts as learned when phase j has ended; a task that
 *  all phases share, when the first has.
 *
 *      a_e[j]     accuracy on task j at evaluation e
 *      lowest[j]  min of a_e[j] over the evaluations e of phases after phase j; NaN: none yet
 *
 *  Source: M. De Lange, G. van de Ven, T. Tuytelaars, "Continual evaluation for lifelong learning:
 *  identifying the stability gap", ICLR 2023, arXiv 2205.13452, equation 1. */
#ifndef METRIC_TASK_MINIMA_H
#define METRIC_TASK_MINIMA_H

#include "engram/pack.h"
#include "engram/status.h"

#include <stddef.h>

typedef struct eg_minima {
    size_t phases, tasks;
    double *lowest; /**< [tasks] */
} eg_minima;

/** On failure the caller still clears it. */
eg_status eg_minima_init(eg_minima *out, size_t phases, size_t tasks) EG_WARN_UNUSED;
void eg_minima_clear(eg_minima *minima);
/** An evaluation made during or at the end of `phase`; those of phases from `phases` on are passed
 *  over. accuracy [at least tasks], NaN where not evaluated. */
void eg_minima_add(eg_minima *minima, size_t phase, const double *accuracy);
/** min-ACC: the mean over tasks learned before the last phase. NaN if there are none, or if one of
 *  them was not evaluated since. */
double eg_minima_mean(const eg_minima *minima);

void eg_minima_write(const eg_minima *minima, eg_writer *writer);
eg_status eg_minima_read(eg_minima *minima, eg_reader *reader) EG_WARN_UNUSED;

#endif
