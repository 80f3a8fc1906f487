/** engram top: the best points of a sweep. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/point_columns.h"
#include "cli/result_facts.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER, BY, LOWEST, ALL, JSON };

static const eg_option options[] = {
    [NUMBER] = {.name = "number",
                .letter = 'n',
                .value = "N",
                .doc = "How many points (default 10; 0: all)."},
    [BY] = {.name = "by",
            .value = "VARIABLE",
            .doc = "Ranks by another recorded number, such as average_accuracy or forgetting "
                   "(`engram describe VARIABLE` explains them); the default is the sweep's own "
                   "objective."},
    [LOWEST] = {.name = "lowest", .doc = "Lowest first, for a VARIABLE of which less is better."},
    [ALL] = {.name = "all",
             .doc =
                 "Also shows settings that only some points have and that have one value there."},
    [JSON] = {.name = "json", .doc = "A JSON object with the points in an array."},
};

typedef struct request {
    size_t number;
    const char *by;    /**< variable */
    const char *title; /**< what the objective is made from, or the variable */
    bool maximise, all, json;
    eg_point_columns columns; /**< settings shown */
} request;

static eg_status add_row(eg_table *table, const request *ask, const eg_tally *tally, size_t rank)
{
    EG_TRY(eg_table_cell(table, "%zu", rank));
    EG_TRY(eg_table_cell(table, "%s", eg_mean_text(tally->mean, eg_tally_interval(tally)).text));
    EG_TRY(eg_table_cell(table, "%zu", tally->n));
    EG_TRY(eg_table_cell(table, "%zu", tally->point));
    return eg_point_columns_row(&ask->columns, table, tally->point);
}

static eg_status fill_table(eg_table *table, const request *ask, const eg_tally *tallies,
                            size_t count)
{
    EG_TRY(eg_table_cell(table, "rank"));
    EG_TRY(eg_table_cell(table, "%s", ask->title));
    EG_TRY(eg_table_cell(table, "n"));
    EG_TRY(eg_table_cell(table, "point"));
    EG_TRY(eg_point_columns_head(&ask->columns, table));
    for (size_t i = 0; i < count; i++) {
        EG_TRY(add_row(table, ask, &tallies[i], i + 1));
    }
    return eg_ok();
}

static eg_status print_text(const request *ask, const eg_tally *tallies, size_t count,
                            const char *notes)
{
    eg_table table = eg_table_make(4 + eg_point_columns_width(&ask->columns));
    eg_status status = fill_table(&table, ask, tallies, count);
    if (status.code == EG_OK) {
        status = eg_table_print(&table, stdout);
        (void)printf("\nmean %s 1.96 s/sqrt(n) over n seeds, s with divisor n; %s first\n",
                     eg_utf8() ? "±" : "+/-", ask->maximise ? "highest" : "lowest");
        for (const char *at = notes; *at != '\0'; at = strchr(at, '\n') + 1) {
            eg_say(stdout, "note: %.*s\n", (int)strcspn(at, "\n"), at);
        }
    }
    eg_table_clear(&table);
    return status;
}

static json_t *point_object(const eg_results *results, const eg_tally *tally, size_t rank)
{
    json_t *point = json_object();
    json_t *settings = json_object();
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->swept && column->text[tally->point] != NULL) {
            eg_json_setting(settings, column->name, column->type, column->text[tally->point]);
        }
    }
    eg_json_count(point, "rank", rank);
    eg_json_count(point, "point", tally->point);
    eg_json_real(point, "mean", tally->mean);
    eg_json_real(point, "interval", eg_tally_interval(tally));
    eg_json_count(point, "n", tally->n);
    (void)json_object_set_new(point, "settings", settings);
    return point;
}

static eg_status print_json(const request *ask, const eg_results *results, const eg_tally *tallies,
                            size_t count, const char *notes)
{
    json_t *root = json_object();
    json_t *points = json_array();
    json_t *words = json_array();
    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(points, point_object(results, &tallies[i], i + 1));
    }
    for (const char *at = notes; *at != '\0'; at = strchr(at, '\n') + 1) {
        (void)json_array_append_new(words, json_stringn(at, strcspn(at, "\n")));
    }
    eg_json_text(root, "name", results->name);
    eg_json_text(root, "by", ask->title);
    eg_json_text(root, "goal", ask->maximise ? "maximise" : "minimise");
    (void)json_object_set_new(root, "points", points);
    (void)json_object_set_new(root, "notes", words);
    return eg_json_print(root);
}

static eg_status report(request *ask, const eg_results *results)
{
    eg_tally *tallies = NULL;
    char *notes = NULL;
    eg_status status = eg_ok();
    size_t count = 0;
    EG_TRY_DONE(status, eg_results_tally(&tallies, results, ask->by));
    EG_TRY_DONE(status, eg_results_notes(&notes, results));
    EG_TRY_DONE(status, eg_point_columns_of_results(&ask->columns, results, ask->all));
    eg_tally_sort(tallies, results->point_count, ask->maximise);
    size_t most = ask->number == 0 ? results->point_count : ask->number;
    while (count < results->point_count && count < most && tallies[count].n > 0) {
        count++;
    }
    if (count == 0 && !ask->json) {
        eg_say(stdout, "%s: no trial has finished yet\n", results->name);
    } else {
        status = ask->json ? print_json(ask, results, tallies, count, notes)
                           : print_text(ask, tallies, count, notes);
    }
done:
    eg_free(tallies);
    eg_free(notes);
    eg_point_columns_clear(&ask->columns);
    return status;
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    request ask = {.number = 10,
                   .by = "objective",
                   .all = args->option[ALL] != NULL,
                   .json = args->option[JSON] != NULL};
    if (args->option[NUMBER] != NULL) {
        EG_TRY(eg_args_count(&ask.number, "-n", args->option[NUMBER], 0));
    }
    eg_results *results = NULL;
    bool whole = args->option[BY] != NULL && strcmp(args->option[BY], "objective") != 0;
    EG_TRY(whole ? eg_results_load(&results, args->words[0])
                 : eg_results_load_brief(&results, args->words[0]));
    eg_status status = eg_ok();
    ask.title = results->objective;
    ask.maximise = results->maximise;
    if (args->option[BY] != NULL) {
        ask.by = args->option[BY];
        ask.title = ask.by;
        ask.maximise = true;
        status = eg_results_check_scalar(results, ask.by);
    }
    ask.maximise = args->option[LOWEST] == NULL && ask.maximise;
    if (status.code == EG_OK) {
        status = report(&ask, results);
    }
    eg_results_free(results);
    return status;
}

const eg_verb eg_verb_top = {
    .name = "top",
    .summary = "the best points: mean and interval over seeds, settings",
    .synopsis = "FILE [-n N] [--by VARIABLE] [--lowest] [--all] [--json]",
    .description =
        "Ranks the points of FILE by the mean of the objective over their finished seeds and shows "
        "the settings that the sweep varied. The interval is 1.96 s/sqrt(n) with the population "
        "standard deviation s (divisor n), as the Hard ASH paper reports it; with one seed there "
        "is "
        "none. Diverged trials count with the value they recorded (chance accuracy).\n\n"
        "It says so when the test data themselves selected the best point, and when results of "
        "different processors are mixed (they can differ in the last digits).",
    .options = options,
    .option_count = EG_COUNT(options),
    .words_min = 1,
    .words_max = 1,
    .needs = "needs a results file",
    .examples = "engram top results/quickstart.h5 -n 3\n"
                "engram top results/quickstart.h5 --by forgetting --lowest",
    .exits = "0   done\n"
             "2   usage, or the file cannot be read",
    .run = run,
};
