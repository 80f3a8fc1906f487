/** What may be asked of a run; see engram/run.h. */
#include "run/run_parts.h"

void eg_run_stop(eg_run *run)
{
    (void)run;
    eg_signals_request();
}

const eg_run_counts *eg_run_counted(const eg_run *run)
{
    return &run->state.counts;
}

const eg_plan *eg_run_plan(const eg_run *run)
{
    return run->state.plan;
}

const char *eg_run_path(const eg_run *run)
{
    return run->path;
}

const eg_run_repeats *eg_run_repeated(const eg_run *run)
{
    return &run->repeats;
}

eg_run_workers eg_run_workers_of(const eg_run *run)
{
    const eg_run_reporter *reporter = &run->reporter;
    return (eg_run_workers){.count = reporter->workers,
                            .lost = reporter->lost,
                            .back = reporter->back,
                            .hosts = reporter->hosts,
                            .host_count = reporter->host_count};
}

const eg_ranking_basis *eg_run_basis(const eg_run *run)
{
    return &run->state.basis;
}

eg_ranked_point *eg_run_points(eg_run *run)
{
    eg_run_state_rank(&run->state);
    return run->state.points;
}

const eg_ranked_point *eg_run_best(eg_run *run)
{
    return eg_run_state_best(&run->state);
}

const char *eg_run_change(const eg_run *run)
{
    return eg_store_change(run->store);
}

const char *eg_run_kept_journal(const eg_run *run)
{
    return eg_store_kept(run->store);
}
