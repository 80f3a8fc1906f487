/** What a sweep would do; see cli/report/plan_report.h. */
#include "cli/report/plan_report.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/preflight.h"
#include "cli/report/estimate.h"
#include "cli/sweep_arguments.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/run.h"
#include "engram/settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { VALUES_SHOWN = 12, VALUES_SIZE = 400 };

/** Where one setting is, from point to point. */
typedef struct reading {
    const char *name;
    const eg_settings *before; /* the last point asked for … */
    size_t place; /* … and where it was; SIZE_MAX: nowhere, or its learner does not use it */
} reading;

/** The value of the setting at a point, NULL if the point does not have it or its learner does not
 *  look at it. */
static const char *read_value(reading *r, const eg_settings *settings)
{
    if (r->before == NULL || !eg_settings_alike(r->before, settings)) {
        r->place =
            eg_trial_uses(settings, r->name) ? eg_settings_place(settings, r->name) : SIZE_MAX;
    }
    r->before = settings;
    return r->place != SIZE_MAX ? eg_settings_at(settings, r->place)->value.text : NULL;
}

static const char *value_at(const eg_plan *plan, size_t point, const char *name)
{
    reading at = {.name = name};
    return read_value(&at, plan->points[point].settings);
}

/** The distinct values of a setting over the points, in order of appearance: at most VALUES_SHOWN
 *  are listed, all are counted. */
static size_t values_of(const eg_plan *plan, const char *name, const char *list[VALUES_SHOWN])
{
    /* Sweeps have few distinct values per name, so a search of the list would do; but draws of a
     * random sample are all different: beyond what is shown, points are counted as distinct. */
    reading at = {.name = name};
    size_t shown = 0;
    size_t more = 0;
    for (size_t p = 0; p < plan->point_count; p++) {
        const char *text = read_value(&at, plan->points[p].settings);
        size_t i = 0;
        while (text != NULL && i < shown && strcmp(list[i], text) != 0) {
            i++;
        }
        if (text != NULL && i == shown && shown < VALUES_SHOWN) {
            list[shown++] = text;
        } else if (text != NULL && i == shown) {
            more++;
        }
    }
    return shown + more;
}

static void print_swept(const eg_plan *plan)
{
    for (size_t s = 0; s < plan->swept_count; s++) {
        const char *list[VALUES_SHOWN];
        char values[VALUES_SIZE] = "";
        size_t count = values_of(plan, plan->swept[s], list);
        size_t shown = count < VALUES_SHOWN ? count : VALUES_SHOWN;
        for (size_t i = 0; i < shown; i++) {
            eg_append(values, sizeof values, "%s%s", i == 0 ? "" : ", ", list[i]);
        }
        eg_say(stdout, "  %-28s %s%s\n", plan->swept[s], values, count > shown ? ", …" : "");
    }
}

static void print_rules(const eg_plan *plan)
{
    for (size_t i = 0; i < plan->stop_count; i++) {
        const eg_component *component = &plan->stop[i].kind->component;
        (void)printf("stop        %s", component->name);
        for (size_t p = 0; p < component->param_count; p++) {
            const eg_param *param = &component->params[p];
            double value = plan->stop[i].p[p];
            (void)printf(" %s=%s", param->name,
                         param->type == EG_TYPE_NAME ? param->names[(size_t)value]
                                                     : eg_number(value, true).text);
        }
        (void)printf("\n");
    }
    if (plan->select_best > 0 && plan->slice_count > 0) {
        (void)printf("then        nothing: the second stage runs in the merged file\n");
    } else if (plan->select_best > 0) {
        (void)printf("then        the best %zu point%s run %zu further seed%s\n", plan->select_best,
                     eg_plural(plan->select_best), plan->select_seed_count,
                     eg_plural(plan->select_seed_count));
    }
}

static const char *protocol_of(const eg_plan *plan)
{
    const char *list[VALUES_SHOWN];
    size_t count = values_of(plan, "protocol", list);
    return count == 1 ? list[0] : "several";
}

/** What is known besides the plan. */
typedef struct outlook {
    char *path;                 /* of the results */
    char *writer;               /* who is writing to them, NULL: nobody */
    char data[EG_MESSAGE_SIZE]; /* why data cannot be used, "": they can */
    eg_estimate estimate;
} outlook;

static void print_results(const eg_plan *plan, const outlook *o)
{
    if (o->estimate.found) {
        eg_say(stdout, "results     %s: %zu of %zu trials finished\n", o->path, o->estimate.known,
               plan->trial_count);
    } else {
        eg_say(stdout, "results     %s does not exist yet\n", o->path);
    }
    if (o->writer != NULL) {
        eg_say(stdout, "            process %s is writing there: `engram run` refuses meanwhile\n",
               strrchr(o->writer, ' ') + 1);
    }
    if (o->data[0] != '\0') {
        eg_say(stdout, "data        %s; `engram run` refuses without\n", o->data);
    }
}

/** How the estimate was made. */
static void print_method(const eg_estimate *e)
{
    (void)printf("            from");
    if (e->measured > 0) {
        (void)printf(" %zu finished trial%s", e->measured, eg_plural(e->measured));
    }
    if (e->timing.seconds > 0) {
        (void)printf("%s minibatches and evaluations tried out for %s",
                     e->measured > 0 ? " and" : "", eg_duration(e->spent).text);
    }
    (void)printf(": %zu of %zu kind%s of points%s\n", e->timed, e->kinds, eg_plural(e->kinds),
                 e->timed < e->kinds ? ", the others by their operations" : "");
    if (e->timing.seconds <= 0) {
        return;
    }
    const eg_trial_timing *t = &e->timing;
    (void)printf(
        "            point %zu: %.3g s a trial: %zu minibatches %.3g, %zu evaluation%s %.3g, "
        "beginnings of tasks %.3g, ends of epochs %.3g, ends of tasks %.3g, set-up %.3g;\n",
        e->dearest, t->seconds, t->steps, t->training, t->evaluations, eg_plural(t->evaluations),
        t->evaluation, t->phase_begins, t->epoch_ends, t->phase_ends, t->setup);
    (void)printf("            opening the data %.3g s for each rank\n", e->opening);
}

static void print_estimate(const eg_plan *plan, const eg_estimate *e)
{
    if (e->known == plan->trial_count) {
        (void)printf("time        nothing is left to run\n");
        return;
    }
    if (!e->possible) {
        (void)printf("time        not estimated: %s\n", e->why);
        return;
    }
    (void)printf("time        ");
    if (e->least < 0.99 * e->most) {
        (void)printf("%s to ", eg_duration(e->least).text);
    }
    (void)printf("%s on one core", eg_duration(e->most).text);
    (void)printf(" (%.3g core-hours)%s\n", e->most / 3600,
                 e->least < 0.99 * e->most ? ", as many points are cut as may be, or none" : "");
    print_method(e);
}

/** How many trials the rules leave: those that look into trials leave all of them a part. */
static void print_bounds(const eg_plan *plan)
{
    double least = 1;
    double most = 1;
    eg_plan_bounds(plan, 0, &least, &most);
    if (least < 1) {
        size_t low = (size_t)(least * (double)plan->trial_count + 0.5);
        size_t high = (size_t)(most * (double)plan->trial_count + 0.5);
        (void)printf(", of which rules leave %zu", low);
        if (high > low) {
            (void)printf(" to %zu", high);
        }
    }
}

static void print_text(const eg_plan *plan, const outlook *o)
{
    eg_say(stdout, "%s (%s)\n", plan->name, plan->path);
    if (plan->doc != NULL && plan->doc[0] != '\0') {
        eg_print_wrapped(stdout, plan->doc, 2);
    }
    (void)printf("points      %zu", plan->point_count);
    if (plan->duplicates > 0) {
        (void)printf(", %zu duplicate%s removed", plan->duplicates, eg_plural(plan->duplicates));
    }
    if (plan->excluded > 0) {
        (void)printf(", %zu excluded", plan->excluded);
    }
    (void)printf("\nseeds       %zu:", plan->seed_count);
    for (size_t i = 0; i < plan->seed_count && i < VALUES_SHOWN; i++) {
        (void)printf(" %" PRIu64, plan->seeds[i]);
    }
    (void)printf("%s\n", plan->seed_count > VALUES_SHOWN ? " …" : "");
    (void)printf("trials      %zu", plan->trial_count);
    if (plan->slice_count > 0) {
        (void)printf(" of %zu: slice %zu of %zu", plan->point_count * plan->seed_count, plan->slice,
                     plan->slice_count);
    }
    print_bounds(plan);
    (void)printf("\n");
    eg_say(stdout, "objective   %s, %s, chosen by protocol %s\n", plan->objective,
           plan->maximise ? "maximise" : "minimise", protocol_of(plan));
    print_rules(plan);
    print_results(plan, o);
    print_estimate(plan, &o->estimate);
    (void)printf("swept       %zu setting%s\n", plan->swept_count, eg_plural(plan->swept_count));
    print_swept(plan);
    for (size_t i = 0; i < plan->note_count; i++) {
        eg_say(stdout, "note        %s\n", plan->notes[i]);
    }
    for (size_t i = 0; i < plan->warning_count; i++) {
        eg_say(stdout, "warning     %s\n", plan->warnings[i]);
    }
}

static eg_status print_json(const eg_plan *plan, const outlook *o)
{
    const eg_estimate *e = &o->estimate;
    json_t *root = json_object();
    eg_json_text(root, "name", plan->name);
    eg_json_text(root, "path", plan->path);
    eg_json_count(root, "points", plan->point_count);
    eg_json_count(root, "duplicates", plan->duplicates);
    eg_json_count(root, "excluded", plan->excluded);
    eg_json_count(root, "seeds", plan->seed_count);
    eg_json_count(root, "trials", plan->trial_count);
    eg_json_count(root, "slice", plan->slice);
    eg_json_count(root, "slices", plan->slice_count);
    eg_json_text(root, "objective", plan->objective);
    eg_json_text(root, "goal", plan->maximise ? "maximise" : "minimise");
    eg_json_text(root, "protocol", protocol_of(plan));
    eg_json_count(root, "second_stage_points", plan->select_best);
    eg_json_count(root, "second_stage_seeds", plan->select_seed_count);
    eg_json_text(root, "results", o->path);
    eg_json_text(root, "writer", o->writer);
    eg_json_text(root, "data", o->data[0] == '\0' ? NULL : o->data);
    eg_json_count(root, "finished", e->known);
    eg_json_count(root, "measured_trials", e->measured);
    eg_json_count(root, "kinds", e->kinds);
    eg_json_count(root, "kinds_timed", e->timed);
    eg_json_real(root, "core_seconds_total", e->possible ? e->total : (double)NAN);
    eg_json_real(root, "core_seconds_left", e->possible ? e->most : (double)NAN);
    eg_json_real(root, "core_seconds_least", e->possible ? e->least : (double)NAN);
    eg_json_text(root, "not_estimated", e->possible ? NULL : e->why);
    json_t *swept = json_object();
    for (size_t s = 0; s < plan->swept_count; s++) {
        const char *list[VALUES_SHOWN];
        eg_json_count(swept, plan->swept[s], values_of(plan, plan->swept[s], list));
    }
    (void)json_object_set_new(root, "swept", swept);
    (void)json_object_set_new(root, "notes", eg_json_texts(plan->notes, plan->note_count));
    (void)json_object_set_new(root, "warnings", eg_json_texts(plan->warnings, plan->warning_count));
    return eg_json_print(root);
}

/** What `engram run` checks before it starts, and the estimate. */
static eg_status look_out(outlook *o, const eg_plan *plan, const eg_plan_question *ask)
{
    EG_TRY(eg_sweep_arguments_path(&o->path, plan, ask->output));
    EG_TRY(eg_preflight_results(&o->writer, plan, o->path, ask->output == NULL));
    EG_TRY(eg_run_check_ids(plan, o->path, ask->redo));
    eg_status data = eg_run_check_data(plan, o->path, ask->redo);
    if (data.code == EG_INVALID) {
        (void)snprintf(o->data, sizeof o->data, "%s", data.message);
        data = eg_ok();
    }
    EG_TRY(data);
    return eg_estimate_make(&o->estimate, plan, o->path, ask->timing, o->data[0] == '\0');
}

eg_status eg_plan_report(const eg_plan *plan, const eg_plan_question *ask)
{
    outlook o = {0};
    eg_status status = look_out(&o, plan, ask);
    if (status.code == EG_OK && ask->json) {
        status = print_json(plan, &o);
    } else if (status.code == EG_OK) {
        print_text(plan, &o);
    }
    eg_free(o.path);
    eg_free(o.writer);
    return status;
}

static void print_trial_json(const eg_plan *plan, const eg_plan_trial *trial)
{
    char id[20];
    (void)snprintf(id, sizeof id, "%016" PRIx64, trial->id);
    json_t *row = json_object();
    eg_json_text(row, "id", id);
    eg_json_count(row, "point", trial->point);
    eg_json_count(row, "replicate", trial->replicate);
    eg_json_seed(row, "seed", trial->seed);
    for (size_t s = 0; s < plan->swept_count; s++) {
        const eg_setting *setting =
            eg_settings_find(plan->points[trial->point].settings, plan->swept[s]);
        eg_json_setting(row, plan->swept[s],
                        setting == NULL ? (int)EG_TYPE_TEXT : (int)setting->param->type,
                        value_at(plan, trial->point, plan->swept[s]));
    }
    eg_json_row(stdout, row);
}

eg_status eg_plan_print_trials(const eg_plan *plan, bool json)
{
    if (!json) {
        (void)printf("# trial id               point replicate seed  settings\n");
    }
    for (size_t t = 0; t < plan->trial_count && !ferror(stdout); t++) {
        const eg_plan_trial *trial = &plan->trials[t];
        if (json) {
            print_trial_json(plan, trial);
            continue;
        }
        (void)printf("%7zu %016" PRIx64 " %5" PRIu32 " %9" PRIu32 " %4" PRIu64 " ", t, trial->id,
                     trial->point, trial->replicate, trial->seed);
        for (size_t s = 0; s < plan->swept_count; s++) {
            const char *text = value_at(plan, trial->point, plan->swept[s]);
            if (text != NULL) {
                eg_say(stdout, " %s=%s", plan->swept[s], text);
            }
        }
        (void)printf("\n");
    }
    return eg_ok();
}
