/** A paired comparison as text, JSON and CSV; see cli/report/pair_report.h. */
#include "cli/report/pair_report.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/report/export_rows.h"
#include "cli/report/table.h"
#include "cli/terminal.h"
#include "engram/params.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SCHEMA = 1 /* of JSON: grows when a key is removed or changes its meaning */ };
enum { FEW_PAIRS = 6 /* fewer cannot have a p of Wilcoxon's test below 0.05 */ };
enum { NOTE_SIZE = 240 };

static const char *const letters[2] = {"A", "B"};

static size_t point_of(const eg_pair_report *report, size_t i)
{
    return report->choice[i].point->point;
}

/** --- What has to be said besides ------------------------------------------------------------- */

/** Calls `say` for every note. */
static void each_note(const eg_pair_report *report, void (*say)(void *to, const char *note),
                      void *to)
{
    char note[NOTE_SIZE];
    size_t n = report->pairs.count;
    for (size_t i = 0; i < 2; i++) {
        const eg_point_choice *choice = &report->choice[i];
        if (choice->matched > 1 && !report->pairs.fresh) {
            (void)snprintf(note, sizeof note,
                           "%s is the best of %zu points, chosen by the seeds that report it: it "
                           "looks better than it is; fresh seeds have points that `select` chose",
                           letters[i], choice->matched);
            say(to, note);
        }
        if (eg_point_is_stale(choice->point)) {
            (void)snprintf(note, sizeof note, "%s is not in the sweep any more, which was edited",
                           letters[i]);
            say(to, note);
        }
    }
    if (n < FEW_PAIRS) {
        (void)snprintf(note, sizeof note,
                       "with %zu pair%s Wilcoxon's p cannot be below %.4g, however large the "
                       "difference is",
                       n, eg_plural(n), fmin(1, ldexp(1, 1 - (int)n)));
        say(to, note);
    }
    if (report->pairs.first_alone + report->pairs.second_alone > 0) {
        (void)snprintf(note, sizeof note,
                       "%zu value%s of A and %zu of B without a partner at the same seed: not "
                       "counted",
                       report->pairs.first_alone, eg_plural(report->pairs.first_alone),
                       report->pairs.second_alone);
        say(to, note);
    }
    for (const char *at = report->notes; *at != '\0'; at = strchr(at, '\n') + 1) {
        (void)snprintf(note, sizeof note, "%.*s", (int)strcspn(at, "\n"), at);
        say(to, note);
    }
}

/** --- Text ------------------------------------------------------------------------------------ */

static eg_text sample_text(const eg_sample *sample)
{
    return eg_mean_text(sample->mean, eg_sample_interval(sample, EG_INTERVAL_STUDENT));
}

static eg_status fill_table(eg_table *table, const eg_pair_report *report)
{
    EG_TRY(eg_table_cell(table, "%s", ""));
    EG_TRY(eg_table_cell(table, "%s", report->ranking->basis.reported));
    EG_TRY(eg_table_cell(table, "point"));
    EG_TRY(eg_point_columns_head(report->ranking->columns, table));
    for (size_t i = 0; i < 2; i++) {
        EG_TRY(eg_table_cell(table, "%s", letters[i]));
        EG_TRY(eg_table_cell(table, "%s", sample_text(&report->sample[i]).text));
        EG_TRY(eg_table_cell(table, "%zu", point_of(report, i)));
        EG_TRY(eg_point_columns_row(report->ranking->columns, table, point_of(report, i)));
    }
    return eg_ok();
}

static void print_p(const char *what, double p)
{
    if (isnan(p)) {
        (void)printf("  %-28s-\n", what);
    } else {
        (void)printf(p < 1e-4 ? "  %-28sp = %.2e\n" : "  %-28sp = %.4f\n", what, p);
    }
}

static void print_numbers(const eg_pair_report *report)
{
    const char *test =
        report->pairs.count > EG_SIGNED_RANK_EXACT ? "Wilcoxon, normal" : "Wilcoxon, exact";
    (void)printf("\n  %-28s%s\n", "A - B", sample_text(&report->difference).text);
    (void)printf("  %-28s%zu / %zu / %zu\n", "wins / ties / losses of A", report->wins,
                 report->ties, report->losses);
    (void)printf("  %-28s%.3f\n", "probability of improvement", report->improvement);
    print_p(test, report->wilcoxon);
    print_p("paired t test", report->student);
}

static void print_note(void *to, const char *note)
{
    (void)to;
    eg_say(stdout, "note: %s\n", note);
}

eg_status eg_pair_report_print(const eg_pair_report *report)
{
    const char *data = report->ranking->reporting;
    eg_table table;
    eg_table_init(&table, 3 + eg_point_columns_width(report->ranking->columns));
    eg_status status = fill_table(&table, report);
    if (status.code == EG_OK) {
        eg_say(stdout, "%s", report->ranking->basis.reported);
        (void)printf("%s%s%s, %s is better, over the %zu %sseed%s that both have\n\n",
                     data[0] == '\0' ? "" : " of ", data, data[0] == '\0' ? "" : " data",
                     report->maximise ? "higher" : "lower", report->pairs.count,
                     report->pairs.fresh ? "fresh " : "", eg_plural(report->pairs.count));
        status = eg_table_print(&table, stdout);
        print_numbers(report);
        (void)printf("\n%s %s; p: two-sided, of one comparison\n", eg_utf8() ? "±" : "+/-",
                     eg_interval_formula(EG_INTERVAL_STUDENT));
        each_note(report, print_note, NULL);
    }
    eg_table_clear(&table);
    return status;
}

/** --- JSON ------------------------------------------------------------------------------------ */

static json_t *sample_object(const eg_sample *sample)
{
    json_t *object = json_object();
    eg_json_real(object, "mean", sample->mean);
    eg_json_real(object, "interval", eg_sample_interval(sample, EG_INTERVAL_STUDENT));
    return object;
}

static json_t *point_object(const eg_pair_report *report, size_t i)
{
    const eg_results *results = report->results;
    json_t *object = sample_object(&report->sample[i]);
    json_t *settings = json_object();
    for (size_t c = 0; c < results->column_count; c++) {
        const eg_column *column = &results->columns[c];
        if (column->swept && column->text[point_of(report, i)] != NULL) {
            eg_json_setting(settings, column->name, column->type,
                            column->text[point_of(report, i)]);
        }
    }
    eg_json_count(object, "point", point_of(report, i));
    eg_json_count(object, "best_of", report->choice[i].matched);
    eg_json_count(object, "alone", i == 0 ? report->pairs.first_alone : report->pairs.second_alone);
    (void)json_object_set_new(object, "settings", settings);
    return object;
}

static json_t *pairs_array(const eg_pair_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->pairs.count; i++) {
        const eg_seed_pair *pair = &report->pairs.items[i];
        json_t *object = json_object();
        eg_json_seed(object, "seed", pair->seed);
        eg_json_real(object, "a", pair->first);
        eg_json_real(object, "b", pair->second);
        (void)json_array_append_new(array, object);
    }
    return array;
}

static void append_note(void *to, const char *note)
{
    (void)json_array_append_new(to, json_string(note));
}

eg_status eg_pair_report_json(const eg_pair_report *report)
{
    const char *data = report->ranking->reporting;
    json_t *root = json_object();
    json_t *notes = json_array();
    each_note(report, append_note, notes);
    eg_json_count(root, "schema", SCHEMA);
    eg_json_text(root, "name", report->results->name);
    eg_json_text(root, "variable", report->ranking->basis.reported);
    eg_json_text(root, "data", data[0] == '\0' ? NULL : data);
    eg_json_text(root, "goal", report->maximise ? "maximise" : "minimise");
    (void)json_object_set_new(root, "a", point_object(report, 0));
    (void)json_object_set_new(root, "b", point_object(report, 1));
    eg_json_count(root, "n", report->pairs.count);
    (void)json_object_set_new(root, "fresh", json_boolean(report->pairs.fresh));
    (void)json_object_set_new(root, "difference", sample_object(&report->difference));
    eg_json_count(root, "wins", report->wins);
    eg_json_count(root, "ties", report->ties);
    eg_json_count(root, "losses", report->losses);
    eg_json_real(root, "improvement", report->improvement);
    eg_json_real(root, "p_wilcoxon", report->wilcoxon);
    eg_json_real(root, "p_student", report->student);
    (void)json_object_set_new(root, "pairs", pairs_array(report));
    (void)json_object_set_new(root, "notes", notes);
    return eg_json_print(root);
}

/** --- CSV ------------------------------------------------------------------------------------- */

eg_status eg_pair_report_csv(const eg_pair_report *report)
{
    static const char *const names[] = {"a",          "b",           "variable",   "goal",
                                        "n",          "fresh",       "a_mean",     "b_mean",
                                        "difference", "interval",    "wins",       "ties",
                                        "losses",     "improvement", "p_wilcoxon", "p_student"};
    eg_rows rows;
    eg_rows_init(&rows, stdout, false);
    eg_status status = eg_ok();
    for (size_t i = 0; i < EG_COUNT(names); i++) {
        EG_TRY_DONE(status, eg_rows_name(&rows, names[i]));
    }
    eg_rows_head(&rows);
    eg_rows_integer(&rows, point_of(report, 0));
    eg_rows_integer(&rows, point_of(report, 1));
    eg_rows_text(&rows, report->ranking->basis.reported);
    eg_rows_text(&rows, report->maximise ? "maximise" : "minimise");
    eg_rows_integer(&rows, report->pairs.count);
    eg_rows_text(&rows, report->pairs.fresh ? "true" : "false");
    eg_rows_real(&rows, report->sample[0].mean, true);
    eg_rows_real(&rows, report->sample[1].mean, true);
    eg_rows_real(&rows, report->difference.mean, true);
    eg_rows_real(&rows, eg_sample_interval(&report->difference, EG_INTERVAL_STUDENT), true);
    eg_rows_integer(&rows, report->wins);
    eg_rows_integer(&rows, report->ties);
    eg_rows_integer(&rows, report->losses);
    eg_rows_real(&rows, report->improvement, true);
    eg_rows_real(&rows, report->wilcoxon, true);
    eg_rows_real(&rows, report->student, true);
    eg_rows_end_row(&rows);
done:
    eg_rows_clear(&rows);
    return status;
}
