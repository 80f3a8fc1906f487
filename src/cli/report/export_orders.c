/** Disparities over orders of tasks as a table; see cli/report/export_tables.h. */
#include "cli/report/export_tables.h"

#include "engram/params.h"
#include "store/shared/order_groups.h"

static const char *const before[] = {"group", "orders", "least_runs", "most_runs"};
static const char *const after[] = {"task", "task_accuracy", "opd",      "accuracy",
                                    "aopd", "mopd",          "stl_aopd", "stl_mopd"};

static bool is_shown(const eg_column *column)
{
    return column->swept && !eg_results_is_task_order(column->name);
}

static eg_status name_columns(eg_rows *rows, const eg_results *results)
{
    for (size_t i = 0; i < EG_COUNT(before); i++) {
        EG_TRY(eg_rows_name(rows, before[i]));
    }
    for (size_t c = 0; c < results->column_count; c++) {
        if (is_shown(&results->columns[c])) {
            EG_TRY(eg_rows_name(rows, results->columns[c].name));
        }
    }
    for (size_t i = 0; i < EG_COUNT(after); i++) {
        EG_TRY(eg_rows_name(rows, after[i]));
    }
    return eg_ok();
}

static void write_group(eg_rows *rows, const eg_results *results, const eg_order_groups *groups,
                        size_t g)
{
    const eg_order_group *group = &groups->items[g];
    const eg_order_numbers own = eg_results_group_numbers(groups, g);
    const eg_order_numbers stl = eg_results_group_numbers(groups, group->stl);
    for (size_t t = 0; t < group->disparity.tasks; t++) {
        const double numbers[] = {eg_disparity_task_accuracy(&group->disparity, t),
                                  eg_disparity_of_task(&group->disparity, t),
                                  own.accuracy,
                                  own.mean,
                                  own.largest,
                                  stl.mean,
                                  stl.largest};
        eg_rows_integer(rows, g);
        eg_rows_integer(rows, group->orders);
        eg_rows_integer(rows, group->least_runs);
        eg_rows_integer(rows, group->most_runs);
        for (size_t c = 0; c < results->column_count; c++) {
            const eg_column *column = &results->columns[c];
            if (is_shown(column)) {
                eg_rows_setting(rows, column->type, column->text[group->point[0]]);
            }
        }
        eg_rows_integer(rows, t);
        for (size_t i = 0; i < EG_COUNT(numbers); i++) {
            eg_rows_real(rows, numbers[i], true);
        }
        eg_rows_end_row(rows);
    }
}

eg_status eg_export_orders(eg_rows *rows, const eg_results *results, bool stable)
{
    eg_order_groups groups;
    (void)stable; /* an accuracy never depends on the clock */
    eg_status status = eg_results_groups_find(&groups, results);
    if (status.code == EG_OK) {
        status = name_columns(rows, results);
    }
    if (status.code == EG_OK) {
        eg_rows_head(rows);
        for (size_t g = 0; g < groups.count && !ferror(rows->file); g++) {
            write_group(rows, results, &groups, g);
        }
        eg_rows_foot(rows);
    }
    eg_results_groups_clear(&groups);
    return status;
}
