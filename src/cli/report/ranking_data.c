/** Which data select points, by the sweep's protocols; see cli/report/ranking_report.h. */
#include "cli/report/ranking_report.h"

#include "cli/format.h"
#include "cli/report/result_facts.h"
#include "engram/trial.h"

#include <stdio.h>
#include <string.h>

/** Where settings come from: one of the two. */
typedef struct source {
    const eg_plan *plan;
    const eg_results *results;
} source;

static const char *setting(const source *from, const char *name, size_t point)
{
    if (from->plan != NULL) {
        const eg_setting *found = eg_settings_find(from->plan->points[point].settings, name);
        return found == NULL ? NULL : found->value.text;
    }
    const eg_column *column = eg_results_column(from->results, name);
    return column == NULL ? NULL : column->text[point];
}

/** "validation", "test" or "first 3 tasks". */
static void describe_protocol(char text[EG_DATA_TEXT_SIZE], const source *from, size_t point)
{
    const char *protocol = setting(from, "protocol", point);
    const char *tasks = setting(from, "protocol.k", point);
    if (protocol != NULL && strcmp(protocol, "first_tasks") == 0 && tasks != NULL) {
        (void)snprintf(text, EG_DATA_TEXT_SIZE, "first %.20s task%s", tasks,
                       strcmp(tasks, "1") == 0 ? "" : "s");
    } else {
        (void)snprintf(text, EG_DATA_TEXT_SIZE, "%.40s", protocol == NULL ? "" : protocol);
    }
}

/** Whether text[count] has this one. */
static bool is_among(char (*text)[EG_DATA_TEXT_SIZE], size_t count, const char *one)
{
    bool found = false;
    for (size_t i = 0; i < count && !found; i++) {
        found = strcmp(text[i], one) == 0;
    }
    return found;
}

/** What the objective is computed from: points may differ, if the sweep varies the protocol. What
 *  there is no room for is left out. */
static void describe_selecting(eg_ranking_report *report, const source *from, size_t points)
{
    enum { TEXTS_MAX = 16 };
    char text[TEXTS_MAX][EG_DATA_TEXT_SIZE];
    size_t count = 0;
    for (size_t p = 0; p < points; p++) {
        char one[EG_DATA_TEXT_SIZE];
        describe_protocol(one, from, p);
        report->on_test = report->on_test || strcmp(one, "test") == 0;
        if (count < TEXTS_MAX && !is_among(text, count, one)) {
            memcpy(text[count++], one, sizeof one);
            eg_append(report->selecting, sizeof report->selecting, "%s%s", count == 1 ? "" : " or ",
                      one);
        }
    }
}

static eg_ranking_report make(const source *from, size_t points, eg_ranking_basis basis)
{
    eg_ranking_report report = {.basis = basis};
    const eg_variable *variable = eg_trial_variable(basis.reported);
    const char *data = variable == NULL || variable->data == NULL ? "" : variable->data;
    (void)snprintf(report.reporting, sizeof report.reporting, "%s", data);
    /* What is not measured on test data (steps, training losses) is the same number for both. */
    if (basis.by_objective && strcmp(data, "test") == 0) {
        describe_selecting(&report, from, points);
    } else {
        (void)snprintf(report.selecting, sizeof report.selecting, "%s", data);
        report.on_test = strcmp(data, "test") == 0;
    }
    return report;
}

eg_ranking_report eg_ranking_report_of_results(const eg_results *results, const char *by)
{
    const source from = {.results = results};
    eg_ranking_basis basis = by != NULL
                                 ? eg_ranking_by_variable(by)
                                 : eg_ranking_by_objective(results->objective, results->maximise);
    return make(&from, results->point_count, basis);
}

eg_ranking_report eg_ranking_report_of_plan(const eg_plan *plan)
{
    const source from = {.plan = plan};
    return make(&from, plan->point_count, eg_ranking_by_objective(plan->objective, plan->maximise));
}
