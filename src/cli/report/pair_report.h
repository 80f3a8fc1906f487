/** Two points compared seed by seed, as people and scripts get it. */
#ifndef CLI_PAIR_REPORT_H
#define CLI_PAIR_REPORT_H

#include "cli/report/point_choice.h"
#include "cli/report/ranking_report.h"
#include "engram/ranking.h"
#include "engram/store.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_pair_report {
    const eg_results *results;
    const eg_ranking_report *ranking; /**< what the points were chosen by and are compared on */
    bool maximise;                    /**< large reported values are better */
    eg_point_choice choice[2];
    eg_seed_pairs pairs;
    eg_sample sample[2];       /**< reported values of the pairs */
    eg_sample difference;      /**< first less second */
    size_t wins, ties, losses; /**< pairs in which the first is better, neither, the second */
    double improvement;        /**< probability of improvement of the first */
    double wilcoxon, student;  /**< two-sided p; NaN: none */
    const char *notes;         /**< lines about the file; borrowed */
} eg_pair_report;

/** Fills in what follows from results, ranking, maximise and choice: pairs (release with eg_free)
 *  to student. Errors: EG_INVALID if they cannot be compared. */
eg_status eg_pair_report_make(eg_pair_report *report, const eg_scored_trial *trials) EG_WARN_UNUSED;

eg_status eg_pair_report_print(const eg_pair_report *report) EG_WARN_UNUSED;
eg_status eg_pair_report_json(const eg_pair_report *report) EG_WARN_UNUSED;
/** A heading and one row. */
eg_status eg_pair_report_csv(const eg_pair_report *report) EG_WARN_UNUSED;

#endif
