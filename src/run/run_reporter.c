/** What a run is told by its workers and tells its observer; see run/run_reporter.h. */
#include "run/run_reporter.h"

#include "engram/clock.h"
#include "engram/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void eg_run_reporter_clear(eg_run_reporter *reporter)
{
    eg_free(reporter->reports);
    eg_free(reporter->hosts);
    *reporter = (eg_run_reporter){0};
}

void eg_run_reporter_hear(eg_run_reporter *reporter, size_t trial, const eg_work_progress *progress)
{
    if (progress->attempt.rank >= reporter->report_count) {
        return;
    }
    eg_run_report *report = &reporter->reports[progress->attempt.rank];
    double share = (double)progress->step / (double)progress->steps;
    double now = eg_clock();
    if (!report->known || report->trial != trial || share < report->latest) {
        *report = (eg_run_report){.known = true, .trial = trial, .first = share, .first_time = now};
    }
    report->latest = share;
    report->latest_time = now;
    reporter->heard = now;
}

void eg_run_reporter_forget(eg_run_reporter *reporter, uint32_t rank, size_t trial)
{
    if (rank < reporter->report_count && reporter->reports[rank].trial == trial) {
        reporter->reports[rank].known = false;
    }
}

static eg_status count_host(eg_run_reporter *reporter, const char *host, size_t losses)
{
    for (size_t i = 0; i < reporter->host_count; i++) {
        if (strcmp(reporter->hosts[i].host, host) == 0) {
            reporter->hosts[i].losses = losses;
            return eg_ok();
        }
    }
    EG_TRY(eg_grow(&reporter->hosts, &reporter->host_capacity, reporter->host_count + 1,
                   sizeof *reporter->hosts));
    eg_run_host *added = &reporter->hosts[reporter->host_count];
    *added = (eg_run_host){.losses = losses};
    (void)snprintf(added->host, sizeof added->host, "%s", host);
    reporter->host_count++;
    return eg_ok();
}

eg_status eg_run_reporter_lost(eg_run_reporter *reporter, const eg_worker_loss *loss)
{
    reporter->lost++;
    if (reporter->observer.worker_lost != NULL) {
        reporter->observer.worker_lost(reporter->observer.user, loss);
    }
    return count_host(reporter, loss->host, loss->host_losses);
}

void eg_run_reporter_back(eg_run_reporter *reporter, uint32_t rank, const char *host)
{
    reporter->back++;
    if (reporter->observer.worker_back != NULL) {
        reporter->observer.worker_back(reporter->observer.user, rank, host);
    }
}

void eg_run_reporter_warn(const eg_run_reporter *reporter, const char *format, ...)
{
    char text[EG_MESSAGE_SIZE];
    va_list arguments;
    if (reporter->observer.warning == NULL) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    reporter->observer.warning(reporter->observer.user, text);
}
