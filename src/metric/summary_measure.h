/** What measures that summarise the accuracy matrix share: each value once on the test data, which
 * are reported, and once on the data that select. */
#ifndef METRIC_SUMMARY_MEASURE_H
#define METRIC_SUMMARY_MEASURE_H

#include "metric/matrix_summary.h"
#include "metric/measure_scopes.h"

enum { EG_SUMMARY_FIELDS_MAX = 2 };

typedef struct eg_summary_field {
    const eg_variable *variable;
    double (*value)(const eg_matrix_summary *summary);
} eg_summary_field;

/** Begins the object of such a measure. */
typedef struct eg_summary_measure {
    eg_measure base;
    eg_summary_field field[EG_SUMMARY_FIELDS_MAX]; /**< variable NULL: no more */
    eg_matrix_summary reported, selecting;
    bool diverged; /**< known at the end */
} eg_summary_measure;

/** Rows of a table of eg_measure_ops. */
#define EG_SUMMARY_OPS                                                                             \
    .clear = eg_summary_clear, .end_trial = eg_summary_end_trial,                                  \
    .selecting = eg_summary_selecting, .write = eg_summary_write, .read = eg_summary_read

eg_status eg_summary_init(eg_summary_measure *self, const eg_summary_field *fields,
                          size_t count) EG_WARN_UNUSED;
void eg_summary_clear(eg_measure *measure);
/** Hook `evaluation`: takes the rows of both matrices. */
eg_status eg_summary_evaluation(eg_measure *measure, const eg_moment *now,
                                const eg_evaluation *evaluation);
eg_status eg_summary_end_trial(eg_measure *measure, const eg_moment *now);
bool eg_summary_selecting(const eg_measure *measure, const char *name, double *out);
void eg_summary_write(const eg_measure *measure, eg_writer *writer);
eg_status eg_summary_read(eg_measure *measure, eg_reader *reader);

#endif
