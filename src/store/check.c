/** Is everything sound: the journal frame by frame, the result file value by value. See
 *  engram/store.h. */
#include "engram/store.h"

#include "engram/memory.h"
#include "store/check_advice.h"
#include "store/hdf5/h5_read.h"
#include "store/journal/journal_read.h"
#include "store/paths.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 10 /* differences reported one by one */ };

typedef struct report {
    eg_writer text;
    bool sound;
} report;

static void say(report *r, const char *format, ...) EG_PRINTF(2, 3);

static void say(report *r, const char *format, ...)
{
    char line[EG_MESSAGE_SIZE + 64];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *at = strchr(line, '\n'); at != NULL; at = strchr(at, '\n')) {
        *at = ' '; /* somebody's text; a finding is a line */
    }
    eg_write_bytes(&r->text, line, strlen(line));
    eg_write_u8(&r->text, '\n');
}

/** What the checks share. */
typedef struct check {
    report report;
    eg_paths paths;
    eg_reading reading;
    eg_journal_state *state; /* what was read; NULL: nothing that has a meaning */
    eg_findings found;
    eg_results_owner *file; /* NULL: there is none, or `loaded` says why it cannot be read */
    eg_status loaded;
} check;

static void say_replay(check *c)
{
    report *r = &c->report;
    const eg_replay *replay = &c->reading.replay;
    say(r, "%s: %zu sound records, %llu bytes", c->paths.journal, replay->frames,
        (unsigned long long)c->reading.journal.end);
    if (replay->damaged) {
        r->sound = false;
        say(r,
            "%s: DAMAGED at byte %llu; %llu bytes in %zu places cannot be used, sound records "
            "follow",
            c->paths.journal, (unsigned long long)replay->damaged_at,
            (unsigned long long)replay->lost_bytes, replay->damaged_count);
    }
    if (replay->spare_count > 0) {
        r->sound = false;
        say(r,
            "%s: DAMAGED at byte %llu, in its header or plan, which it holds twice: nothing is "
            "lost",
            c->paths.journal, (unsigned long long)replay->spare_at);
    }
    c->found.journal = replay->damaged           ? EG_PART_DAMAGED
                       : replay->spare_count > 0 ? EG_PART_REPAIRABLE
                                                 : EG_PART_SOUND;
    if (replay->torn && c->reading.writer == NULL) {
        say(r,
            "%s: the last record is incomplete (from byte %llu): a run was killed while writing; "
            "the next run cuts it off",
            c->paths.journal, (unsigned long long)replay->torn_at);
    }
    if (c->state->repeated > 0) {
        r->sound = false;
        say(r, "%s: %zu results of trials that had one already; the first counts", c->paths.journal,
            c->state->repeated);
    }
}

static void say_trials(check *c)
{
    const eg_results *results = &c->state->owner->results;
    size_t count[EG_TRIAL_STATUS_COUNT] = {0};
    for (size_t i = 0; i < results->trial_count; i++) {
        count[results->trials[i].status]++;
    }
    char line[EG_MESSAGE_SIZE] = "";
    for (size_t i = 0; i < EG_TRIAL_STATUS_COUNT; i++) {
        size_t used = strlen(line);
        if (count[i] > 0) {
            (void)snprintf(line + used, sizeof line - used, "%s%zu %s", used > 0 ? ", " : "",
                           count[i], eg_trial_status_name((eg_trial_status)i));
        }
    }
    say(&c->report, "sweep %s: %zu trials (%s), %zu runs of the command", results->name,
        results->trial_count, line, c->state->session_count);
    c->found.journal_trials = results->trial_count;
    c->found.journal_finished = eg_results_finished(results);
    if (results->trial_count > c->state->plan_trials) {
        say(&c->report, "%zu of them are finished trials of earlier versions of the sweep",
            results->trial_count - c->state->plan_trials);
    }
    for (size_t i = 0; i < results->warning_count; i++) {
        say(&c->report, "note: %s", results->warnings[i]);
    }
}

static eg_status check_journal(check *c)
{
    eg_status read = eg_journal_reading_init(&c->reading, &c->paths);
    if (read.code == EG_INVALID) {
        c->found.journal = c->reading.replay.lost ? EG_PART_LOST : EG_PART_NONE;
        c->report.sound = false;
        say(&c->report, "%s: %s", c->reading.replay.lost ? "DAMAGED" : "CANNOT BE READ",
            read.message);
        return eg_ok();
    }
    EG_TRY(read);
    if (c->reading.replay.lost && c->found.file_results > 0) {
        c->found.journal = EG_PART_LOST;
        c->report.sound = false;
        say(&c->report, "DAMAGED: %s holds no sweep, and %s has results", c->paths.journal,
            c->paths.file);
        return eg_ok();
    }
    c->state = c->reading.state;
    EG_TRY(eg_journal_state_finish(c->state));
    say_replay(c);
    say_trials(c);
    if (c->reading.writer != NULL) {
        say(&c->report, "being written by %s", c->reading.writer);
    }
    return eg_ok();
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static size_t count_numbers(const eg_array *array)
{
    size_t count = 0;
    for (size_t i = 0; array != NULL && i < array->count; i++) {
        count += isnan(array->data[i]) ? 0 : 1;
    }
    return count;
}

/** Every value of the journal's array is in the file's, and nothing else is. */
static bool same_array(const eg_array *truth, const eg_array *file)
{
    if (file == NULL || count_numbers(truth) != count_numbers(file)) {
        return count_numbers(truth) == 0 && count_numbers(file) == 0;
    }
    if (truth->rank != file->rank) {
        return false;
    }
    for (size_t k = 0; k < truth->rank; k++) {
        if (truth->extent[k] > file->extent[k]) {
            return false;
        }
    }
    for (size_t i = 0; i < truth->count; i++) {
        if (!same(truth->data[i], file->data[eg_padded_index(truth, file->extent, i)])) {
            return false;
        }
    }
    return true;
}

/** The name of what differs between a trial's record in the journal and in the file, or NULL. */
static const char *different_record(const eg_record *truth, const eg_record *file)
{
    for (size_t i = 0; truth != NULL && i < eg_record_count(truth); i++) {
        const eg_array *array = eg_record_at(truth, i);
        if (!same_array(array, file == NULL ? NULL : eg_record_find(file, array->name))) {
            return array->name;
        }
    }
    for (size_t i = 0; file != NULL && i < eg_record_count(file); i++) {
        const eg_array *array = eg_record_at(file, i);
        if (truth == NULL || eg_record_find(truth, array->name) == NULL) {
            return array->name;
        }
    }
    return NULL;
}

static const char *different_result(const eg_result *truth, const eg_result *file)
{
    if (truth->status != file->status) {
        return "status";
    }
    if (truth->point != file->point || truth->replicate != file->replicate ||
        truth->seed != file->seed) {
        return "point, replicate or seed";
    }
    if (!same(truth->objective, file->objective)) {
        return "objective";
    }
    return strcmp(truth->message, file->message) == 0 ? NULL : "message";
}

/** A trial that got its result after the file was written, went on to another pause, or was run
 *  again or cut after it had a result, is behind, not different. */
static bool is_behind(const eg_result *truth, const eg_trial_entry *entry, const eg_result *file)
{
    bool other = truth->status != file->status;
    bool later = truth->attempt.number > file->attempt.number;
    if (!eg_trial_status_is_finished(file->status)) {
        return other || (truth->status == EG_TRIAL_PAUSED && later);
    }
    bool may_change =
        entry->redone > 0 || !eg_trial_status_has_record(file->status); /* what failed is retried */
    return may_change && (later || (other && eg_trial_status_is_cut(truth->status)));
}

static eg_status compare(check *c, const eg_results *file)
{
    report *r = &c->report;
    size_t behind = 0;
    size_t different = 0;
    const eg_results *truth = &c->state->owner->results;
    eg_index ids = {0};
    eg_status status = eg_ok();
    for (size_t i = 0; i < file->trial_count && status.code == EG_OK; i++) {
        status = eg_index_put(&ids, file->trials[i].attempt.trial, i);
    }
    for (size_t i = 0; i < truth->trial_count && status.code == EG_OK; i++) {
        const eg_result *trial = &truth->trials[i];
        size_t at = eg_index_get(&ids, trial->attempt.trial);
        if (at == SIZE_MAX || is_behind(trial, &c->state->entries[i], &file->trials[at])) {
            behind++;
            continue;
        }
        eg_record *record = NULL;
        EG_TRY_DONE(status, eg_journal_state_record(&record, c->state, &c->reading.journal, i));
        const char *what = different_result(trial, &file->trials[at]);
        what = what != NULL ? what : different_record(record, file->trials[at].record);
        if (what != NULL && different++ < SHOWN) {
            say(r, "%s: trial %016llx differs from the journal in %s", c->paths.file,
                (unsigned long long)trial->attempt.trial, what);
        }
        eg_record_free(record);
    }
    if (status.code == EG_OK && different > 0) {
        r->sound = false;
        c->found.file = EG_PART_DAMAGED;
        say(r, "%s: DAMAGED or older: %zu trials differ from the journal", c->paths.file,
            different);
    } else if (status.code == EG_OK) {
        say(r, "%s: %zu trials agree with the journal value by value", c->paths.file,
            truth->trial_count - behind);
    }
    if (behind > 0) {
        say(r, "%s: older than the journal by %zu trials; engram collect brings it up to date",
            c->paths.file, behind);
    }
done:
    eg_index_clear(&ids);
    return status;
}

static eg_status check_file(check *c, bool exists)
{
    report *r = &c->report;
    if (!exists) {
        say(r, "%s does not exist; engram collect makes it", c->paths.file);
        return eg_ok();
    }
    if (c->loaded.code == EG_INVALID) {
        r->sound = false;
        c->found.file = EG_PART_LOST;
        say(r, "DAMAGED: %s", c->loaded.message);
        return eg_ok();
    }
    EG_TRY(c->loaded);
    const eg_results *results = &c->file->results;
    say(r, "%s: all values can be read, %zu trials, %s", c->paths.file, results->trial_count,
        results->complete ? "complete" : "not complete");
    c->found.file = EG_PART_SOUND;
    return c->state != NULL ? compare(c, results) : eg_ok();
}

eg_status eg_store_check(char **out, bool *sound, const char *path)
{
    check c = {.report = {.sound = true}, .reading = EG_READING_NONE};
    eg_path_kind journal = EG_PATH_NONE;
    eg_path_kind file = EG_PATH_NONE;
    eg_status status = eg_ok();
    *out = NULL;
    *sound = false;
    EG_TRY_DONE(status, eg_paths_init(&c.paths, path));
    EG_TRY_DONE(status, eg_path_look(c.paths.journal, &journal));
    EG_TRY_DONE(status, eg_path_look(c.paths.file, &file));
    if (journal == EG_PATH_NONE && file == EG_PATH_NONE) {
        status = eg_fail(EG_INVALID, "%s does not exist, and neither does %s", c.paths.file,
                         c.paths.journal);
        goto done;
    }
    if (file != EG_PATH_NONE) {
        /* Before the journal: what a run that goes on puts into the file meanwhile, the journal has
         * already. */
        c.loaded = eg_h5_load(&c.file, c.paths.file, false);
        if (c.file != NULL) {
            c.found.file_finished = eg_results_finished(&c.file->results);
            c.found.file_results = eg_results_with_results(&c.file->results);
        }
    }
    if (journal != EG_PATH_NONE) {
        EG_TRY_DONE(status, check_journal(&c));
    } else {
        say(&c.report, "%s has no journal beside it: nothing to compare it with", c.paths.file);
    }
    EG_TRY_DONE(status, check_file(&c, file != EG_PATH_NONE));
    c.found.paths = &c.paths;
    eg_check_advise(&c.report.text, &c.found);
    eg_write_u8(&c.report.text, 0);
    EG_TRY_DONE(status, eg_writer_status(&c.report.text));
    EG_TRY_DONE(status, eg_strdup(out, (const char *)c.report.text.data));
    *sound = c.report.sound;
done:
    eg_journal_reading_clear(&c.reading);
    eg_results_free(c.file == NULL ? NULL : &c.file->results);
    eg_paths_clear(&c.paths);
    eg_writer_clear(&c.report.text);
    return status;
}
