/** Grouping points by all settings but the order of tasks; see store/shared/order_groups.h. */
#include "store/shared/order_groups.h"

#include "engram/memory.h"
#include "engram/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool eg_results_is_task_order(const char *name)
{
    return strcmp(name, "stream.order") == 0 || strcmp(name, "stream.task_order") == 0;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Whether two points have equal values of the swept settings that `wanted` chooses. */
static bool agree(const eg_results *results, size_t a, size_t b, bool (*wanted)(const char *name))
{
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->swept && wanted(column->name) && !same_text(column->text[a], column->text[b])) {
            return false;
        }
    }
    return true;
}

static bool is_no_order(const char *name)
{
    return !eg_results_is_task_order(name);
}

/* Settings of what is learned, and of the network. */
static bool is_of_problem(const char *name)
{
    return is_no_order(name) &&
           (strncmp(name, "stream", 6) == 0 || strncmp(name, "dataset", 7) == 0 ||
            strncmp(name, "model", 5) == 0);
}

/* Whether a point has a trial of the sweep, and one of the second stage. */
static void find_stages(const eg_results *results, bool *live, bool *fresh)
{
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        live[result->point] = live[result->point] || result->stage != EG_STAGE_EARLIER;
        fresh[result->point] = fresh[result->point] || result->stage == EG_STAGE_SECOND;
    }
}

/* Whether any points differ in their order of tasks: else none are compared with all others. */
static bool orders_are_swept(const eg_results *results)
{
    bool swept = false;
    for (size_t c = 0; c < results->column_count && !swept; c++) {
        swept = results->columns[c].swept && eg_results_is_task_order(results->columns[c].name);
    }
    return swept;
}

/* Adds the point to the first group that it fits, or to a new one. */
static eg_status place(eg_order_groups *groups, const eg_results *results, size_t point)
{
    size_t g = 0;
    while (g < groups->count && !agree(results, groups->items[g].point[0], point, is_no_order)) {
        g++;
    }
    if (g == groups->count) {
        EG_TRY(eg_grow(&groups->items, &groups->capacity, g + 1, sizeof *groups->items));
        groups->items[g] = (eg_order_group){.stl = SIZE_MAX};
        groups->count++;
    }
    eg_order_group *group = &groups->items[g];
    size_t more = group->orders + 1;
    EG_TRY(eg_grow(&group->point, &group->point_capacity, more, sizeof *group->point));
    EG_TRY(eg_grow(&group->runs, &group->runs_capacity, more, sizeof *group->runs));
    group->runs[group->orders] = 0;
    group->point[group->orders++] = point;
    return eg_ok();
}

static void clear_group(eg_order_group *group)
{
    eg_free(group->point);
    eg_free(group->runs);
    eg_disparity_clear(&group->disparity);
}

static void drop_single_orders(eg_order_groups *groups)
{
    size_t kept = 0;
    for (size_t g = 0; g < groups->count; g++) {
        if (groups->items[g].orders > 1) {
            groups->items[kept++] = groups->items[g];
        } else {
            clear_group(&groups->items[g]);
        }
    }
    groups->count = kept;
}

static void number_points(eg_order_groups *groups, size_t points)
{
    for (size_t p = 0; p < points; p++) {
        groups->group[p] = SIZE_MAX;
    }
    for (size_t g = 0; g < groups->count; g++) {
        for (size_t order = 0; order < groups->items[g].orders; order++) {
            groups->group[groups->items[g].point[order]] = g;
        }
    }
}

eg_status eg_results_groups_begin(eg_order_groups *out, const eg_results *results)
{
    bool *live = NULL;
    size_t points = results->point_count;
    *out = (eg_order_groups){.count = 0};
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&live, points, sizeof *live));
    EG_TRY_DONE(status, eg_alloc(&out->fresh, points, sizeof *out->fresh));
    EG_TRY_DONE(status, eg_alloc(&out->group, points, sizeof *out->group));
    find_stages(results, live, out->fresh);
    for (size_t p = 0; p < points && orders_are_swept(results); p++) {
        if (live[p]) {
            EG_TRY_DONE(status, place(out, results, p));
        }
    }
    drop_single_orders(out);
    number_points(out, points);
done:
    eg_free(live);
    return status;
}

/* The last row of the matrix, by identity. */
static void add_row(eg_disparity *disparity, size_t order, const eg_record *record,
                    const eg_array *matrix)
{
    const eg_array *identity = eg_record_find(record, "task_identity");
    size_t tasks = matrix->extent[1];
    const double *last = matrix->data + (matrix->extent[0] - 1) * tasks;
    for (size_t t = 0; t < tasks; t++) {
        double task = identity != NULL && t < identity->count ? identity->data[t] : (double)t;
        if (task >= 0 && task < (double)disparity->tasks) {
            eg_disparity_add(disparity, order, (size_t)task, last[t]);
        }
    }
}

eg_status eg_results_groups_add(eg_order_groups *groups, const eg_result *trial,
                                const eg_record *record)
{
    bool fresh = groups->fresh[trial->point];
    bool counts = trial->stage == (fresh ? EG_STAGE_SECOND : EG_STAGE_FIRST) &&
                  trial->status == EG_TRIAL_DONE && record != NULL;
    const eg_array *matrix = counts ? eg_record_find(record, "accuracy_matrix") : NULL;
    size_t g = groups->group[trial->point];
    if (g == SIZE_MAX || matrix == NULL || matrix->count == 0) {
        return eg_ok();
    }
    eg_order_group *group = &groups->items[g];
    size_t order = 0;
    while (group->point[order] != trial->point) {
        order++;
    }
    if (group->disparity.cell == NULL) {
        EG_TRY(eg_disparity_init(&group->disparity, group->orders, matrix->extent[1]));
    }
    add_row(&group->disparity, order, record, matrix);
    group->runs[order]++;
    groups->measured = true;
    return eg_ok();
}

static double accuracy_of(const eg_order_group *group)
{
    return group->disparity.cell != NULL ? eg_disparity_accuracy(&group->disparity) : (double)NAN;
}

static int most_accurate_first(const void *a, const void *b)
{
    const eg_order_group *x = a;
    const eg_order_group *y = b;
    double first = accuracy_of(x);
    double second = accuracy_of(y);
    if (isnan(first) != isnan(second)) {
        return isnan(first) ? 1 : -1;
    }
    if (first != second && !isnan(first)) {
        return first > second ? -1 : 1;
    }
    return x->point[0] < y->point[0] ? -1 : x->point[0] > y->point[0];
}

/* learner = stl, or a learner around it. */
static bool is_stl(const eg_results *results, size_t point)
{
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->type == EG_TYPE_COMPONENT && strncmp(column->name, "learner", 7) == 0 &&
            same_text(column->text[point], "stl")) {
            return true;
        }
    }
    return false;
}

/* Groups are sorted: the first that fits is the most accurate one. */
static void find_stl(const eg_order_groups *groups, const eg_results *results, size_t g)
{
    eg_order_group *group = &groups->items[g];
    for (size_t s = 0; s < groups->count && group->stl == SIZE_MAX; s++) {
        size_t point = groups->items[s].point[0];
        if (is_stl(results, point) && agree(results, point, group->point[0], is_of_problem)) {
            group->stl = s;
        }
    }
}

static void count_runs(eg_order_group *group)
{
    group->least_runs = group->runs[0];
    group->most_runs = group->runs[0];
    for (size_t order = 1; order < group->orders; order++) {
        size_t runs = group->runs[order];
        group->least_runs = runs < group->least_runs ? runs : group->least_runs;
        group->most_runs = runs > group->most_runs ? runs : group->most_runs;
    }
}

void eg_results_groups_end(eg_order_groups *groups, const eg_results *results)
{
    for (size_t g = 0; g < groups->count; g++) {
        count_runs(&groups->items[g]);
    }
    if (groups->count > 0) {
        qsort(groups->items, groups->count, sizeof *groups->items, most_accurate_first);
    }
    for (size_t g = 0; g < groups->count; g++) {
        find_stl(groups, results, g);
    }
    number_points(groups, results->point_count);
}

eg_status eg_results_groups_find(eg_order_groups *out, const eg_results *results)
{
    EG_TRY(eg_results_groups_begin(out, results));
    for (size_t i = 0; i < results->trial_count; i++) {
        EG_TRY(eg_results_groups_add(out, &results->trials[i], results->trials[i].record));
    }
    if (out->count == 0) {
        return eg_fail(EG_INVALID, "no points differ in the order of tasks alone (stream.order, "
                                   "stream.task_order)");
    }
    if (!out->measured) {
        return eg_fail(EG_INVALID, "no trial that is done recorded an accuracy_matrix, which "
                                   "disparities over orders are made of");
    }
    eg_results_groups_end(out, results);
    return eg_ok();
}

void eg_results_groups_clear(eg_order_groups *groups)
{
    for (size_t g = 0; g < groups->count; g++) {
        clear_group(&groups->items[g]);
    }
    eg_free(groups->items);
    eg_free(groups->group);
    eg_free(groups->fresh);
    *groups = (eg_order_groups){.count = 0};
}

eg_order_numbers eg_results_group_numbers(const eg_order_groups *groups, size_t g)
{
    const eg_disparity *of = g == SIZE_MAX ? NULL : &groups->items[g].disparity;
    if (of == NULL || of->cell == NULL) {
        return (eg_order_numbers){(double)NAN, (double)NAN, (double)NAN};
    }
    return (eg_order_numbers){eg_disparity_accuracy(of), eg_disparity_mean(of),
                              eg_disparity_largest(of)};
}
