/** The numbers of a paired comparison; see cli/report/pair_report.h. */
#include "cli/report/pair_report.h"

#include "cli/format.h"
#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/** Settings that say what is measured: points that differ in one have values of different
 *  things. */
static bool is_problem(const char *name)
{
    return strcmp(name, "stream") == 0 || strcmp(name, "stream.tasks") == 0 ||
           strcmp(name, "dataset") == 0 || strncmp(name, "dataset.", strlen("dataset.")) == 0;
}

static eg_status check_problem(const eg_pair_report *report)
{
    size_t first = report->choice[0].point->point;
    size_t second = report->choice[1].point->point;
    if (first == second) {
        return eg_fail(EG_INVALID, "A and B are both point %zu", first);
    }
    for (size_t i = 0; i < report->results->column_count; i++) {
        const eg_column *column = &report->results->columns[i];
        const char *a = column->text[first];
        const char *b = column->text[second];
        bool same = a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
        if (is_problem(column->name) && !same) {
            return eg_fail(EG_INVALID,
                           "points %zu and %zu are not about the same problem: %s is %s and %s",
                           first, second, column->name, a == NULL ? "not there" : a,
                           b == NULL ? "not there" : b);
        }
    }
    return eg_ok();
}

/** "0, 1, 2": the seeds that report a point. */
static void list_seeds(char *out, size_t size, const eg_scored_trial *trials, size_t count,
                       size_t point)
{
    for (size_t i = 0; i < count; i++) {
        if (trials[i].point == point && strlen(out) + 28 < size) {
            eg_append(out, size, "%s%" PRIu64, out[0] == '\0' ? "" : ", ", trials[i].seed);
        }
    }
}

static eg_status no_pairs(const eg_pair_report *report, const eg_scored_trial *trials)
{
    char seeds[2][120] = {"", ""};
    for (size_t i = 0; i < 2; i++) {
        list_seeds(seeds[i], sizeof seeds[i], trials, report->results->trial_count,
                   report->choice[i].point->point);
    }
    return eg_fail(EG_INVALID,
                   "points %zu and %zu have no seed at which both have a value of %s: nothing to "
                   "pair (seeds %s and %s)",
                   report->choice[0].point->point, report->choice[1].point->point,
                   report->ranking->basis.reported, seeds[0], seeds[1]);
}

/** Fills first[count], second[count], difference[count], which follow each other in `columns`. */
static void fill_columns(eg_pair_report *report, double *columns)
{
    size_t count = report->pairs.count;
    double sign = report->maximise ? 1 : -1;
    for (size_t i = 0; i < count; i++) {
        const eg_seed_pair *pair = &report->pairs.items[i];
        double difference = pair->first - pair->second;
        columns[i] = sign * pair->first;
        columns[count + i] = sign * pair->second;
        columns[2 * count + i] = difference;
        eg_sample_add(&report->sample[0], pair->first);
        eg_sample_add(&report->sample[1], pair->second);
        eg_sample_add(&report->difference, difference);
        report->wins += sign * difference > 0;
        report->ties += difference == 0;
        report->losses += sign * difference < 0;
    }
}

eg_status eg_pair_report_make(eg_pair_report *report, const eg_scored_trial *trials)
{
    double *columns = NULL;
    EG_TRY(check_problem(report));
    EG_TRY(eg_ranking_pair(&report->pairs, report->choice[0].point, report->choice[1].point,
                           &report->ranking->basis, trials, report->results->trial_count));
    size_t count = report->pairs.count;
    if (count == 0) {
        return no_pairs(report, trials);
    }
    EG_TRY(eg_alloc(&columns, 3 * count, sizeof *columns));
    fill_columns(report, columns);
    report->improvement = eg_improvement(columns, count, columns + count, count);
    report->student = eg_sample_p(&report->difference);
    eg_status status = eg_signed_rank_p(&report->wilcoxon, columns + 2 * count, count);
    eg_free(columns);
    return status;
}
