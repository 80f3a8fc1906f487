/** A ranking as people and scripts get it: what points are selected on and reported on, side by
 *  side. */
#ifndef CLI_RANKING_REPORT_H
#define CLI_RANKING_REPORT_H

#include "cli/report/point_columns.h"
#include "engram/ranking.h"
#include "engram/store.h"
#include "engram/sweep.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { EG_DATA_TEXT_SIZE = 64, EG_RANKING_LINE_SIZE = 200 };

/** What is to be said of rankings by test data. */
#define EG_NOTE_ON_TEST "selected on test data: the best values are optimistic"

typedef struct eg_ranking_report {
    eg_ranking_basis basis;
    char selecting[EG_DATA_TEXT_SIZE]; /**< data: "validation", "first 3 tasks", "" for none */
    char reporting[EG_DATA_TEXT_SIZE];
    bool on_test; /**< the test data have a part in selecting */
    eg_interval interval;
    const eg_ranked_point *points; /**< [count], best first; borrowed */
    size_t count;
    const eg_comparison *comparisons; /**< [count] of the same points, NULL: none; borrowed */
    const eg_point_columns *columns;  /**< settings shown; borrowed */
} eg_ranking_report;

/** A report without points: its basis, and on which data that is. `by`: a recorded variable, NULL:
 *  the objective. */
eg_ranking_report eg_ranking_report_of_results(const eg_results *results, const char *by);
eg_ranking_report eg_ranking_report_of_plan(const eg_plan *plan);

/** How many of the sorted points have anything to show: `most` at most, 0: all. */
size_t eg_ranking_shown(const eg_ranked_point *points, size_t count, size_t most);

/** The lines that say what the ranking is, the table, and what "±" means. `latex`: as a table of
 *  LaTeX with all of that in its caption, which begins with this name; NULL: as text. */
eg_status eg_ranking_print(const eg_ranking_report *report, const char *latex) EG_WARN_UNUSED;

/** What has to be said of the best of points [all], which are ranked, and that many and not only
 *  those shown: that the seeds that chose it report it, too. NULL: nothing, because it has fresh
 *  seeds, there was nothing to choose from, or it was not chosen by the objective or by test data,
 *  which EG_NOTE_ON_TEST is about. */
const char *eg_ranking_note(const eg_ranking_report *report, size_t all);

/** "validation 0.7723 ± 0.0042 (n 3/5), reported on test 0.7511 ± 0.0087": one point in a line,
 *  appended. */
void eg_ranking_line(char *text, size_t size, const eg_ranking_report *report,
                     const eg_ranked_point *point);

/** Sets the keys selected_on, reported_on, goal and interval. */
void eg_ranking_json(json_t *object, const eg_ranking_report *report);
/** Point i as an object, without its settings. */
json_t *eg_ranking_point_json(const eg_ranking_report *report, size_t i);

#endif
