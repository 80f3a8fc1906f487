/** A sweep on the screen while it runs; see cli/report/screen.h. */
#include "cli/report/screen.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/report/result_facts.h"
#include "cli/terminal.h"
#include "engram/clock.h"
#include "engram/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WARNINGS_SHOWN = 20, FAILURES_SHOWN = 5 };

void eg_screen_init(eg_screen *out, eg_progress_mode mode, const eg_world *world,
                    const eg_sched_options *sched, double stop_at)
{
    *out = (eg_screen){
        .progress = eg_progress_make(mode), .world = world, .sched = sched, .stop_at = stop_at};
}

void eg_screen_clear(eg_screen *screen)
{
    eg_point_columns_clear(&screen->columns);
}

eg_status eg_screen_take_plan(eg_screen *screen, const eg_plan *plan)
{
    screen->ranking = eg_ranking_report_of_plan(plan);
    screen->ranking.columns = &screen->columns;
    eg_point_columns_clear(&screen->columns);
    return eg_point_columns_of_plan(&screen->columns, plan);
}

static eg_status plan_grew(void *user, eg_run *run)
{
    return eg_screen_take_plan(user, eg_run_plan(run));
}

static bool has_lines(const eg_screen *screen)
{
    return screen->progress.mode == EG_PROGRESS_LINE;
}

static eg_status announce(const eg_screen *screen, const eg_run *run)
{
    char *line = NULL;
    char *warnings = NULL;
    EG_TRY(eg_world_describe(screen->world, screen->sched, &line, &warnings));
    const eg_plan *plan = eg_run_plan(run);
    const eg_run_counts *counts = eg_run_counted(run);
    char more[64] = "";
    if (counts->to_come > 0) {
        eg_append(more, sizeof more, " and %zu to come from the tuner", counts->to_come);
    }
    if (counts->before == 0) {
        eg_say(stderr, "%s: %zu trial%s to run%s, %s\n", plan->name, counts->total,
               eg_plural(counts->total), more, line);
    } else {
        eg_say(stderr, "%s: %zu of %zu trials were finished before, %zu to run%s, %s\n", plan->name,
               counts->before, counts->total, counts->unfinished, more, line);
    }
    for (size_t i = 0; i < plan->warning_count; i++) {
        eg_say(stderr, "warning: %s\n", plan->warnings[i]);
    }
    eg_put_safe(stderr, warnings, strlen(warnings), true);
    if (isfinite(screen->stop_at)) {
        (void)fprintf(stderr, "stops by itself at %s\n", eg_time_text(screen->stop_at).text);
    }
    eg_free(line);
    eg_free(warnings);
    return eg_ok();
}

/** What is new about the results file. */
static void print_file(const eg_run *run)
{
    const char *change = eg_run_change(run);
    const char *kept = eg_run_kept_journal(run);
    size_t lacking = eg_run_repeated(run)->lacking;
    if (kept != NULL) {
        eg_say(stderr,
               "warning: the journal was damaged in its header or plan, which it holds twice; "
               "nothing is lost, "
               "it was written anew, and the old one is %s\n",
               kept);
    }
    if (change[0] != '\0') {
        eg_say(stderr, "note: the sweep was changed since its last run: %s\n", change);
    }
    if (lacking > 0) {
        eg_say(stderr, "note: %zu finished trial%s what `measures` asks for, and run%s again\n",
               lacking, lacking == 1 ? " lacks" : "s lack", lacking == 1 ? "s" : "");
    }
}

static eg_status began(void *user, eg_run *run)
{
    eg_screen *screen = user;
    if (eg_run_plan(run)->space != NULL) {
        EG_TRY(plan_grew(screen, run));
    }
    screen->path = eg_run_path(run);
    screen->progress = eg_progress_make(screen->progress.mode);
    if (!has_lines(screen)) {
        return eg_ok();
    }
    print_file(run);
    bool over = eg_run_counted(run)->unfinished + eg_run_counted(run)->to_come == 0;
    return over ? eg_ok() : announce(screen, run);
}

/** Says at once why a trial failed; after a few, `engram failures` is the better place. */
static void trial_finished(void *user, const eg_run_result *result)
{
    eg_screen *screen = user;
    bool wanted = result->status == EG_TRIAL_FAILED && has_lines(screen);
    if (!wanted || screen->failures++ >= FAILURES_SHOWN) {
        return;
    }
    eg_progress_clear(&screen->progress);
    eg_say(stderr, "trial %s failed on rank %" PRIu32 " (%s): %s\n",
           eg_id(result->attempt.trial).text, result->attempt.rank, result->attempt.host,
           result->message);
    if (screen->failures == FAILURES_SHOWN) {
        eg_say(stderr, "further failures are not shown; see `engram failures %s`\n", screen->path);
    }
}

static void print_note_json(const eg_run_note *note)
{
    json_t *object = json_object();
    eg_json_real(object, "time", eg_now());
    eg_json_text(object, "trial", eg_id(note->attempt.trial).text);
    eg_json_count(object, "attempt", note->attempt.number);
    eg_json_count(object, "rank", note->attempt.rank);
    eg_json_text(object, "host", note->attempt.host);
    eg_json_text(object, note->warning ? "warning" : "note", note->text);
    eg_json_row(stderr, object);
}

/** Warnings in every mode. */
static void note(void *user, const eg_run_note *note)
{
    eg_screen *screen = user;
    if (screen->progress.mode == EG_PROGRESS_JSON) {
        print_note_json(note);
        return;
    }
    bool wanted =
        note->warning ? screen->warnings++ < WARNINGS_SHOWN : has_lines(screen) && !note->expected;
    if (!wanted) {
        return;
    }
    eg_progress_clear(&screen->progress);
    eg_say(stderr, "%strial %s on rank %" PRIu32 " (%s): %s\n", note->warning ? "warning: " : "",
           eg_id(note->attempt.trial).text, note->attempt.rank, note->attempt.host, note->text);
    if (note->warning && screen->warnings == WARNINGS_SHOWN) {
        (void)fprintf(stderr, "warning: further ones like this are not shown\n");
    }
}

static void warning(void *user, const char *text)
{
    eg_screen *screen = user;
    eg_progress_clear(&screen->progress);
    eg_say(stderr, "warning: %s\n", text);
}

static void worker_lost(void *user, const eg_worker_loss *loss)
{
    eg_screen *screen = user;
    if (has_lines(screen)) {
        eg_progress_clear(&screen->progress);
        eg_say(stderr,
               "lost: rank %" PRIu32 " on host %s (%s) with %zu trial%s; %zu worker%s left; "
               "losses on this host: %zu\n",
               loss->rank, loss->host, loss->why, loss->in_flight, eg_plural(loss->in_flight),
               loss->workers_left, eg_plural(loss->workers_left), loss->host_losses);
    }
}

static void worker_back(void *user, uint32_t rank, const char *host)
{
    eg_screen *screen = user;
    if (has_lines(screen)) {
        eg_progress_clear(&screen->progress);
        eg_say(stderr, "back: rank %" PRIu32 " on host %s works again\n", rank, host);
    }
}

static void time_up(void *user)
{
    eg_screen *screen = user;
    if (has_lines(screen)) {
        eg_progress_clear(&screen->progress);
        (void)fprintf(stderr, "the time is up: stopping\n");
    }
}

static void gave_up(void *user, size_t failures)
{
    eg_screen *screen = user;
    eg_progress_clear(&screen->progress);
    eg_say(stderr,
           "%zu trial%s failed or timed out, as many as max_failures allows: nothing more is "
           "handed out; see `engram failures %s`\n",
           failures, eg_plural(failures), screen->path);
}

/** "name=value name=value" of what tells the best point from others, cut to fit. */
static void describe_best(eg_screen *screen, size_t point)
{
    const eg_point_columns *columns = &screen->columns;
    screen->best[0] = '\0';
    for (size_t i = 0; i < columns->count; i++) {
        const char *value = eg_point_columns_text(columns, i, point);
        if (value != NULL) {
            eg_append(screen->best, sizeof screen->best, "%s%s=%s",
                      screen->best[0] == '\0' ? "" : " ", eg_point_columns_name(columns, i), value);
        }
    }
}

static void draw(eg_screen *screen, eg_run *run)
{
    const eg_ranked_point *best = eg_run_best(run);
    eg_run_progress progress;
    eg_run_look(&progress, run);
    char values[EG_RANKING_LINE_SIZE] = "";
    eg_progress_facts facts = {
        .total = eg_run_counted(run)->total,
        .to_come = eg_run_counted(run)->to_come,
        .by_status = eg_run_counted(run)->by_status,
        .shares = progress.shares,
        .share_count = progress.share_count,
        .per_minute = progress.per_minute,
        .seconds_left = progress.seconds_left,
        .best = (double)NAN,
        .best_reported = (double)NAN,
        .best_values = values,
        .selected_on = screen->ranking.selecting,
        .reported_on = screen->ranking.reporting,
        .best_settings = "",
        .workers_lost = eg_run_workers_of(run).lost,
        .retried = eg_run_counted(run)->retried,
    };
    if (best != NULL) {
        const eg_stage_sum *reporting = eg_point_reporting(best);
        facts.best = eg_point_selecting(best)->selected.mean;
        if (reporting->reported.n > 0) {
            facts.best_reported = reporting->reported.mean;
        }
        eg_ranking_line(values, sizeof values, &screen->ranking, best);
        describe_best(screen, best->point);
        facts.best_settings = screen->best;
    }
    eg_progress_write(&screen->progress, &facts);
}

static void idle(void *user, eg_run *run)
{
    eg_screen *screen = user;
    if (eg_progress_due(&screen->progress)) {
        draw(screen, run);
    }
}

static void ended(void *user, eg_run *run)
{
    eg_screen *screen = user;
    eg_progress_clear(&screen->progress);
    if (screen->progress.mode == EG_PROGRESS_JSON) {
        draw(screen, run); /* scripts want to see the end */
    }
}

eg_run_observer eg_screen_observer(eg_screen *screen)
{
    return (eg_run_observer){
        .user = screen,
        .began = began,
        .trial_finished = trial_finished,
        .note = note,
        .warning = warning,
        .worker_lost = worker_lost,
        .worker_back = worker_back,
        .time_up = time_up,
        .gave_up = gave_up,
        .idle = idle,
        .ended = ended,
        .plan_grew = plan_grew,
    };
}
