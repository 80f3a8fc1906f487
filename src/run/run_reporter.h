/** What a run is told by its workers and tells its observer. */
#ifndef RUN_REPORTER_H
#define RUN_REPORTER_H

#include "engram/run.h"

/** What a worker that trains has said of its trial. */
typedef struct eg_run_report {
    bool known;           /**< false: nothing of the trial it has now */
    size_t trial;         /**< index into the plan */
    double first, latest; /**< share of the trial that was done, in its first and latest report */
    double first_time, latest_time; /**< of these reports, on eg_clock */
} eg_run_report;

typedef struct eg_run_reporter {
    eg_run_observer observer;
    eg_run_report *reports; /**< [report_count] by rank; NULL before anything runs */
    size_t report_count;
    size_t workers;    /**< at the start */
    size_t lost, back; /**< workers of this run */
    eg_run_host *hosts;
    size_t host_count, host_capacity;
    double start; /**< when trials could run, on eg_clock */
    double heard; /**< when the last report or result came, on eg_clock */
} eg_run_reporter;

void eg_run_reporter_clear(eg_run_reporter *reporter);

/** A worker says how far its trial is, the plan's number `trial`. Costs the same whatever the
 *  number of workers. */
void eg_run_reporter_hear(eg_run_reporter *reporter, size_t trial,
                          const eg_work_progress *progress);
/** A trial does not run on this rank any more: what the rank said of it says nothing. */
void eg_run_reporter_forget(eg_run_reporter *reporter, uint32_t rank, size_t trial);

eg_status eg_run_reporter_lost(eg_run_reporter *reporter,
                               const eg_worker_loss *loss) EG_WARN_UNUSED;
void eg_run_reporter_back(eg_run_reporter *reporter, uint32_t rank, const char *host);

/** Tells the observer, if it listens. */
void eg_run_reporter_warn(const eg_run_reporter *reporter, const char *format, ...) EG_PRINTF(2, 3);

#endif
