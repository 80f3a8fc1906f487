/** Which finished trials run again; see run/redo.h. */
#include "run/redo.h"

#include "engram/memory.h"
#include "engram/run.h"
#include "engram/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_STATUS = EG_TRIAL_DONE, LAST_STATUS = EG_TRIAL_TIMEOUT };

static bool is(const char *word, size_t length, const char *wanted)
{
    return strlen(wanted) == length && memcmp(word, wanted, length) == 0;
}

static bool begins(const char *word, size_t length, const char *start)
{
    size_t size = strlen(start);
    return length > size && memcmp(word, start, size) == 0;
}

/** The status called like the word behind "status=", EG_TRIAL_STATUS_COUNT if none that can be
 *  redone is. */
static int status_of(const char *word, size_t length)
{
    size_t skip = strlen("status=");
    for (int s = FIRST_STATUS; s <= LAST_STATUS; s++) {
        if (is(word + skip, length - skip, eg_trial_status_name((eg_trial_status)s))) {
            return s;
        }
    }
    return EG_TRIAL_STATUS_COUNT;
}

static bool is_known(const char *word, size_t length)
{
    if (begins(word, length, "id=")) {
        return length <= 19 && strspn(word + 3, "0123456789abcdef") >= length - 3;
    }
    if (begins(word, length, "status=")) {
        return status_of(word, length) != EG_TRIAL_STATUS_COUNT;
    }
    return is(word, length, "failed") || is(word, length, "diverged") ||
           is(word, length, "timeout") || is(word, length, "all");
}

/** The word behind `word`, which is `length` long. */
static const char *behind(const char *word, size_t length)
{
    return word + length + (word[length] == ',' ? 1 : 0);
}

eg_status eg_run_check_redo(const char *redo)
{
    for (const char *word = redo; *word != '\0';) {
        size_t length = strcspn(word, ",");
        if (!is_known(word, length)) {
            return eg_fail(EG_INVALID,
                           "--redo %.*s: must be failed, diverged, timeout, all, status=NAME "
                           "(done, diverged, failed, timeout) or id=HEX (up to 16 digits 0-9a-f)",
                           (int)length, word);
        }
        word = behind(word, length);
    }
    return eg_ok();
}

static bool names(const char *word, size_t length, const eg_plan_trial *trial,
                  eg_trial_status status)
{
    if (begins(word, length, "id=")) {
        char id[20];
        (void)snprintf(id, sizeof id, "%016" PRIx64, trial->id);
        return strncmp(word + 3, id, length - 3) == 0;
    }
    if (begins(word, length, "status=")) {
        return (int)status == status_of(word, length);
    }
    if (is(word, length, "failed")) {
        return status == EG_TRIAL_FAILED;
    }
    if (is(word, length, "timeout")) {
        return status == EG_TRIAL_TIMEOUT;
    }
    return is(word, length, "all") || status == EG_TRIAL_DIVERGED;
}

bool eg_run_redo_names(const char *redo, const eg_plan_trial *trial, eg_trial_status status,
                       bool *used)
{
    bool named = false;
    const char *word = redo == NULL ? "" : redo;
    for (size_t i = 0; *word != '\0'; i++) {
        size_t length = strcspn(word, ",");
        if (names(word, length, trial, status)) {
            named = true;
            if (used != NULL) {
                used[i] = true;
            }
        }
        word = behind(word, length);
    }
    return named;
}

eg_status eg_run_redo_check_used(const char *redo, const bool *used)
{
    const char *word = redo == NULL ? "" : redo;
    for (size_t i = 0; *word != '\0'; i++) {
        size_t length = strcspn(word, ",");
        if (begins(word, length, "id=") && !used[i]) {
            return eg_fail(EG_INVALID, "--redo %.*s: the sweep has no trial with that id",
                           (int)length, word);
        }
        word = behind(word, length);
    }
    return eg_ok();
}

static void note_used(bool *used, const char *redo, const eg_plan_trial *trials, size_t count)
{
    for (size_t t = 0; t < count; t++) {
        (void)eg_run_redo_names(redo, &trials[t], EG_TRIAL_PENDING, used);
    }
}

eg_status eg_run_check_ids(const eg_plan *plan, const char *results, const char *redo)
{
    bool *used = NULL;
    eg_plan_trial *stored = NULL;
    size_t count = 0;
    if (redo == NULL) {
        return eg_ok();
    }
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&used, strlen(redo) + 1, sizeof *used));
    note_used(used, redo, plan->trials, plan->trial_count);
    if (eg_run_redo_check_used(redo, used).code != EG_OK) {
        /* It may be of the second stage, which the plan gets later. */
        EG_TRY_DONE(status, eg_store_trials(&stored, &count, results));
        note_used(used, redo, stored, count);
        status = eg_run_redo_check_used(redo, used);
    }
done:
    eg_free(used);
    eg_free(stored);
    return status;
}
