/** What the datasets of a sweep hold; see run/run_data.h. */
#include "run/run_data.h"

#include "engram/dataset.h"
#include "engram/memory.h"
#include "engram/pack.h"
#include "engram/run.h"
#include "engram/settings.h"
#include "engram/store.h"
#include "engram/trial.h"
#include "run/redo.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_of_dataset(const char *name)
{
    return strcmp(name, "dataset") == 0 || strncmp(name, "dataset.", 8) == 0;
}

/** A hash of everything said about the dataset, paths included. */
static eg_status dataset_hash(uint64_t *out, const eg_settings *settings)
{
    eg_writer writer = {0};
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        if (is_of_dataset(setting->name)) {
            eg_write_text(&writer, setting->name);
            eg_write_text(&writer, setting->value.text);
        }
    }
    eg_status status = eg_writer_status(&writer);
    *out = status.code == EG_OK ? eg_hash64(writer.data, writer.size) : 0;
    eg_writer_clear(&writer);
    return status;
}

/** Has a point the data of another one? Seen where they share their settings; false says
 *  nothing. */
static bool same_dataset(const eg_settings *a, const eg_settings *b)
{
    bool same = eg_settings_alike(a, b);
    for (size_t i = 0; same && i < eg_settings_count(a); i++) {
        const eg_setting *setting = eg_settings_at(a, i);
        same = setting == eg_settings_at(b, i) || !is_of_dataset(setting->name);
    }
    return same;
}

/** "mnist limit=1000=WHAT": the dataset and what is not left at its default and can change
 *  results, and `what` there is to say of it. */
static void write_data(eg_writer *writer, const eg_settings *settings, const char *what)
{
    for (size_t i = 0; i < eg_settings_count(settings); i++) {
        const eg_setting *setting = eg_settings_at(settings, i);
        const char *text = setting->value.text;
        const char *standard = setting->param->default_text;
        if (strcmp(setting->name, "dataset") == 0) {
            eg_write_bytes(writer, text, strlen(text));
        } else if (strncmp(setting->name, "dataset.", 8) == 0 && !setting->param->keeps_results &&
                   (standard == NULL || strcmp(text, standard) != 0)) {
            const char *name = setting->name + strlen("dataset.");
            eg_write_bytes(writer, " ", 1);
            eg_write_bytes(writer, name, strlen(name));
            eg_write_bytes(writer, "=", 1);
            eg_write_bytes(writer, text, strlen(text));
        }
    }
    eg_write_bytes(writer, "=", 1);
    eg_write_bytes(writer, what, strlen(what));
    eg_write_bytes(writer, "\n", 1);
}

/** Lines of an eg_session while they are written. */
typedef struct session_lines {
    eg_writer data, vocabularies;
} session_lines;

static void clear_lines(session_lines *lines)
{
    eg_writer_clear(&lines->data);
    eg_writer_clear(&lines->vocabularies);
}

static eg_status describe(session_lines *lines, const eg_settings *settings,
                          const eg_dataset *dataset)
{
    char sum[32];
    char *vocabulary = NULL;
    (void)snprintf(sum, sizeof sum, "%016" PRIx64, dataset->checksum);
    write_data(&lines->data, settings, sum);
    EG_TRY(eg_writer_status(&lines->data));
    EG_TRY(eg_dataset_vocabulary(&vocabulary, dataset));
    if (vocabulary != NULL) {
        write_data(&lines->vocabularies, settings, vocabulary);
    }
    eg_free(vocabulary);
    return eg_writer_status(&lines->vocabularies);
}

/** What was written, as a new text. */
static eg_status end_lines(char **out, eg_writer *writer)
{
    eg_write_u8(writer, 0);
    EG_TRY(eg_writer_status(writer));
    return eg_strdup(out, (const char *)writer->data);
}

static const eg_run_dataset *find_opened(const eg_run_data *data, uint64_t hash)
{
    for (size_t i = 0; i < data->count; i++) {
        if (data->opened[i].settings == hash) {
            return &data->opened[i];
        }
    }
    return NULL;
}

static eg_status open_once(eg_run_data *data, const eg_settings *settings, session_lines *lines)
{
    eg_view root = eg_settings_root(settings);
    eg_run_dataset opened = {0};
    eg_dataset *dataset = NULL;
    if (!eg_trial_reads_data(settings)) {
        return eg_ok();
    }
    EG_TRY(dataset_hash(&opened.settings, settings));
    if (find_opened(data, opened.settings) != NULL) {
        return eg_ok();
    }
    EG_TRY(eg_grow(&data->opened, &data->capacity, data->count + 1, sizeof *data->opened));
    EG_TRY(eg_dataset_open(&dataset, &root));
    opened.checksum = dataset->checksum;
    data->opened[data->count++] = opened;
    eg_status status = describe(lines, settings, dataset);
    eg_dataset_free(dataset);
    return status;
}

void eg_run_data_clear(eg_run_data *data)
{
    eg_free(data->lines);
    eg_free(data->vocabularies);
    eg_free(data->opened);
    *data = (eg_run_data){0};
}

eg_status eg_run_data_find(uint64_t *checksum, const eg_run_data *data, const eg_settings *settings)
{
    uint64_t hash = 0;
    EG_TRY(dataset_hash(&hash, settings));
    const eg_run_dataset *opened = find_opened(data, hash);
    *checksum = opened == NULL ? 0 : opened->checksum;
    return eg_ok();
}

/** needed [point_count]: the point has a trial to run. */
static eg_status find_needed(bool *needed, const eg_plan *plan, const char *path, const char *redo)
{
    eg_outcome *outcomes = NULL;
    EG_TRY(eg_alloc(&outcomes, plan->trial_count, sizeof *outcomes));
    eg_status status = eg_store_look(outcomes, path, plan);
    for (size_t t = 0; t < plan->trial_count && status.code == EG_OK; t++) {
        const eg_plan_trial *trial = &plan->trials[t];
        eg_trial_status state = (eg_trial_status)outcomes[t].status;
        /* What a rule cut may be open again under today's rules. */
        bool open = eg_trial_status_is_open(state) || eg_trial_status_is_cut(state) ||
                    outcomes[t].lacks_measures;
        if (open || eg_run_redo_names(redo, trial, state, NULL)) {
            needed[trial->point] = true;
        }
    }
    eg_free(outcomes);
    return status;
}

eg_status eg_run_data_init(eg_run_data *data, const eg_plan *plan, const char *path,
                           const char *redo)
{
    bool *needed = NULL;
    const eg_settings *before = NULL; /* of the last point that was looked at */
    session_lines lines = {.data = {0}};
    EG_TRY(eg_alloc(&needed, plan->point_count, sizeof *needed));
    eg_status status = find_needed(needed, plan, path, redo);
    for (size_t point = 0; point < plan->point_count && status.code == EG_OK; point++) {
        const eg_settings *settings = plan->points[point].settings;
        if (needed[point] && (before == NULL || !same_dataset(before, settings))) {
            status = open_once(data, settings, &lines);
            before = settings;
        }
    }
    if (status.code == EG_OK) {
        status = end_lines(&data->lines, &lines.data);
    }
    if (status.code == EG_OK) {
        status = end_lines(&data->vocabularies, &lines.vocabularies);
    }
    clear_lines(&lines);
    eg_free(needed);
    return status;
}

eg_status eg_run_data_add(eg_run_data *data, const eg_plan *plan, size_t first)
{
    session_lines lines = {.data = {0}};
    eg_status status = eg_ok();
    for (size_t point = first; point < plan->point_count && status.code == EG_OK; point++) {
        status = open_once(data, plan->points[point].settings, &lines);
    }
    clear_lines(&lines);
    return status;
}

eg_status eg_run_check_data(const eg_plan *plan, const char *results, const char *redo)
{
    eg_run_data data = {0};
    eg_status status = eg_run_data_init(&data, plan, results, redo);
    eg_run_data_clear(&data);
    return status;
}
