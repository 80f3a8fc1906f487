/** Grouping points by all settings but the order of tasks; see cli/report/order_groups.h. */
#include "cli/report/order_groups.h"

#include "engram/memory.h"
#include "engram/params.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool eg_is_task_order(const char *name)
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
    return !eg_is_task_order(name);
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

/* Adds the point to the first group that it fits, or to a new one. */
static eg_status place(eg_order_groups *groups, size_t *capacity, const eg_results *results,
                       size_t point)
{
    size_t g = 0;
    while (g < groups->count && !agree(results, groups->items[g].point[0], point, is_no_order)) {
        g++;
    }
    if (g == groups->count) {
        EG_TRY(eg_grow(&groups->items, capacity, g + 1, sizeof *groups->items));
        groups->items[g] = (eg_order_group){.stl = SIZE_MAX};
        groups->count++;
    }
    eg_order_group *group = &groups->items[g];
    EG_TRY(eg_grow(&group->point, &group->capacity, group->orders + 1, sizeof *group->point));
    group->point[group->orders++] = point;
    return eg_ok();
}

static void drop_single_orders(eg_order_groups *groups)
{
    size_t kept = 0;
    for (size_t g = 0; g < groups->count; g++) {
        if (groups->items[g].orders > 1) {
            groups->items[kept++] = groups->items[g];
        } else {
            eg_free(groups->items[g].point);
        }
    }
    groups->count = kept;
}

/* The matrix of a trial that counts, or NULL. */
static const eg_array *matrix_of(const eg_result *result, const bool *fresh)
{
    bool reports = result->stage == (fresh[result->point] ? EG_STAGE_SECOND : EG_STAGE_FIRST);
    bool counts = reports && result->status == EG_TRIAL_DONE && result->record != NULL;
    return counts ? eg_record_find(result->record, "accuracy_matrix") : NULL;
}

/* Its last row, by identity. */
static void add_trial(eg_disparity *disparity, size_t order, const eg_result *result,
                      const eg_array *matrix)
{
    const eg_array *identity = eg_record_find(result->record, "task_identity");
    size_t tasks = matrix->extent[1];
    const double *last = matrix->data + (matrix->extent[0] - 1) * tasks;
    for (size_t t = 0; t < tasks; t++) {
        double task = identity != NULL && t < identity->count ? identity->data[t] : (double)t;
        if (task >= 0 && task < (double)disparity->tasks) {
            eg_disparity_add(disparity, order, (size_t)task, last[t]);
        }
    }
}

static eg_status add_order(eg_order_group *group, size_t order, const eg_results *results,
                           const bool *fresh)
{
    size_t runs = 0;
    for (size_t i = 0; i < results->trial_count; i++) {
        const eg_result *result = &results->trials[i];
        const eg_array *matrix =
            result->point == group->point[order] ? matrix_of(result, fresh) : NULL;
        if (matrix == NULL || matrix->count == 0) {
            continue;
        }
        if (group->disparity.cell == NULL) {
            EG_TRY(eg_disparity_init(&group->disparity, group->orders, matrix->extent[1]));
        }
        add_trial(&group->disparity, order, result, matrix);
        runs++;
    }
    group->least_runs = order == 0 || runs < group->least_runs ? runs : group->least_runs;
    group->most_runs = runs > group->most_runs ? runs : group->most_runs;
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

/* live, fresh [points]: zero. */
static eg_status find(eg_order_groups *out, const eg_results *results, bool *live, bool *fresh)
{
    size_t capacity = 0;
    bool measured = false;
    find_stages(results, live, fresh);
    for (size_t p = 0; p < results->point_count; p++) {
        if (live[p]) {
            EG_TRY(place(out, &capacity, results, p));
        }
    }
    drop_single_orders(out);
    for (size_t g = 0; g < out->count; g++) {
        for (size_t order = 0; order < out->items[g].orders; order++) {
            EG_TRY(add_order(&out->items[g], order, results, fresh));
        }
        measured = measured || out->items[g].disparity.cell != NULL;
    }
    if (out->count == 0) {
        return eg_fail(EG_INVALID, "no points differ in the order of tasks alone (stream.order, "
                                   "stream.task_order)");
    }
    if (!measured) {
        return eg_fail(EG_INVALID, "no trial that is done recorded an accuracy_matrix, which "
                                   "disparities over orders are made of");
    }
    qsort(out->items, out->count, sizeof *out->items, most_accurate_first);
    for (size_t g = 0; g < out->count; g++) {
        find_stl(out, results, g);
    }
    return eg_ok();
}

eg_status eg_order_groups_find(eg_order_groups *out, const eg_results *results)
{
    bool *live = NULL;
    bool *fresh = NULL;
    *out = (eg_order_groups){.count = 0};
    eg_status status;
    EG_TRY_DONE(status, eg_alloc(&live, results->point_count, sizeof *live));
    EG_TRY_DONE(status, eg_alloc(&fresh, results->point_count, sizeof *fresh));
    status = find(out, results, live, fresh);
done:
    eg_free(live);
    eg_free(fresh);
    return status;
}

void eg_order_groups_clear(eg_order_groups *groups)
{
    for (size_t g = 0; g < groups->count; g++) {
        eg_free(groups->items[g].point);
        eg_disparity_clear(&groups->items[g].disparity);
    }
    eg_free(groups->items);
    *groups = (eg_order_groups){.count = 0};
}

eg_order_numbers eg_order_group_numbers(const eg_order_groups *groups, size_t g)
{
    const eg_disparity *of = g == SIZE_MAX ? NULL : &groups->items[g].disparity;
    if (of == NULL || of->cell == NULL) {
        return (eg_order_numbers){(double)NAN, (double)NAN, (double)NAN};
    }
    return (eg_order_numbers){eg_disparity_accuracy(of), eg_disparity_mean(of),
                              eg_disparity_largest(of)};
}
