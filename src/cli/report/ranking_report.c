/** Rankings as text; see cli/report/ranking_report.h. */
#include "cli/report/ranking_report.h"

#include "cli/format.h"
#include "cli/report/table.h"
#include "cli/terminal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE_SIZE = 256 };

/** Columns that only some rankings need. */
typedef struct layout {
    bool one_value; /* selected and reported are the same numbers */
    bool fresh;     /* some point is reported by seeds of a second stage */
    bool stale;     /* some point is no longer in the sweep */
    bool counts[EG_TRIAL_STATUS_COUNT];
} layout;

/** Shown where some point has one: the others can be read from n. */
static const eg_trial_status counted[] = {EG_TRIAL_DIVERGED, EG_TRIAL_STOPPED, EG_TRIAL_SKIPPED,
                                          EG_TRIAL_FAILED, EG_TRIAL_TIMEOUT};
enum { COUNTED = sizeof counted / sizeof counted[0] };

size_t eg_ranking_shown(const eg_ranked_point *points, size_t count, size_t most)
{
    size_t shown = 0;
    while (shown < count && (most == 0 || shown < most) && eg_point_has_ended(&points[shown])) {
        shown++;
    }
    return shown;
}

/** The same variable on the same data. */
static bool is_one_value(const eg_ranking_report *report)
{
    return strcmp(report->basis.selected, report->basis.reported) == 0 &&
           strcmp(report->selecting, report->reporting) == 0;
}

static layout layout_of(const eg_ranking_report *report)
{
    layout out = {.one_value = is_one_value(report)};
    for (size_t p = 0; p < report->count; p++) {
        const eg_ranked_point *point = &report->points[p];
        out.fresh = out.fresh || eg_point_is_fresh(point);
        out.stale = out.stale || eg_point_is_stale(point);
        for (size_t i = 0; i < COUNTED; i++) {
            out.counts[counted[i]] =
                out.counts[counted[i]] || eg_point_count(point, counted[i]) > 0;
        }
    }
    out.one_value = out.one_value && !out.fresh;
    return out;
}

static size_t width_of(const eg_ranking_report *report, const layout *l)
{
    size_t width = 4 + eg_point_columns_width(report->columns); /* rank, a value, n, point */
    width += l->one_value ? 0 : 1;
    width += l->fresh ? 1 : 0;
    width += l->stale ? 1 : 0;
    width += report->comparisons == NULL ? 0 : 4;
    for (size_t i = 0; i < COUNTED; i++) {
        width += l->counts[counted[i]] ? 1 : 0;
    }
    return width;
}

/** "selected (validation)". */
static eg_status add_value_heading(eg_table *table, const char *role, const char *data)
{
    return data[0] == '\0' ? eg_table_cell(table, "%s", role)
                           : eg_table_cell(table, "%s (%s)", role, data);
}

static eg_status add_headings(eg_table *table, const eg_ranking_report *report, const layout *l)
{
    EG_TRY(eg_table_cell(table, "rank"));
    if (l->one_value) {
        EG_TRY(add_value_heading(table, report->basis.reported, report->reporting));
    } else {
        EG_TRY(add_value_heading(table, "selected", report->selecting));
    }
    if (l->fresh) {
        EG_TRY(eg_table_cell(table, "n"));
    }
    if (!l->one_value) {
        EG_TRY(add_value_heading(table, "reported", report->reporting));
    }
    EG_TRY(eg_table_cell(table, "n"));
    for (size_t i = 0; i < COUNTED; i++) {
        if (l->counts[counted[i]]) {
            EG_TRY(eg_table_cell(table, "%s", eg_trial_status_name(counted[i])));
        }
    }
    if (report->comparisons != NULL) {
        EG_TRY(eg_table_cell(table, "to the best"));
        EG_TRY(eg_table_cell(table, "pairs"));
        EG_TRY(eg_table_cell(table, "p"));
        EG_TRY(eg_table_cell(table, "p (Holm)"));
    }
    EG_TRY(eg_table_cell(table, "point"));
    if (l->stale) {
        EG_TRY(eg_table_cell(table, "in the sweep"));
    }
    return eg_point_columns_head(report->columns, table);
}

static eg_text sample_text(const eg_sample *sample, eg_interval interval)
{
    return eg_mean_text(sample->n == 0 ? (double)NAN : sample->mean,
                        eg_sample_interval(sample, interval));
}

/** "3/5", and who they are if that may differ. */
static eg_status add_n(eg_table *table, const eg_sample *sample, size_t planned, bool fresh)
{
    return eg_table_cell(table, "%zu/%zu%s", sample->n, planned, fresh ? " fresh" : "");
}

static eg_status add_p(eg_table *table, double p)
{
    if (isnan(p)) {
        return eg_table_cell(table, "-");
    }
    return p < 1e-4 ? eg_table_cell(table, "%.1e", p) : eg_table_cell(table, "%.4f", p);
}

static eg_status add_comparison(eg_table *table, const eg_comparison *comparison)
{
    const eg_sample *difference = &comparison->difference;
    EG_TRY(eg_table_cell(table, "%s", sample_text(difference, EG_INTERVAL_STUDENT).text));
    EG_TRY(eg_table_cell(table, "%zu%s", difference->n,
                         comparison->fresh && difference->n > 0 ? " fresh" : ""));
    EG_TRY(add_p(table, comparison->p));
    return add_p(table, comparison->p_holm);
}

static eg_status add_row(eg_table *table, const eg_ranking_report *report, const layout *l,
                         size_t i)
{
    const eg_ranked_point *point = &report->points[i];
    const eg_stage_sum *selecting = eg_point_selecting(point);
    const eg_stage_sum *reporting = eg_point_reporting(point);
    EG_TRY(eg_table_cell(table, "%zu", i + 1));
    EG_TRY(eg_table_cell(table, "%s", sample_text(&selecting->selected, report->interval).text));
    if (l->fresh) {
        EG_TRY(add_n(table, &selecting->selected, selecting->planned, false));
    }
    if (!l->one_value) {
        EG_TRY(
            eg_table_cell(table, "%s", sample_text(&reporting->reported, report->interval).text));
    }
    EG_TRY(add_n(table, &reporting->reported, reporting->planned, eg_point_is_fresh(point)));
    for (size_t c = 0; c < COUNTED; c++) {
        if (l->counts[counted[c]]) {
            EG_TRY(eg_table_cell(table, "%zu", eg_point_count(point, counted[c])));
        }
    }
    if (report->comparisons != NULL) {
        EG_TRY(add_comparison(table, &report->comparisons[i]));
    }
    EG_TRY(eg_table_cell(table, "%zu", point->point));
    if (l->stale) {
        EG_TRY(eg_table_cell(table, "%s", eg_point_is_stale(point) ? "no" : "yes"));
    }
    return eg_point_columns_row(report->columns, table, point->point);
}

/** "final_accuracy of validation data", "loss of validation data of the first 3 tasks". */
static void append_variable(char *text, size_t size, const char *variable, const char *data)
{
    eg_append(text, size, "%s", variable);
    if (strncmp(data, "first ", 6) == 0) {
        eg_append(text, size, " of validation data of the %s", data);
    } else if (data[0] != '\0') {
        eg_append(text, size, " of %s data", data);
    }
}

/** What the values of a ranking are, in words. */
typedef struct meaning {
    char selected[LINE_SIZE], reported[LINE_SIZE], value[LINE_SIZE];
    char difference[LINE_SIZE], p[LINE_SIZE]; /* empty without comparisons */
} meaning;

static meaning meaning_of(const eg_ranking_report *report, const layout *l)
{
    meaning out = {.reported = "reported on "};
    const char *sign = eg_utf8() ? "±" : "+/-";
    eg_append(out.selected, LINE_SIZE, "selected on ");
    append_variable(out.selected, LINE_SIZE, report->basis.selected, report->selecting);
    eg_append(out.selected, LINE_SIZE, ", %s first", report->basis.maximise ? "highest" : "lowest");
    if (l->one_value) {
        eg_append(out.reported, LINE_SIZE, "the same");
    } else {
        append_variable(out.reported, LINE_SIZE, report->basis.reported, report->reporting);
        eg_append(out.reported, LINE_SIZE, "%s",
                  l->fresh ? " (of points that `select` chose: over their fresh seeds only)" : "");
    }
    eg_append(out.value, LINE_SIZE, "mean %s %s; n: values/planned seeds", sign,
              eg_interval_formula(report->interval));
    if (report->comparisons != NULL) {
        eg_append(out.difference, LINE_SIZE,
                  "to the best: mean difference of reported values to rank 1 over the seeds both "
                  "have, %s its Student interval;",
                  sign);
        eg_append(out.p, LINE_SIZE,
                  "p: paired t test, two-sided, not corrected; p (Holm): corrected for all points "
                  "of the file");
    }
    return out;
}

static eg_status print_text(const eg_table *table, const meaning *words)
{
    eg_say(stdout, "%s\n", words->selected);
    eg_say(stdout, "%s\n\n", words->reported);
    EG_TRY(eg_table_print(table, stdout));
    (void)printf("\n%s\n", words->value);
    if (words->p[0] != '\0') {
        (void)printf("%s\n%s\n", words->difference, words->p);
    }
    return eg_ok();
}

static void print_latex(const eg_table *table, const meaning *words, const char *name)
{
    char caption[6 * LINE_SIZE];
    (void)snprintf(caption, sizeof caption, "%s: %s; %s; %s", name, words->selected,
                   words->reported, words->value);
    if (words->p[0] != '\0') {
        eg_append(caption, sizeof caption, "; %s %s", words->difference, words->p);
    }
    eg_table_print_latex(table, caption, stdout);
}

eg_status eg_ranking_print(const eg_ranking_report *report, const char *latex)
{
    layout l = layout_of(report);
    eg_table table;
    eg_table_init(&table, width_of(report, &l));
    eg_status status = add_headings(&table, report, &l);
    for (size_t i = 0; i < report->count && status.code == EG_OK; i++) {
        status = add_row(&table, report, &l, i);
    }
    if (status.code == EG_OK) {
        meaning words = meaning_of(report, &l);
        if (latex != NULL) {
            print_latex(&table, &words, latex);
        } else {
            status = print_text(&table, &words);
        }
    }
    eg_table_clear(&table);
    return status;
}

const char *eg_ranking_note(const eg_ranking_report *report, size_t all)
{
    size_t candidates = 0;
    for (size_t p = 0; p < all; p++) {
        const eg_ranked_point *point = &report->points[p];
        candidates += !eg_point_is_stale(point) && eg_point_selecting(point)->selected.n > 0;
    }
    bool chosen = candidates > 1 && report->basis.by_objective && !report->on_test;
    if (!chosen || eg_point_is_fresh(&report->points[0])) {
        return NULL;
    }
    return "the seeds that chose the best point report it, too, and it looks better than it is; "
           "`select: {best: 1, seeds: 5}` in the sweep file reports it on fresh ones";
}

static void append_value(char *text, size_t size, const char *what, const eg_sample *sample,
                         size_t planned, bool fresh, eg_interval interval)
{
    eg_append(text, size, "%s %s (n %zu/%zu%s)", what, sample_text(sample, interval).text,
              sample->n, planned, fresh ? " fresh" : "");
}

static const char *data_or_variable(const char *data, const char *variable)
{
    return data[0] == '\0' ? variable : data;
}

void eg_ranking_line(char *text, size_t size, const eg_ranking_report *report,
                     const eg_ranked_point *point)
{
    const eg_stage_sum *selecting = eg_point_selecting(point);
    const eg_stage_sum *reporting = eg_point_reporting(point);
    append_value(text, size, data_or_variable(report->selecting, report->basis.selected),
                 &selecting->selected, selecting->planned, false, report->interval);
    if (!is_one_value(report) || eg_point_is_fresh(point)) {
        eg_append(text, size, ", reported on ");
        append_value(text, size, data_or_variable(report->reporting, report->basis.reported),
                     &reporting->reported, reporting->planned, eg_point_is_fresh(point),
                     report->interval);
    }
}
