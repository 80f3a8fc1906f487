/** Tables and objects of disparities over orders; see cli/report/orders_report.h. */
#include "cli/report/orders_report.h"

#include "cli/json.h"
#include "cli/report/table.h"
#include "engram/params.h"

#include <math.h>
#include <stdio.h>

static bool has_stl(const eg_order_groups *groups)
{
    size_t g = 0;
    while (g < groups->count && groups->items[g].stl == SIZE_MAX) {
        g++;
    }
    return g < groups->count;
}

static eg_status add_percent(eg_table *table, double share)
{
    return isnan(share) ? eg_table_cell(table, "-") : eg_table_cell(table, "%.2f", 100 * share);
}

static eg_status add_head(eg_table *table, const eg_point_columns *columns, bool stl)
{
    static const char *const names[] = {"rank",   "accuracy %",  "AOPD %",
                                        "MOPD %", "AOPD of stl", "MOPD of stl",
                                        "orders", "runs",        "point"};
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        if (stl || (i != 4 && i != 5)) {
            EG_TRY(eg_table_cell(table, "%s", names[i]));
        }
    }
    return eg_point_columns_head(columns, table);
}

static eg_status add_row(eg_table *table, const eg_order_groups *groups, size_t g,
                         const eg_point_columns *columns, bool stl)
{
    const eg_order_group *group = &groups->items[g];
    const eg_order_numbers own = eg_results_group_numbers(groups, g);
    const eg_order_numbers beside = eg_results_group_numbers(groups, group->stl);
    EG_TRY(eg_table_cell(table, "%zu", g + 1));
    EG_TRY(add_percent(table, own.accuracy));
    EG_TRY(add_percent(table, own.mean));
    EG_TRY(add_percent(table, own.largest));
    if (stl) {
        EG_TRY(add_percent(table, beside.mean));
        EG_TRY(add_percent(table, beside.largest));
    }
    EG_TRY(eg_table_cell(table, "%zu", group->orders));
    EG_TRY(group->least_runs == group->most_runs
               ? eg_table_cell(table, "%zu", group->least_runs)
               : eg_table_cell(table, "%zu-%zu", group->least_runs, group->most_runs));
    EG_TRY(eg_table_cell(table, "%zu", group->point[0]));
    return eg_point_columns_row(columns, table, group->point[0]);
}

eg_status eg_orders_print(const eg_order_groups *groups, size_t count,
                          const eg_point_columns *columns, const char *latex)
{
    static const char about[] =
        "over orders of tasks, the most accurate first; test accuracy after the last task, by what "
        "tasks are, mean over runs";
    static const char terms[] =
        "OPD of a task: its highest less its lowest accuracy over orders; AOPD and MOPD: mean and "
        "maximum over tasks";
    bool stl = has_stl(groups);
    eg_table table;
    eg_table_init(&table, (stl ? 9 : 7) + eg_point_columns_width(columns));
    eg_status status = add_head(&table, columns, stl);
    for (size_t g = 0; g < count && status.code == EG_OK; g++) {
        status = add_row(&table, groups, g, columns, stl);
    }
    if (status.code == EG_OK && latex != NULL) {
        char caption[sizeof about + sizeof terms + 256];
        (void)snprintf(caption, sizeof caption, "%.250s: %s; %s", latex, about, terms);
        eg_table_print_latex(&table, caption, stdout);
    } else if (status.code == EG_OK) {
        (void)printf("%s\n\n", about);
        status = eg_table_print(&table, stdout);
        (void)printf("\n%s\n", terms);
    }
    eg_table_clear(&table);
    return status;
}

/** --- JSON ------------------------------------------------------------------------------------ */

static void add_numbers(json_t *object, const eg_order_numbers *of)
{
    eg_json_real(object, "accuracy", of->accuracy);
    eg_json_real(object, "aopd", of->mean);
    eg_json_real(object, "mopd", of->largest);
}

/* The orders as settings say them. */
static json_t *orders_array(const eg_order_group *group, const eg_results *results)
{
    json_t *orders = json_array();
    for (size_t o = 0; o < group->orders; o++) {
        json_t *order = json_object();
        eg_json_count(order, "point", group->point[o]);
        for (size_t c = 0; c < results->column_count; c++) {
            const eg_column *column = &results->columns[c];
            const char *text = column->text[group->point[o]];
            if (eg_results_is_task_order(column->name) && text != NULL) {
                eg_json_setting(order, column->name, column->type, text);
            }
        }
        (void)json_array_append_new(orders, order);
    }
    return orders;
}

json_t *eg_order_group_json(const eg_order_groups *groups, size_t g, const eg_results *results)
{
    const eg_order_group *group = &groups->items[g];
    const eg_order_numbers own = eg_results_group_numbers(groups, g);
    const eg_order_numbers beside = eg_results_group_numbers(groups, group->stl);
    json_t *object = json_object();
    json_t *tasks = json_array();
    json_t *stl = json_null();
    eg_json_count(object, "rank", g + 1);
    add_numbers(object, &own);
    if (group->stl != SIZE_MAX) {
        stl = json_object();
        add_numbers(stl, &beside);
    }
    for (size_t t = 0; t < group->disparity.tasks; t++) {
        json_t *task = json_object();
        eg_json_count(task, "task", t);
        eg_json_real(task, "accuracy", eg_disparity_task_accuracy(&group->disparity, t));
        eg_json_real(task, "opd", eg_disparity_of_task(&group->disparity, t));
        (void)json_array_append_new(tasks, task);
    }
    (void)json_object_set_new(object, "stl", stl);
    eg_json_count(object, "least_runs", group->least_runs);
    eg_json_count(object, "most_runs", group->most_runs);
    (void)json_object_set_new(object, "orders", orders_array(group, results));
    (void)json_object_set_new(object, "tasks", tasks);
    return object;
}
