/** Which source of a merge gives each trial, and whether sources agree; see store/merge/merge.h. */
#include "store/merge/merge.h"

#include "engram/memory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/** A trial of a source. */
typedef struct place {
    const eg_merge_source *source;
    size_t trial;
} place;

static const eg_result *result_at(place at)
{
    return &at.source->state->owner->results.trials[at.trial];
}

enum { WORTH_A_RESULT = 7 };

/** How much a trial's standing is worth. */
static int worth(place at)
{
    switch (result_at(at)->status) {
    case EG_TRIAL_DONE:
    case EG_TRIAL_DIVERGED:
        return WORTH_A_RESULT;
    case EG_TRIAL_TIMEOUT:
        return 6;
    case EG_TRIAL_FAILED:
        return 5;
    case EG_TRIAL_STOPPED:
        return 4;
    case EG_TRIAL_PAUSED:
        return 3;
    case EG_TRIAL_SKIPPED:
        return 2;
    case EG_TRIAL_PENDING:
    case EG_TRIAL_RUNNING:
        break;
    }
    return at.source->state->entries[at.trial].attempts > 0 ? 1 : 0;
}

static bool is_volatile(const eg_merge_source *source, const char *name)
{
    const eg_stored_variable *variable = eg_stored_find(&source->state->owner->results, name);
    return variable != NULL && variable->volatile_;
}

/** Different machines and builds may differ in the last bits; then this is why. */
static const char *likely_cause(place a, place b)
{
    const eg_session_image *first = eg_journal_state_session(a.source->state, a.trial);
    const eg_session_image *second = eg_journal_state_session(b.source->state, b.trial);
    if (first == NULL || second == NULL) {
        return "";
    }
    if (strcmp(first->blas_core, second->blas_core) != 0 ||
        strcmp(first->processor, second->processor) != 0) {
        return " (computed on different kinds of processor)";
    }
    return strcmp(first->build, second->build) != 0 ? " (computed by different builds)" : "";
}

static eg_status disagree(place a, place b, const char *what, const char *first, const char *second)
{
    return eg_fail(EG_INVALID,
                   "%s and %s disagree about trial %016llx%s: %s is %s in the first, %s in the "
                   "second; nothing was merged",
                   a.source->paths.file, b.source->paths.file,
                   (unsigned long long)result_at(a)->attempt.trial, likely_cause(a, b), what, first,
                   second);
}

/** The value of a variable for a message. */
static void show(char text[40], const eg_array *array, size_t i)
{
    if (array == NULL || i >= array->count) {
        (void)snprintf(text, 40, "missing");
    } else {
        (void)snprintf(text, 40, "%.9g", array->data[i]);
    }
}

/** Every array of `a` is in `b`; those that differ between identical runs do not count. */
static eg_status compare_records(place a, const eg_record *first, place b, const eg_record *second)
{
    for (size_t i = 0; first != NULL && i < eg_record_count(first); i++) {
        const eg_array *array = eg_record_at(first, i);
        const eg_array *other = second != NULL ? eg_record_find(second, array->name) : NULL;
        size_t at =
            is_volatile(a.source, array->name) ? SIZE_MAX : eg_array_difference(array, other);
        if (at != SIZE_MAX) {
            char ours[40];
            char theirs[40];
            char what[EG_VARIABLE_NAME_SIZE + 32];
            show(ours, array, at);
            show(theirs, other, at);
            (void)snprintf(what, sizeof what, array->rank > 0 ? "%s[%zu]" : "%s", array->name, at);
            return disagree(a, b, what, ours, theirs);
        }
    }
    return eg_ok();
}

static eg_status load(eg_record **out, place at)
{
    /* Reading does not change what the source says; only its buffer. */
    eg_journal journal = EG_JOURNAL_NONE;
    EG_TRY(eg_journal_open(&journal, at.source->paths.journal, EG_JOURNAL_READ));
    eg_status status = eg_journal_state_record(out, at.source->state, &journal, at.trial);
    eg_journal_close(&journal);
    return status;
}

/** Two results of one trial have to be the same. */
static eg_status check_agreement(place a, place b)
{
    const eg_result *first = result_at(a);
    const eg_result *second = result_at(b);
    if (first->status != second->status) {
        return disagree(a, b, "status", eg_trial_status_name(first->status),
                        eg_trial_status_name(second->status));
    }
    eg_record *ours = NULL;
    eg_record *theirs = NULL;
    eg_status status = load(&ours, a);
    if (status.code == EG_OK) {
        status = load(&theirs, b);
    }
    if (status.code == EG_OK) {
        status = compare_records(a, ours, b, theirs);
    }
    if (status.code == EG_OK) {
        status = compare_records(b, theirs, a, ours);
    }
    eg_record_free(ours);
    eg_record_free(theirs);
    return status;
}

static eg_status decide(place *owner, place other)
{
    int have = worth(*owner);
    int offered = worth(other);
    if (have == WORTH_A_RESULT && offered == WORTH_A_RESULT) {
        return check_agreement(*owner, other);
    }
    if (offered > have) {
        *owner = other;
    }
    return eg_ok();
}

eg_status eg_merge_owners(eg_merge_source *sources, size_t count)
{
    eg_index ids = {0};
    place *owners = NULL;
    size_t total = 0;
    size_t known = 0;
    eg_status status = eg_ok();
    for (size_t s = 0; s < count; s++) {
        total += sources[s].state->owner->results.trial_count;
    }
    EG_TRY_DONE(status, eg_alloc(&owners, total, sizeof *owners));
    for (size_t s = 0; s < count; s++) {
        const eg_results *results = &sources[s].state->owner->results;
        for (size_t i = 0; i < results->trial_count; i++) {
            const place here = {&sources[s], i};
            size_t at = eg_index_get(&ids, results->trials[i].attempt.trial);
            if (at != SIZE_MAX) {
                EG_TRY_DONE(status, decide(&owners[at], here));
                continue;
            }
            EG_TRY_DONE(status, eg_index_put(&ids, results->trials[i].attempt.trial, known));
            owners[known++] = here;
        }
    }
    for (size_t i = 0; i < known; i++) {
        sources[owners[i].source - sources].owned[owners[i].trial] = worth(owners[i]) > 0;
    }
done:
    eg_index_clear(&ids);
    eg_free(owners);
    return status;
}
