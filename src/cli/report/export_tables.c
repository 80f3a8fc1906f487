/** The tables `engram export` makes; see cli/report/export_tables.h. */
#include "cli/report/export_tables.h"

#include "cli/report/result_facts.h"
#include "engram/memory.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN_NAME_SIZE = 96 };

static eg_status name_all(eg_rows *rows, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        EG_TRY(eg_rows_name(rows, names[i]));
    }
    return eg_ok();
}

/** Columns that say which trial a row is about. */
static eg_status name_identity(eg_rows *rows, const eg_results *results, bool swept_only)
{
    static const char *const names[] = {"trial", "trial_id", "point", "replicate",
                                        "seed",  "status",   "stage"};
    EG_TRY(name_all(rows, names, EG_COUNT(names)));
    for (size_t c = 0; c < results->column_count; c++) {
        if (results->columns[c].swept || !swept_only) {
            EG_TRY(eg_rows_name(rows, results->columns[c].name));
        }
    }
    return eg_ok();
}

static void write_identity(eg_rows *rows, const eg_results *results, size_t trial, bool swept_only)
{
    const eg_result *result = &results->trials[trial];
    eg_rows_integer(rows, trial);
    eg_rows_text(rows, eg_id(result->attempt.trial).text);
    eg_rows_integer(rows, result->point);
    eg_rows_integer(rows, result->replicate);
    eg_rows_integer(rows, result->seed);
    eg_rows_text(rows, eg_trial_status_name(result->status));
    eg_rows_integer(rows, result->stage);
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->swept || !swept_only) {
            eg_rows_setting(rows, column->type, column->text[result->point]);
        }
    }
}

/** --- Trials ---------------------------------------------------------------------------------- */

/** The objective has a column of its own in every file. */
static bool is_scalar(const eg_stored_variable *variable, bool stable)
{
    return variable->rank == 0 && !(stable && variable->volatile_) &&
           strcmp(variable->name, "objective") != 0;
}

static eg_status name_trials(eg_rows *rows, const eg_results *results, bool stable)
{
    static const char *const about[] = {"attempt", "rank", "host", "start_time", "wall_seconds"};
    EG_TRY(name_identity(rows, results, false));
    EG_TRY(eg_rows_name(rows, "objective"));
    for (size_t v = 0; v < results->variable_count; v++) {
        if (is_scalar(&results->variables[v], stable)) {
            EG_TRY(eg_rows_name(rows, results->variables[v].name));
        }
    }
    if (!stable) {
        EG_TRY(name_all(rows, about, EG_COUNT(about)));
    }
    return eg_rows_name(rows, "message");
}

static void write_trial(eg_rows *rows, const eg_results *results, size_t trial, bool stable)
{
    const eg_result *result = &results->trials[trial];
    write_identity(rows, results, trial, false);
    eg_rows_real(rows, result->objective, true);
    for (size_t v = 0; v < results->variable_count; v++) {
        const eg_stored_variable *variable = &results->variables[v];
        if (is_scalar(variable, stable)) {
            eg_rows_real(rows, eg_result_value(result, variable->name), variable->wide);
        }
    }
    if (!stable) {
        bool ran = result->attempt.start_time > 0;
        eg_rows_integer(rows, result->attempt.number);
        eg_rows_integer(rows, result->attempt.rank);
        eg_rows_text(rows, result->attempt.host);
        eg_rows_real(rows, ran ? result->attempt.start_time : (double)NAN, true);
        eg_rows_real(rows, ran ? result->attempt.wall_seconds : (double)NAN, true);
    }
    eg_rows_text(rows, result->message);
    eg_rows_end_row(rows);
}

eg_status eg_export_trials(eg_rows *rows, const eg_results *results, bool stable)
{
    EG_TRY(name_trials(rows, results, stable));
    eg_rows_head(rows);
    for (size_t t = 0; t < results->trial_count && !ferror(rows->file); t++) {
        write_trial(rows, results, t, stable);
    }
    eg_rows_foot(rows);
    return eg_ok();
}

/** --- Curves ---------------------------------------------------------------------------------- */

static bool is_curve(const eg_stored_variable *variable, bool stable)
{
    return (variable->rank == 1 || variable->rank == 2) && strcmp(variable->dims[0], "eval") == 0 &&
           !(stable && variable->volatile_);
}

static const eg_array *find_array(const eg_result *result, const char *name)
{
    return result->record == NULL ? NULL : eg_record_find(result->record, name);
}

/** The longest second dimension of a curve over all trials: every row has that many columns for
 *  it. */
static size_t longest(const eg_results *results, const eg_stored_variable *variable, size_t axis)
{
    size_t most = 0;
    for (size_t t = 0; t < results->trial_count; t++) {
        const eg_array *array = find_array(&results->trials[t], variable->name);
        if (array != NULL && array->rank > axis && array->extent[axis] > most) {
            most = array->extent[axis];
        }
    }
    return most;
}

static size_t columns_of(const eg_results *results, size_t v)
{
    const eg_stored_variable *variable = &results->variables[v];
    return variable->rank == 1 ? 1 : longest(results, variable, 1);
}

static eg_status name_curves(eg_rows *rows, const eg_results *results, bool stable, size_t *columns)
{
    EG_TRY(name_identity(rows, results, true));
    EG_TRY(eg_rows_name(rows, "eval"));
    for (size_t v = 0; v < results->variable_count; v++) {
        const eg_stored_variable *variable = &results->variables[v];
        columns[v] = is_curve(variable, stable) ? columns_of(results, v) : 0;
        for (size_t i = 0; i < columns[v]; i++) {
            char name[COLUMN_NAME_SIZE];
            if (variable->rank == 1) {
                (void)snprintf(name, sizeof name, "%s", variable->name);
            } else {
                (void)snprintf(name, sizeof name, "%s.%zu", variable->name, i);
            }
            EG_TRY(eg_rows_name(rows, name));
        }
    }
    return eg_ok();
}

/** Value of a curve at an evaluation, NaN beyond its end. */
static double curve_at(const eg_array *array, size_t eval, size_t i)
{
    if (array == NULL || eval >= array->extent[0]) {
        return (double)NAN;
    }
    size_t width = array->rank == 1 ? 1 : array->extent[1];
    return i < width ? array->data[eval * width + i] : (double)NAN;
}

static void write_curves(eg_rows *rows, const eg_results *results, size_t trial,
                         const size_t *columns)
{
    const eg_result *result = &results->trials[trial];
    size_t evals = result->record == NULL ? 0 : eg_trial_evaluations(result->record);
    for (size_t eval = 0; eval < evals; eval++) {
        write_identity(rows, results, trial, true);
        eg_rows_integer(rows, eval);
        for (size_t v = 0; v < results->variable_count; v++) {
            const eg_array *array =
                columns[v] == 0 ? NULL : find_array(result, results->variables[v].name);
            for (size_t i = 0; i < columns[v]; i++) {
                eg_rows_real(rows, curve_at(array, eval, i), results->variables[v].wide);
            }
        }
        eg_rows_end_row(rows);
    }
}

eg_status eg_export_curves(eg_rows *rows, const eg_results *results, bool stable)
{
    size_t *columns = NULL;
    EG_TRY(eg_alloc(&columns, results->variable_count, sizeof *columns));
    eg_status status = name_curves(rows, results, stable, columns);
    if (status.code == EG_OK) {
        eg_rows_head(rows);
        for (size_t t = 0; t < results->trial_count && !ferror(rows->file); t++) {
            write_curves(rows, results, t, columns);
        }
        eg_rows_foot(rows);
    }
    eg_free(columns);
    return status;
}

/** --- Matrices -------------------------------------------------------------------------------- */

static bool is_matrix(const eg_stored_variable *variable)
{
    return variable->rank == 2 && strcmp(variable->dims[0], "train_task") == 0 &&
           strcmp(variable->dims[1], "eval_task") == 0;
}

static double cell_at(const eg_array *array, size_t row, size_t column)
{
    bool inside = array != NULL && row < array->extent[0] && column < array->extent[1];
    return inside ? array->data[row * array->extent[1] + column] : (double)NAN;
}

static void write_matrix(eg_rows *rows, const eg_results *results, size_t trial)
{
    const eg_result *result = &results->trials[trial];
    const eg_array *shape = find_array(result, "accuracy_matrix");
    size_t cells = shape == NULL ? 0 : shape->count;
    for (size_t i = 0; i < cells; i++) {
        size_t row = i / shape->extent[1];
        size_t column = i % shape->extent[1];
        write_identity(rows, results, trial, true);
        eg_rows_integer(rows, row);
        eg_rows_integer(rows, column);
        for (size_t v = 0; v < results->variable_count; v++) {
            const eg_stored_variable *variable = &results->variables[v];
            if (is_matrix(variable)) {
                eg_rows_real(rows, cell_at(find_array(result, variable->name), row, column),
                             variable->wide);
            }
        }
        eg_rows_end_row(rows);
    }
}

eg_status eg_export_matrix(eg_rows *rows, const eg_results *results, bool stable)
{
    (void)stable; /* an accuracy never depends on the clock */
    EG_TRY(name_identity(rows, results, true));
    EG_TRY(eg_rows_name(rows, "train_task"));
    EG_TRY(eg_rows_name(rows, "eval_task"));
    for (size_t v = 0; v < results->variable_count; v++) {
        if (is_matrix(&results->variables[v])) {
            EG_TRY(eg_rows_name(rows, results->variables[v].name));
        }
    }
    eg_rows_head(rows);
    for (size_t t = 0; t < results->trial_count && !ferror(rows->file); t++) {
        write_matrix(rows, results, t);
    }
    eg_rows_foot(rows);
    return eg_ok();
}

/** --- Series ---------------------------------------------------------------------------------- */

static bool is_series(const eg_stored_variable *variable, bool stable)
{
    return variable->rank == 1 && strcmp(variable->dims[0], "eval") != 0 &&
           !(stable && variable->volatile_);
}

static void write_series(eg_rows *rows, const eg_results *results, size_t trial,
                         const eg_stored_variable *variable)
{
    const eg_array *array = find_array(&results->trials[trial], variable->name);
    for (size_t i = 0; array != NULL && i < array->count; i++) {
        write_identity(rows, results, trial, true);
        eg_rows_text(rows, variable->name);
        eg_rows_text(rows, variable->dims[0]);
        eg_rows_integer(rows, i);
        eg_rows_real(rows, array->data[i], variable->wide);
        eg_rows_end_row(rows);
    }
}

eg_status eg_export_series(eg_rows *rows, const eg_results *results, bool stable)
{
    static const char *const names[] = {"variable", "axis", "index", "value"};
    EG_TRY(name_identity(rows, results, true));
    EG_TRY(name_all(rows, names, EG_COUNT(names)));
    eg_rows_head(rows);
    for (size_t t = 0; t < results->trial_count && !ferror(rows->file); t++) {
        for (size_t v = 0; v < results->variable_count; v++) {
            if (is_series(&results->variables[v], stable)) {
                write_series(rows, results, t, &results->variables[v]);
            }
        }
    }
    eg_rows_foot(rows);
    return eg_ok();
}
