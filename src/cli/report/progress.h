/** The progress line of a sweep: redrawn on a terminal, a line now and then elsewhere, or JSON. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "engram/record.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum eg_progress_mode {
    EG_PROGRESS_LINE,
    EG_PROGRESS_JSON,
    EG_PROGRESS_OFF
} eg_progress_mode;

typedef struct eg_progress_line {
    eg_progress_mode mode;
    bool terminal; /**< standard error ends at one */
    bool drawn;    /**< a line without newline is on the screen */
    double last;   /**< when something was last written */
    double start;  /**< of this command */
} eg_progress_line;

/** What there is to say. Unknown numbers are NaN. */
typedef struct eg_progress_facts {
    size_t total;
    size_t to_come;          /**< trials of points that a tuner has yet to suggest, at most */
    const size_t *by_status; /**< [EG_TRIAL_STATUS_COUNT] */
    const double
        *shares; /**< [share_count] done, 0 to 1, of trials that run: those that are known */
    size_t share_count;
    double per_minute; /**< trials finished per minute by this command */
    double seconds_left;
    double best, best_reported;            /**< means of the best point */
    const char *selected_on, *reported_on; /**< data: "validation", "test" */
    const char *best_values;               /**< of the best point, with intervals and data, "" */
    const char *best_settings;             /**< settings of the best point, "" */
    size_t workers_lost, retried;
} eg_progress_facts;

eg_progress_line eg_progress_make(eg_progress_mode mode);
/** Whether enough time passed for the next line. */
bool eg_progress_due(const eg_progress_line *line);
void eg_progress_write(eg_progress_line *line, const eg_progress_facts *facts);
/** Removes a drawn line from the terminal, before anything else is printed. */
void eg_progress_clear(eg_progress_line *line);

#endif
