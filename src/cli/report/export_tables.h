/** The tables `engram export` makes of a results file. */
#ifndef CLI_EXPORT_TABLES_H
#define CLI_EXPORT_TABLES_H

#include "cli/report/export_rows.h"
#include "engram/store.h"

/** A row per trial: identity, settings, scalars, circumstances. With `stable`, nothing that differs
 *  between identical runs (times, memory, rank, host, attempt). */
eg_status eg_export_trials(eg_rows *rows, const eg_results *results, bool stable) EG_WARN_UNUSED;
/** A row per evaluation of a trial: every curve over `eval`; a second dimension becomes columns
 *  NAME.0, NAME.1 … */
eg_status eg_export_curves(eg_rows *rows, const eg_results *results, bool stable) EG_WARN_UNUSED;
/** A row per cell of the accuracy matrices. */
eg_status eg_export_matrix(eg_rows *rows, const eg_results *results, bool stable) EG_WARN_UNUSED;
/** A row per value of what is recorded over another axis than evaluations: bins, tasks. */
eg_status eg_export_series(eg_rows *rows, const eg_results *results, bool stable) EG_WARN_UNUSED;
/** A row per task of all points that differ in the order of tasks alone: its accuracy and OPD, and
 *  accuracy, AOPD and MOPD of these points, and of stl. Errors: as eg_results_groups_find. */
eg_status eg_export_orders(eg_rows *rows, const eg_results *results, bool stable) EG_WARN_UNUSED;

#endif
