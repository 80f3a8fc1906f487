/** engram status: how far a sweep is, from any process. */
#include "cli/cli.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/report/ranking_report.h"
#include "cli/report/result_facts.h"
#include "cli/report/status_facts.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"
#include "engram/params.h"
#include "engram/trial.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WATCH, JSON };

static const eg_option options[] = {
    [WATCH] = {.name = "watch",
               .letter = 'w',
               .value = "SECONDS",
               .optional = true,
               .doc =
                   "Shows it again every SECONDS (default 2) until nobody writes to the file any "
                   "more. If no sweep has begun in FILE yet, waits for it."},
    [JSON] = {.name = "json", .doc = "One JSON object (one per line with --watch)."},
};

enum { SCHEMA = 2 /* of --json: grows when a key is removed or changes its meaning */ };

/** How many of the stops from the first on are after as many evaluations. */
static size_t run_length(const eg_status_facts *f, size_t first)
{
    size_t end = first;
    while (end < f->stop_count && f->stops[end] == f->stops[first]) {
        end++;
    }
    return end - first;
}

static void print_stops(const eg_status_facts *f)
{
    for (size_t i = 0; i < f->stop_count; i += run_length(f, i)) {
        (void)printf("  stopped   %zu after evaluation %zu\n", run_length(f, i), f->stops[i]);
    }
}

static json_t *stops_object(const eg_status_facts *f)
{
    json_t *object = json_object();
    for (size_t i = 0; i < f->stop_count; i += run_length(f, i)) {
        char evaluations[24];
        (void)snprintf(evaluations, sizeof evaluations, "%zu", f->stops[i]);
        eg_json_count(object, evaluations, run_length(f, i));
    }
    return object;
}

static void print_workers(const eg_status_facts *f)
{
    enum { SHOWN = 32 };
    double now = eg_now();
    for (size_t i = 0; i < f->worker_count && i < SHOWN; i++) {
        const eg_worker_state *worker = &f->workers[i];
        eg_say(stdout, "  worker    rank %" PRIu32 " on %s: ", worker->rank, worker->host);
        if (worker->running == NULL) {
            (void)printf("waiting");
        } else {
            (void)printf("trial %s", eg_id(worker->running->attempt.trial).text);
            if (worker->running->attempt.number > 1) {
                (void)printf(", attempt %" PRIu32, worker->running->attempt.number);
            }
            (void)printf(", given %s ago",
                         eg_duration(fmax(0, now - worker->running->attempt.start_time)).text);
        }
        (void)printf("; %zu finished\n", worker->finished);
    }
    if (f->worker_count > SHOWN) {
        (void)printf("  worker    … and %zu more (--json has them all)\n", f->worker_count - SHOWN);
    }
}

static json_t *workers_array(const eg_status_facts *f)
{
    json_t *list = json_array();
    for (size_t i = 0; i < f->worker_count; i++) {
        const eg_worker_state *worker = &f->workers[i];
        const eg_result *running = worker->running;
        json_t *object = json_object();
        eg_json_count(object, "rank", worker->rank);
        eg_json_text(object, "host", worker->host);
        eg_json_text(object, "trial", running == NULL ? NULL : eg_id(running->attempt.trial).text);
        eg_json_real(object, "since", running == NULL ? (double)NAN : running->attempt.start_time);
        eg_json_count(object, "attempt", running == NULL ? 0 : running->attempt.number);
        eg_json_count(object, "held", worker->held);
        eg_json_count(object, "finished", worker->finished);
        eg_json_real(object, "busy_seconds", worker->busy_seconds);
        (void)json_array_append_new(list, object);
    }
    return list;
}

static const char *state_of(const eg_results *results)
{
    if (results->writer != NULL) {
        return "running";
    }
    return results->complete ? "complete" : "incomplete, nobody is running it";
}

static void print_text(const char *path, const eg_results *results, const eg_status_facts *f,
                       const char *notes)
{
    eg_say(stdout, "%s (%s): %s", results->name, path, state_of(results));
    if (results->writer != NULL) {
        eg_say(stdout, " by %s", results->writer);
    }
    (void)printf("\n  finished  %zu of %zu\n", f->finished, f->total);
    for (int s = 0; s < EG_TRIAL_STATUS_COUNT; s++) {
        if (f->by_status[s] > 0 && s != EG_TRIAL_STOPPED) {
            (void)printf("  %-9s %zu\n", eg_trial_status_name((eg_trial_status)s), f->by_status[s]);
        }
    }
    print_stops(f);
    if (f->retried > 0) {
        (void)printf("  retried   %zu\n", f->retried);
    }
    if (f->losses > 0) {
        (void)printf("  lost      %zu attempt%s with their workers\n", f->losses,
                     eg_plural(f->losses));
    }
    if (results->writer != NULL && isfinite(f->per_second)) {
        (void)printf("  rate      %.3g trials per minute\n", 60 * f->per_second);
        (void)printf("  left      %s\n", eg_duration(f->seconds_left).text);
    }
    print_workers(f);
    (void)printf("  computed  %s of trial time\n", eg_duration(f->wall_total).text);
    (void)printf("  last news %s\n", eg_time_text(results->last_activity).text);
    if (f->ranking.count > 0) {
        char line[EG_RANKING_LINE_SIZE] = "";
        eg_ranking_line(line, sizeof line, &f->ranking, f->ranking.points);
        eg_say(stdout, "  best      point %zu, %s selected on %s\n", f->ranking.points->point,
               f->ranking.basis.reported, line);
    }
    for (const char *at = notes; *at != '\0'; at = strchr(at, '\n') + 1) {
        eg_say(stdout, "  note      %.*s\n", (int)strcspn(at, "\n"), at);
    }
}

static eg_status print_json(const char *path, const eg_results *results, const eg_status_facts *f,
                            bool one_line)
{
    json_t *root = json_object();
    eg_json_count(root, "schema", SCHEMA);
    eg_json_text(root, "name", results->name);
    eg_json_text(root, "path", path);
    (void)json_object_set_new(root, "complete", json_boolean(results->complete));
    eg_json_text(root, "writer", results->writer);
    eg_json_count(root, "total", f->total);
    eg_json_count(root, "finished", f->finished);
    eg_json_statuses(root, f->by_status);
    (void)json_object_set_new(root, "stopped_after", stops_object(f));
    eg_json_count(root, "earlier", eg_results_stale(results));
    eg_json_count(root, "retried", f->retried);
    eg_json_count(root, "lost_attempts", f->losses);
    (void)json_object_set_new(root, "workers", workers_array(f));
    eg_json_real(root, "trials_per_minute", 60 * f->per_second);
    eg_json_real(root, "seconds_left", f->seconds_left);
    eg_json_real(root, "trial_seconds", f->wall_total);
    eg_json_real(root, "last_activity", results->last_activity);
    eg_json_text(root, "objective", results->objective);
    eg_ranking_json(root, &f->ranking);
    const eg_ranked_point *best = f->ranking.count == 0 ? NULL : f->ranking.points;
    eg_json_real(root, "best",
                 best == NULL ? (double)NAN : eg_point_selecting(best)->selected.mean);
    (void)json_object_set_new(root, "best_point",
                              best == NULL ? json_null() : json_integer((json_int_t)best->point));
    (void)json_object_set_new(root, "best_values",
                              best == NULL ? json_null() : eg_ranking_point_json(&f->ranking, 0));
    (void)json_object_set_new(root, "warnings",
                              eg_json_texts(results->warnings, results->warning_count));
    if (one_line) {
        eg_json_row(stdout, root);
        return eg_ok();
    }
    return eg_json_print(root);
}

/** The best point: the ranking's only one. *points and *trials are to be released. */
static eg_status find_best(eg_ranking_report *out, const eg_results *results,
                           eg_ranked_point **points, eg_scored_trial **trials)
{
    *out = eg_ranking_report_of_results(results, NULL);
    EG_TRY(eg_results_score(trials, results, &out->basis));
    EG_TRY(eg_results_rank(points, results, &out->basis, *trials));
    out->points = *points;
    out->count = eg_ranking_best(*points, results->point_count, &out->basis) == NULL ? 0 : 1;
    return eg_ok();
}

/** Shows the file once. *running: somebody writes to it. */
static eg_status show(const char *path, bool json, bool watching, bool *running)
{
    eg_results *results = NULL;
    eg_ranked_point *points = NULL;
    eg_scored_trial *trials = NULL;
    char *notes = NULL;
    eg_status_facts f = {0};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_results_load_brief(&results, path));
    EG_TRY_DONE(status, eg_status_facts_init(&f, results));
    EG_TRY_DONE(status, find_best(&f.ranking, results, &points, &trials));
    EG_TRY_DONE(status, eg_results_notes(&notes, results, f.ranking.on_test));
    if (json) {
        EG_TRY_DONE(status, print_json(path, results, &f, watching));
    } else {
        if (watching && isatty(STDOUT_FILENO) == 1) {
            (void)printf("\033[H\033[2J"); /* home, clear */
        }
        print_text(path, results, &f, notes);
    }
    *running = results->writer != NULL;
done:
    eg_free(notes);
    eg_status_facts_clear(&f);
    eg_free(points);
    eg_free(trials);
    eg_results_free(results);
    return status;
}

/** Whatever it is doing: nothing is written, so nothing can be left half-done. */
static void leave(int number)
{
    (void)number;
    _exit(EG_EXIT_STOPPED);
}

static void leave_on_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = leave};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < EG_COUNT(numbers); i++) {
        struct sigaction before;
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            (void)sigaction(numbers[i], &action, NULL);
        }
    }
}

static void pause_for(size_t seconds)
{
    const struct timespec pause = {.tv_sec = (time_t)seconds};
    (void)nanosleep(&pause, NULL);
}

/** Until there is a sweep to watch. */
static eg_status await_sweep(const char *path, size_t interval)
{
    bool begun = false;
    EG_TRY(eg_results_begun(&begun, path));
    if (!begun) {
        (void)fprintf(stderr, "waiting for a sweep to begin in %s (Ctrl-C ends this)\n", path);
    }
    while (!begun) {
        pause_for(interval);
        EG_TRY(eg_results_begun(&begun, path));
    }
    return eg_ok();
}

static eg_status watch(const char *path, bool json, size_t interval)
{
    bool running = true;
    leave_on_signals();
    EG_TRY(await_sweep(path, interval));
    EG_TRY(show(path, json, true, &running));
    while (running && fflush(stdout) == 0) {
        pause_for(interval);
        EG_TRY(show(path, json, true, &running));
    }
    return eg_ok();
}

static eg_status run(eg_cli *cli, const eg_args *args, int *code)
{
    (void)cli;
    (void)code;
    bool json = args->option[JSON] != NULL;
    const char *every = args->option[WATCH];
    if (every == NULL) {
        bool running = false;
        return show(args->operands[0], json, false, &running);
    }
    size_t interval = 2;
    if (every[0] != '\0') {
        EG_TRY(eg_args_count(&interval, "--watch", every, 1));
    }
    return watch(args->operands[0], json, interval);
}

const eg_verb eg_verb_status = {
    .name = "status",
    .summary = "progress of a running or finished sweep",
    .synopsis = "FILE [--watch[=SECONDS]] [--json]",
    .description =
        "Says how many trials of FILE are done, running, diverged, failed, skipped, paused, "
        "stopped "
        "(after how many evaluations) and pending, and "
        "while the sweep runs its rate (over the last 100 trials) and the time left. It reads the "
        "journal beside FILE from any process on any machine that sees the file, and disturbs "
        "nobody.\n\n"
        "--json, schema 2 (keys may be added; a change of any is a new schema): name, path; "
        "complete; writer, \"host pid\" or null; total, finished, and a count per status: pending, "
        "running, done, diverged, failed, timeout, skipped, paused, stopped; stopped_after, an "
        "object "
        "of stopped trials per number of evaluations; earlier, finished trials that an edit of the "
        "sweep removed, which count nowhere else; retried, trials that needed several "
        "attempts; lost_attempts, those that ended with their worker; workers, while somebody "
        "writes: rank, host, trial (id or null), since (seconds since 1970), attempt, held (trials "
        "given to it), finished and busy_seconds (by this run of the command); trials_per_minute, "
        "seconds_left, trial_seconds, last_activity; objective, selected_on, reported_on, goal, "
        "interval "
        "and best_values (a point as `engram top --json` has it); best, the mean it was selected "
        "on, and best_point; warnings. What "
        "is "
        "unknown is null.",
    .options = options,
    .option_count = EG_COUNT(options),
    .operands_min = 1,
    .operands_max = 1,
    .needs = "needs a results file",
    .examples = "engram status results/quickstart.h5\n"
                "engram status results/quickstart.h5 --watch=10",
    .exits = "0   done\n"
             "2   usage, or the file cannot be read\n"
             "75  watching was ended by a signal",
    .run = run,
};
