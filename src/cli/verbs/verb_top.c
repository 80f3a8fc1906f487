/** engram top: the best points of a sweep. */
#include "cli/cli.h"

#include "cli/json.h"
#include "cli/report/orders_report.h"
#include "cli/report/point_columns.h"
#include "cli/report/ranking_report.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER, BY, LOWEST, HIGHEST, INTERVAL, COMPARE, ORDERS, ALL, JSON, LATEX };
enum { SCHEMA = 2 /* of --json: grows when a key is removed or changes its meaning */ };

static const eg_option options[] = {
    [NUMBER] = {.name = "number",
                .letter = 'n',
                .value = "N",
                .doc = "How many points (default 10; 0: all)."},
    [BY] = {.name = "by",
            .value = "VARIABLE",
            .doc = "Ranks by another recorded number, such as average_accuracy or forgetting "
                   "(`engram describe VARIABLE` explains them), the better values first. Most are "
                   "measured on test data, and then it says so; the default is the sweep's own "
                   "objective."},
    [LOWEST] = {.name = "lowest", .doc = "The lowest first, whatever is better."},
    [HIGHEST] = {.name = "highest", .doc = "The highest first, whatever is better."},
    [INTERVAL] = {.name = "interval",
                  .value = "NAME",
                  .doc = "student (default): 95 % interval of Student's distribution; paper: "
                         "1.96 s/sqrt(n), s with divisor n, as the Hard ASH paper reports it, "
                         "which covers 60 % at n = 2, 75 % at 3 and 85 % at 5."},
    [COMPARE] = {.name = "compare",
                 .doc = "Compares each point with the first by the seeds that both have: mean "
                        "difference of the reported values with its Student interval, number of "
                        "pairs, and two-sided p of the paired t test, as it is and corrected for "
                        "all comparisons by Holm's method."},
    [ORDERS] = {.name = "orders",
                .doc = "What the order of tasks does: a row for all points that differ in "
                       "stream.order or stream.task_order alone, the most accurate first, with "
                       "AOPD and MOPD, mean and maximum over tasks of the difference between the "
                       "highest and the lowest accuracy over orders, and those of learner stl, "
                       "which no order changes, on the same stream. Runs are averaged first."},
    [ALL] = {.name = "all",
             .doc =
                 "Also shows settings that only some points have and that have one value there."},
    [JSON] = {.name = "json", .doc = "A JSON object with the points in an array."},
    [LATEX] = {.name = "latex",
               .doc = "A table for LaTeX (package booktabs) whose caption says what is selected on "
                      "and reported, with how many seeds and which interval. Notes come before it "
                      "as comments."},
};

/** Everything that is printed. */
typedef struct ranking {
    eg_ranking_report report;
    eg_scored_trial *trials;
    eg_ranked_point *points;
    eg_comparison *comparisons;
    eg_point_columns columns;
    char *notes;
} ranking;

static void clear(ranking *r)
{
    eg_free(r->trials);
    eg_free(r->points);
    eg_free(r->comparisons);
    eg_free(r->notes);
    eg_point_columns_clear(&r->columns);
}

static void print_notes(const char *notes, const char *before)
{
    for (const char *at = notes; *at != '\0'; at = strchr(at, '\n') + 1) {
        eg_say(stdout, "%snote: %.*s\n", before, (int)strcspn(at, "\n"), at);
    }
}

static json_t *settings_object(const eg_results *results, size_t point)
{
    json_t *settings = json_object();
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->swept && column->text[point] != NULL) {
            eg_json_setting(settings, column->name, column->type, column->text[point]);
        }
    }
    return settings;
}

static eg_status print_json(const ranking *r, const eg_results *results)
{
    json_t *root = json_object();
    json_t *points = json_array();
    json_t *notes = json_array();
    for (size_t i = 0; i < r->report.count; i++) {
        json_t *point = eg_ranking_point_json(&r->report, i);
        (void)json_object_set_new(point, "settings", settings_object(results, r->points[i].point));
        (void)json_array_append_new(points, point);
    }
    for (const char *at = r->notes; *at != '\0'; at = strchr(at, '\n') + 1) {
        (void)json_array_append_new(notes, json_stringn(at, strcspn(at, "\n")));
    }
    eg_json_count(root, "schema", SCHEMA);
    eg_json_text(root, "name", results->name);
    eg_ranking_json(root, &r->report);
    (void)json_object_set_new(root, "points", points);
    (void)json_object_set_new(root, "notes", notes);
    return eg_json_print(root);
}

static eg_status print_table(const ranking *r, const eg_results *results, bool latex)
{
    if (r->report.count == 0) {
        eg_say(stdout, "%s%s: no trial has finished yet\n", latex ? "% " : "", results->name);
        return eg_ok();
    }
    if (latex) {
        print_notes(r->notes, "% ");
        return eg_ranking_print(&r->report, results->name);
    }
    EG_TRY(eg_ranking_print(&r->report, NULL));
    print_notes(r->notes, "");
    return eg_ok();
}

/** Appends what has to be said of the best point. */
static eg_status add_note(ranking *r, size_t point_count)
{
    const char *note = eg_ranking_note(&r->report, point_count);
    char *notes = NULL;
    if (note == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_format(&notes, "%s%s\n", r->notes, note));
    eg_free(r->notes);
    r->notes = notes;
    return eg_ok();
}

/** Paired with the best point, if there is one. */
static eg_status compare(ranking *r, const eg_results *results)
{
    const eg_ranking_basis *basis = &r->report.basis;
    const eg_ranked_point *best = eg_ranking_best(r->points, results->point_count, basis);
    if (best == NULL) {
        return eg_ok();
    }
    EG_TRY(eg_ranking_compare(&r->comparisons, r->points, results->point_count, best, basis,
                              r->trials, results->trial_count));
    r->report.comparisons = r->comparisons;
    return eg_ok();
}

static eg_status report(ranking *r, const eg_results *results, const eg_args *args, size_t number)
{
    eg_ranking_report *out = &r->report;
    EG_TRY(eg_results_score(&r->trials, results, &out->basis));
    EG_TRY(eg_results_rank(&r->points, results, &out->basis, r->trials));
    EG_TRY(eg_results_notes(&r->notes, results, out->on_test));
    EG_TRY(eg_point_columns_of_results(&r->columns, results, args->option[ALL] != NULL));
    if (args->option[COMPARE] != NULL) {
        EG_TRY(compare(r, results));
    }
    out->points = r->points;
    EG_TRY(add_note(r, results->point_count));
    out->columns = &r->columns;
    out->count = eg_ranking_shown(r->points, results->point_count, number);
    return args->option[JSON] != NULL ? print_json(r, results)
                                      : print_table(r, results, args->option[LATEX] != NULL);
}

/** Options that are about points one by one. */
static eg_status check_orders(const eg_args *args)
{
    static const size_t others[] = {BY, LOWEST, HIGHEST, INTERVAL, COMPARE};
    for (size_t i = 0; i < EG_COUNT(others); i++) {
        if (args->option[others[i]] != NULL) {
            return eg_fail(EG_INVALID, "--orders and --%s exclude each other",
                           options[others[i]].name);
        }
    }
    return eg_ok();
}

static eg_status print_orders_json(const eg_order_groups *groups, size_t count,
                                   const eg_results *results)
{
    json_t *root = json_object();
    json_t *array = json_array();
    for (size_t g = 0; g < count; g++) {
        json_t *group = eg_order_group_json(groups, g, results);
        json_t *settings = settings_object(results, groups->items[g].point[0]);
        (void)json_object_del(settings, "stream.order");
        (void)json_object_del(settings, "stream.task_order");
        (void)json_object_set_new(group, "settings", settings);
        (void)json_array_append_new(array, group);
    }
    eg_json_count(root, "schema", SCHEMA);
    eg_json_text(root, "name", results->name);
    (void)json_object_set_new(root, "groups", array);
    return eg_json_print(root);
}

static eg_status report_orders(const eg_results *results, const eg_args *args, size_t number)
{
    eg_order_groups groups = {.count = 0};
    eg_point_columns columns = {.count = 0};
    eg_status status;
    EG_TRY_DONE(status, eg_results_groups_find(&groups, results));
    EG_TRY_DONE(status, eg_point_columns_of_results(&columns, results, args->option[ALL] != NULL));
    eg_point_columns_drop(&columns, "stream.order");
    eg_point_columns_drop(&columns, "stream.task_order");
    size_t count = number == 0 || number > groups.count ? groups.count : number;
    status = args->option[JSON] != NULL
                 ? print_orders_json(&groups, count, results)
                 : eg_orders_print(&groups, count, &columns,
                                   args->option[LATEX] != NULL ? results->name : NULL);
done:
    eg_results_groups_clear(&groups);
    eg_point_columns_clear(&columns);
    return status;
}

static eg_status choose_basis(eg_ranking_report *out, const eg_results *results,
                              const eg_args *args)
{
    static const char *const intervals[EG_INTERVAL_COUNT] = {"student", "paper"};
    const char *by = args->option[BY];
    size_t interval = EG_INTERVAL_STUDENT;
    if (args->option[INTERVAL] != NULL) {
        EG_TRY(eg_args_choice(&interval, "--interval", args->option[INTERVAL], intervals,
                              EG_INTERVAL_COUNT));
    }
    if (args->option[LOWEST] != NULL && args->option[HIGHEST] != NULL) {
        return eg_fail(EG_INVALID, "--lowest and --highest exclude each other");
    }
    if (by != NULL) {
        EG_TRY(eg_results_check_scalar(results, by));
        by = strcmp(by, "objective") == 0 ? NULL : by;
    }
    *out = eg_ranking_report_of_results(results, by);
    out->interval = (eg_interval)interval;
    out->basis.maximise =
        args->option[LOWEST] == NULL && (out->basis.maximise || args->option[HIGHEST] != NULL);
    return eg_ok();
}

static eg_status report_points(const eg_results *results, const eg_args *args, size_t number)
{
    ranking r = {0};
    eg_status status = choose_basis(&r.report, results, args);
    if (status.code == EG_OK) {
        status = report(&r, results, args, number);
    }
    clear(&r);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    size_t number = 10;
    if (args->option[NUMBER] != NULL) {
        EG_TRY(eg_args_count(&number, "-n", args->option[NUMBER], 0));
    }
    bool orders = args->option[ORDERS] != NULL;
    if (args->option[JSON] != NULL && args->option[LATEX] != NULL) {
        return eg_fail(EG_INVALID, "--json and --latex exclude each other");
    }
    if (orders) {
        EG_TRY(check_orders(args));
    }
    eg_results *results = NULL;
    bool whole = orders || (args->option[BY] != NULL && strcmp(args->option[BY], "objective") != 0);
    EG_TRY(whole ? eg_results_load(&results, args->operands[0])
                 : eg_results_load_brief(&results, args->operands[0]));
    eg_status status =
        orders ? report_orders(results, args, number) : report_points(results, args, number);
    eg_results_free(results);
    return status;
}

const eg_verb eg_verb_top = {
    .name = "top",
    .summary = "the best points: what they were selected on and what is reported of them",
    .synopsis =
        "FILE [-n N] [--by VARIABLE] [--interval NAME] [--compare|--orders] [--json|--latex]",
    .description =
        "Ranks the points of FILE by the mean of the objective over their seeds, and shows what is "
        "reported of them and the settings that the sweep varied. Points are selected on the "
        "objective, computed from the data that the protocol lets select, and reported on the "
        "same variable of the test data: only the latter is a result. The two are one column where "
        "they are the same numbers, which the test data then selected and which are optimistic. "
        "Of points that `select` chose, the seeds that chose them do not report them: the reported "
        "mean is that of the fresh seeds, with their own n. Without `select` the best point is "
        "reported by the seeds that chose it, and a note says so.\n\n"
        "n is values/planned seeds. A diverged trial counts with chance accuracy, as it recorded; "
        "of any other variable it has no value. Points with seeds that were lost like this, or "
        "stopped by a rule on their way, come after those without, because what is left of a weak "
        "point are its best seeds; points without any value come last. The columns diverged, "
        "stopped, skipped and failed count trials and are there if any point has one. Points that "
        "the sweep does not have any more, since it was edited, come after all others and are "
        "marked.\n\n"
        "--json, schema 2 (keys may be added; a change of any is a new schema): name; selected_on "
        "and reported_on: variable, data (validation, test, first K tasks, or null); goal; "
        "interval; points: rank, point, in_sweep; selected: mean, interval, n, planned; reported: "
        "likewise, and fresh; planned, finished (done or diverged), done, diverged, stopped, "
        "skipped, failed; settings; with --compare to_best: mean, interval, n (pairs), fresh, p, "
        "p_holm; notes. What is unknown is null. With --orders: name; groups: rank; accuracy, "
        "aopd, mopd as shares; stl: the same, or null; least_runs, most_runs; orders: point and "
        "order of each; tasks: task (its number in the natural order), accuracy, opd; settings.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram top results/quickstart.h5 -n 3\n"
                "engram top results/quickstart.h5 --by forgetting\n"
                "engram top results/quickstart.h5 --compare\n"
                "engram top results/quickstart.h5 --latex >table.tex\n"
                "engram top results/orders.h5 --orders",
    .exits = "0   done\n"
             "2   usage, or the file cannot be read",
    .run = run,
};
