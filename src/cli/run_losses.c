/** Workers that a sweep loses: the journal, the queue and the screen are told. */
#include "cli/sweep_run.h"

#include "cli/format.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static eg_status count_host(eg_sweep_run *run, const char *host, size_t losses)
{
    for (size_t i = 0; i < run->host_count; i++) {
        if (strcmp(run->hosts[i].host, host) == 0) {
            run->hosts[i].losses = losses;
            return eg_ok();
        }
    }
    EG_TRY(eg_grow(&run->hosts, &run->host_capacity, run->host_count + 1, sizeof *run->hosts));
    eg_host_losses *added = &run->hosts[run->host_count];
    *added = (eg_host_losses){.losses = losses};
    (void)snprintf(added->host, sizeof added->host, "%s", host);
    run->host_count++;
    return eg_ok();
}

eg_status eg_sweep_run_worker_lost(void *user, const eg_worker_loss *loss)
{
    eg_sweep_run *run = user;
    run->workers_lost++;
    if (run->progress.mode == EG_PROGRESS_LINE) {
        eg_progress_clear(&run->progress);
        eg_say(stderr,
               "lost: rank %" PRIu32 " on host %s (%s) with %zu trial%s; %zu worker%s left; "
               "losses on this host: %zu\n",
               loss->rank, loss->host, loss->why, loss->in_flight, eg_plural(loss->in_flight),
               loss->workers_left, eg_plural(loss->workers_left), loss->host_losses);
    }
    return count_host(run, loss->host, loss->host_losses);
}

eg_status eg_sweep_run_lost(void *user, const eg_work_loss *loss)
{
    eg_sweep_run *run = user;
    size_t trial = (size_t)loss->ticket;
    const eg_attempt attempt = {.attempt = loss->attempt,
                                .rank = loss->rank,
                                .host = loss->host,
                                .start_time = loss->start_time,
                                .wall_seconds = eg_now() - loss->start_time};
    EG_TRY(eg_store_lost(run->store, trial, &attempt, loss->was_running, loss->why));
    eg_sweep_run_drop_report(run, loss->rank, trial);
    eg_sweep_run_set(run, trial, EG_TRIAL_PENDING, NULL);
    eg_run_queue_again(&run->queue, trial);
    run->retried++;
    return eg_ok();
}

void eg_sweep_run_worker_back(void *user, uint32_t rank, const char *host)
{
    eg_sweep_run *run = user;
    run->workers_back++;
    if (run->progress.mode == EG_PROGRESS_LINE) {
        eg_progress_clear(&run->progress);
        eg_say(stderr, "back: rank %" PRIu32 " on host %s works again\n", rank, host);
    }
}

void eg_sweep_run_print_losses(const eg_sweep_run *run)
{
    if (run->workers_lost == 0) {
        return;
    }
    (void)printf("lost %zu worker%s (", run->workers_lost, eg_plural(run->workers_lost));
    for (size_t i = 0; i < run->host_count; i++) {
        eg_say(stdout, "%s%zu on %s", i == 0 ? "" : ", ", run->hosts[i].losses, run->hosts[i].host);
    }
    (void)printf("), of which %zu came back; retried %zu trial%s\n", run->workers_back,
                 run->retried, eg_plural(run->retried));
}
