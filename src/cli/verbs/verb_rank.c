/** engram rank: the ranking of `top` for trials that another program has chosen and grouped. */
#include "cli/cli.h"

#include "cli/json.h"
#include "cli/report/ranking_report.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** The columns of `trials`, each an array. */
typedef struct table {
    json_t *point, *status, *stage, *selected, *reported;
    size_t count;
} table;

static eg_status bad(const char *what)
{
    return eg_fail(EG_INVALID, "standard input: %s; see `engram rank --help`", what);
}

static eg_status find_columns(table *out, const json_t *root)
{
    const json_t *trials = json_object_get(root, "trials");
    json_t **const columns[] = {&out->point, &out->status, &out->stage, &out->selected,
                                &out->reported};
    static const char *const names[] = {"point", "status", "stage", "selected", "reported"};
    for (size_t i = 0; i < EG_COUNT(columns); i++) {
        *columns[i] = json_object_get(trials, names[i]);
        if (!json_is_array(*columns[i])) {
            return bad("trials must be an object with arrays point, status, stage, selected and "
                       "reported");
        }
        if (json_array_size(*columns[i]) != json_array_size(out->point)) {
            return bad("the arrays of trials must be equally long");
        }
    }
    out->count = json_array_size(out->point);
    return eg_ok();
}

/** A status by its name. */
static eg_status read_status(uint8_t *out, const json_t *value)
{
    const char *name = json_string_value(value);
    for (int s = 0; name != NULL && s < EG_TRIAL_STATUS_COUNT; s++) {
        const char *known = eg_trial_status_name((eg_trial_status)s);
        if (known != NULL && strcmp(name, known) == 0) {
            *out = (uint8_t)s;
            return eg_ok();
        }
    }
    return bad("a status must be one of pending, running, done, diverged, failed, skipped, paused, "
               "stopped, timeout");
}

/** A number from 0 to most. */
static eg_status read_index(size_t *out, const json_t *value, size_t most, const char *message)
{
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (size_t)number > most) {
        return bad(message);
    }
    *out = (size_t)number;
    return eg_ok();
}

static double read_value(const json_t *value)
{
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static eg_status read_trial(eg_scored_trial *out, const table *trials, size_t i)
{
    size_t stage = 0;
    EG_TRY(read_index(&out->point, json_array_get(trials->point, i), trials->count - 1,
                      "points must be numbered from 0"));
    EG_TRY(read_index(&stage, json_array_get(trials->stage, i), EG_STAGE_COUNT - 1,
                      "a stage must be 0, 1 or 2"));
    EG_TRY(read_status(&out->status, json_array_get(trials->status, i)));
    out->stage = (uint8_t)stage;
    out->selected = read_value(json_array_get(trials->selected, i));
    out->reported = read_value(json_array_get(trials->reported, i));
    return eg_ok();
}

/** The objective's variable. */
static const char *variable_name(const json_t *root)
{
    const char *variable = json_string_value(json_object_get(root, "variable"));
    return variable == NULL ? "final_accuracy" : variable;
}

/** Keys that are strings; each may be left out. */
static eg_status read_basis(eg_ranking_report *out, const json_t *root)
{
    const char *report = json_string_value(json_object_get(root, "report"));
    const char *goal = json_string_value(json_object_get(root, "goal"));
    const char *interval = json_string_value(json_object_get(root, "interval"));
    if (goal != NULL && strcmp(goal, "maximise") != 0 && strcmp(goal, "minimise") != 0) {
        return bad("goal must be maximise or minimise");
    }
    if (interval != NULL && strcmp(interval, "student") != 0 && strcmp(interval, "paper") != 0) {
        return bad("interval must be student or paper");
    }
    bool maximise = goal == NULL || strcmp(goal, "maximise") == 0;
    out->basis = eg_ranking_by_objective(variable_name(root), maximise);
    if (report != NULL) {
        out->basis.reported = report;
        out->basis.chance_reported = eg_ranking_by_variable(report).chance_reported;
    }
    out->interval = interval != NULL && strcmp(interval, "paper") == 0 ? EG_INTERVAL_PAPER
                                                                       : EG_INTERVAL_STUDENT;
    return eg_ok();
}

/** By n, from 0: the half width of the interval in units of s with divisor n-1. */
static json_t *factors(const eg_ranking_report *report, size_t most)
{
    json_t *list = json_array();
    for (size_t n = 0; n <= most; n++) {
        const eg_sample unit = {.n = n, .squares = n > 0 ? (double)(n - 1) : 0};
        double factor = eg_sample_interval(&unit, report->interval);
        (void)json_array_append_new(list, isnan(factor) ? json_null() : json_real(factor));
    }
    return list;
}

/** The examples a variable is measured on: test, training, …; null: on none, or not known here. */
static void set_data(json_t *root, const char *key, const char *name)
{
    const eg_variable *variable = eg_trial_variable(name);
    bool known = variable != NULL && variable->data != NULL;
    (void)json_object_set_new(root, key, known ? json_string(variable->data) : json_null());
}

static eg_status print(const eg_ranking_report *report, const char *variable)
{
    json_t *root = json_object();
    json_t *points = json_array();
    size_t most = 0;
    for (size_t i = 0; i < report->count; i++) {
        size_t planned = eg_point_planned(&report->points[i]);
        most = planned > most ? planned : most;
        (void)json_array_append_new(points, eg_ranking_point_json(report, i));
    }
    eg_json_text(root, "interval", eg_interval_name(report->interval));
    set_data(root, "variable_data", variable);
    set_data(root, "report_data", report->basis.reported);
    (void)json_object_set_new(root, "factors", factors(report, most));
    (void)json_object_set_new(root, "points", points);
    return eg_json_print(root);
}

static eg_status rank(const json_t *root)
{
    table trials = {0};
    eg_ranking_report report = {0};
    eg_ranked_point *points = NULL;
    eg_status status = eg_ok();
    size_t count = 0;
    EG_TRY(read_basis(&report, root));
    EG_TRY(find_columns(&trials, root));
    EG_TRY(eg_ranking_create(&points, trials.count));
    for (size_t i = 0; i < trials.count; i++) {
        eg_scored_trial trial = {0};
        EG_TRY_DONE(status, read_trial(&trial, &trials, i));
        eg_ranking_add(points, &report.basis, &trial);
        count = trial.point >= count ? trial.point + 1 : count;
    }
    eg_ranking_sort(points, count, &report.basis);
    report.points = points;
    report.count = count;
    status = print(&report, variable_name(root));
done:
    eg_free(points);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)args;
    (void)code;
    json_error_t error;
    json_t *root = json_loadf(stdin, 0, &error);
    if (root == NULL) {
        return eg_fail(EG_INVALID, "standard input:%d: no JSON: %s", error.line, error.text);
    }
    eg_status status = rank(root);
    json_decref(root);
    return status;
}

const eg_verb eg_verb_rank = {
    .name = "rank",
    .summary = "the ranking of top for trials from standard input; for programs",
    .synopsis = "<TRIALS.json",
    .description =
        "Ranks points by the rule of `engram top`, from trials that another program has read, "
        "chosen and grouped: the Python analysis takes its rankings and intervals from here, so "
        "that there is one rule.\n\n"
        "Standard input is a JSON object: variable, the objective's (default final_accuracy); "
        "report, the variable reported (default: the same); goal, maximise (default) or minimise; "
        "interval, student (default) or paper; and trials, an object of equally long arrays: "
        "point (numbered from 0), status (a word), stage (1: seeds that choose, 2: those of "
        "`select`, 0: no longer in the sweep), selected (the objective) and reported (the value "
        "recorded), where null is no value.\n\n"
        "Printed is a JSON object: interval; factors, by n, the half width of the interval in "
        "units of the standard deviation with divisor n-1; variable_data and report_data, the "
        "examples that variable and report are measured on (null: none); and points, best first, "
        "as `engram top "
        "--json` has them.",
    .examples = "engram rank <trials.json",
    .exits = "0   done\n"
             "2   the input cannot be used",
    .run = run,
};
