/** What a sweep would do; see cli/plan_report.h. */
#include "cli/plan_report.h"

#include "cli/estimate.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VALUES_SHOWN = 12, WORDS_SIZE = 400 };

/** The distinct values of a setting over the points, in order of appearance: at most VALUES_SHOWN are
 *  listed, all are counted. */
static size_t values_of(const eg_plan *plan, const char *name, const char *list[VALUES_SHOWN])
{
    /* Sweeps have few distinct values per name, so a search of the list would do; but draws of a random
     * sample are all different: beyond what is shown, points are counted as distinct. */
    size_t shown = 0;
    size_t more = 0;
    for (size_t p = 0; p < plan->point_count; p++) {
        const eg_setting *setting = eg_settings_find(plan->points[p].settings, name);
        const char *text = setting == NULL ? NULL : setting->value.text;
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
        char words[WORDS_SIZE] = "";
        size_t count = values_of(plan, plan->swept[s], list);
        size_t shown = count < VALUES_SHOWN ? count : VALUES_SHOWN;
        for (size_t i = 0; i < shown; i++) {
            eg_append(words, sizeof words, "%s%s", i == 0 ? "" : ", ", list[i]);
        }
        eg_say(stdout, "  %-28s %s%s\n", plan->swept[s], words, count > shown ? ", …" : "");
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
                         param->type == EG_TYPE_WORD ? param->choices[(size_t)value]
                                                     : eg_number(value, true).text);
        }
        (void)printf(" (can only make it shorter)\n");
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

static void print_estimate(const eg_plan *plan, const eg_estimate *estimate)
{
    if (estimate->found) {
        eg_say(stdout, "results     %s: %zu of %zu trials finished\n", estimate->path,
               estimate->known, plan->trial_count);
    } else {
        eg_say(stdout, "results     %s does not exist yet\n", estimate->path);
    }
    if (estimate->known == plan->trial_count) {
        (void)printf("time        nothing is left to run\n");
        return;
    }
    (void)printf("time        %s on one core", eg_duration(estimate->left_seconds).text);
    (void)printf(" (%.3g core-hours)", estimate->left_seconds / 3600);
    if (estimate->measured > 0) {
        (void)printf(", from %zu measured trial%s\n", estimate->measured,
                     eg_plural(estimate->measured));
    } else {
        (void)printf(", estimated: %.3g operations at %.2f of the %.3g per second this core "
                     "multiplies matrices with\n",
                     estimate->total_seconds * estimate->rate, EG_ESTIMATE_EFFICIENCY,
                     estimate->probe_rate);
    }
}

static void print_text(const eg_plan *plan, const eg_estimate *estimate)
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
    (void)printf("\n");
    eg_say(stdout, "objective   %s, %s, chosen by protocol %s\n", plan->objective,
           plan->maximise ? "maximise" : "minimise", protocol_of(plan));
    print_rules(plan);
    print_estimate(plan, estimate);
    (void)printf("swept       %zu setting%s\n", plan->swept_count, eg_plural(plan->swept_count));
    print_swept(plan);
    for (size_t i = 0; i < plan->note_count; i++) {
        (void)printf("note        %s\n", plan->notes[i]);
    }
    for (size_t i = 0; i < plan->warning_count; i++) {
        eg_say(stdout, "warning     %s\n", plan->warnings[i]);
    }
}

static eg_status print_json(const eg_plan *plan, const eg_estimate *estimate)
{
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
    eg_json_text(root, "results", estimate->path);
    eg_json_count(root, "finished", estimate->known);
    eg_json_count(root, "measured_trials", estimate->measured);
    eg_json_real(root, "core_seconds_total", estimate->total_seconds);
    eg_json_real(root, "core_seconds_left", estimate->left_seconds);
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

eg_status eg_plan_report(const eg_plan *plan, const char *output, bool json)
{
    eg_estimate estimate;
    eg_status status = eg_estimate_make(&estimate, plan, output);
    if (status.code == EG_OK && json) {
        status = print_json(plan, &estimate);
    } else if (status.code == EG_OK) {
        print_text(plan, &estimate);
    }
    eg_estimate_clear(&estimate);
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
                        setting == NULL ? NULL : setting->value.text);
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
            const eg_setting *setting =
                eg_settings_find(plan->points[trial->point].settings, plan->swept[s]);
            if (setting != NULL) {
                eg_say(stdout, " %s=%s", plan->swept[s], setting->value.text);
            }
        }
        (void)printf("\n");
    }
    return eg_ok();
}
