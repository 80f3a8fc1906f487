/** A sweep in one call; see engram/run.h. */
#include "run/run_parts.h"

#include "engram/memory.h"
#include "engram/space.h"

/** Rank 0, with the plan. */
static eg_status run_plan(eg_run **out, eg_world *world, eg_plan *plan, const char *results,
                          const eg_run_options *options)
{
    char *path = NULL;
    eg_status status = eg_store_file(&path, results);
    if (status.code != EG_OK) {
        eg_plan_free(plan);
        return status;
    }
    status = eg_run_create(out, plan, path, options);
    eg_free(path);
    EG_TRY(status);
    status = eg_run_open(*out, world);
    if (status.code == EG_OK) {
        status = eg_run_trials(*out, world);
    }
    return eg_run_close(*out, status);
}

typedef struct source {
    const char *name, *text; /* text NULL: the file of that name */
    size_t size;
} source;

static eg_status load(eg_plan **out, const source *from, const eg_run_options *options)
{
    const char *const *overrides = options == NULL ? NULL : options->overrides;
    size_t count = options == NULL ? 0 : options->override_count;
    if (options != NULL && options->ask != NULL) {
        EG_TRY(eg_plan_parse_space(out, from->name, from->text, from->size, overrides, count));
    } else {
        EG_TRY(eg_plan_parse(out, from->name, from->text, from->size, overrides, count));
    }
    if (options == NULL || options->slice_count == 0) {
        return eg_ok();
    }
    eg_status status = eg_plan_slice(*out, options->slice, options->slice_count);
    if (status.code != EG_OK) {
        eg_plan_free(*out);
        *out = NULL;
    }
    return eg_status_wrap(status, "%s", from->name);
}

static eg_status run_source(eg_run_counts *counts, eg_world *world, const source *from,
                            const char *results, const eg_run_options *options)
{
    bool signals = options != NULL && options->signals;
    eg_plan *plan = NULL;
    eg_run *run = NULL;
    *counts = (eg_run_counts){0};
    if (eg_world_rank(world) > 0) {
        return eg_run_work(world, signals);
    }
    eg_status status = eg_ok();
    if (signals) {
        status = eg_signals_install();
    } else {
        eg_signals_forget();
    }
    if (status.code == EG_OK) {
        status = load(&plan, from, options);
    }
    if (status.code == EG_OK) {
        status = run_plan(&run, world, plan, results, options);
    }
    if (run != NULL) {
        *counts = *eg_run_counted(run);
    }
    if (eg_world_size(world) > 1 && (run == NULL || !eg_run_was_scheduled(run))) {
        eg_sched_dismiss(world);
    }
    eg_run_free(run);
    return status;
}

eg_status eg_run_file(eg_run_counts *counts, eg_world *world, const char *sweep,
                      const char *results, const eg_run_options *options)
{
    const source from = {.name = sweep};
    return run_source(counts, world, &from, results, options);
}

eg_status eg_run_text(eg_run_counts *counts, eg_world *world, const char *name, const char *text,
                      size_t size, const char *results, const eg_run_options *options)
{
    const source from = {.name = name, .text = text, .size = size};
    return run_source(counts, world, &from, results, options);
}
