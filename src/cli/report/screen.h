/** A sweep on the screen while it runs: the observer of `engram run`. */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "cli/report/progress.h"
#include "cli/report/ranking_report.h"
#include "engram/run.h"

typedef struct eg_screen {
    eg_progress_line progress;
    const eg_world *world;
    const eg_sched_options *sched;
    double stop_at;            /**< as in eg_run_options */
    eg_ranking_report ranking; /**< by the objective */
    eg_point_columns columns;  /**< settings shown */
    const char *path;          /**< of the results, borrowed from the run */
    size_t warnings, failures; /**< said so far; there is a limit */
    char best[160];            /**< settings of the best point, "" */
} eg_screen;

/** `world` and `sched` are borrowed. Release with eg_screen_clear. */
void eg_screen_init(eg_screen *out, eg_progress_mode mode, const eg_world *world,
                    const eg_sched_options *sched, double stop_at);
void eg_screen_clear(eg_screen *screen);

/** What is shown of points, from the plan; before the run begins, and when the plan has grown. */
eg_status eg_screen_take_plan(eg_screen *screen, const eg_plan *plan) EG_WARN_UNUSED;

/** The callbacks; `screen` is borrowed. */
eg_run_observer eg_screen_observer(eg_screen *screen);

#endif
