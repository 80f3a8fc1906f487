/** The data that results were made with: results of different data do not mix unnoticed. */
#include "store/store_data.h"

#include <string.h>

/** A line "SETTINGS=CHECKSUM"; the settings may have = signs themselves. */
typedef struct data_line {
    const char *settings, *checksum;
    size_t settings_size, checksum_size;
} data_line;

/** The next line of *at that begins with `prefix`, or false. */
static bool next_line(const char **at, const char *prefix, data_line *out)
{
    size_t skip = strlen(prefix);
    while (**at != '\0') {
        const char *line = *at;
        size_t length = strcspn(line, "\n");
        *at += line[length] == '\n' ? length + 1 : length;
        size_t equals = length;
        while (equals > 0 && line[equals - 1] != '=') {
            equals--;
        }
        if (length > skip && equals > skip && strncmp(line, prefix, skip) == 0) {
            *out = (data_line){.settings = line + skip,
                               .settings_size = equals - 1 - skip,
                               .checksum = line + equals,
                               .checksum_size = length - equals};
            return true;
        }
    }
    return false;
}

static bool same_text(const char *a, size_t size, const char *b, size_t other)
{
    return size == other && memcmp(a, b, size) == 0;
}

/** The line of `text` about the same dataset. */
static bool find_line(const char *text, const char *prefix, const data_line *wanted, data_line *out)
{
    while (next_line(&text, prefix, out)) {
        if (same_text(out->settings, out->settings_size, wanted->settings, wanted->settings_size)) {
            return true;
        }
    }
    return false;
}

static bool same_checksum(const data_line *a, const data_line *b)
{
    return same_text(a->checksum, a->checksum_size, b->checksum, b->checksum_size);
}

static bool has_results(const eg_journal_state *state, const eg_session_image *session)
{
    for (size_t i = 0; i < state->owner->results.trial_count; i++) {
        if (eg_trial_status_has_record(state->owner->results.trials[i].status) &&
            eg_journal_state_session(state, i) == session) {
            return true;
        }
    }
    return false;
}

eg_status eg_store_check_data(const eg_journal_state *state, const eg_session *session,
                              const char *path)
{
    data_line now;
    for (const char *at = session->data == NULL ? "" : session->data; next_line(&at, "", &now);) {
        data_line before;
        for (size_t i = state->session_count; i > 0; i--) {
            const eg_session_image *earlier = &state->sessions[i - 1];
            if (!find_line(earlier->environment, EG_SESSION_DATA, &now, &before) ||
                !has_results(state, earlier)) {
                continue;
            }
            if (!same_checksum(&now, &before) && !session->accept_data) {
                return eg_fail(EG_INVALID,
                               "%s: the data have changed since its results were made: %.*s had "
                               "checksum %.*s and has %.*s; use the former data, another results "
                               "file (-o), or --accept-data, which mixes both and marks the file",
                               path, (int)now.settings_size, now.settings,
                               (int)before.checksum_size, before.checksum, (int)now.checksum_size,
                               now.checksum);
            }
            break;
        }
    }
    return eg_ok();
}

eg_status eg_results_owner_warn_data(eg_results_owner *owner, const bool *used)
{
    const eg_results *results = &owner->results;
    data_line first;
    data_line other;
    for (size_t i = 0; i < results->session_count; i++) {
        const char *at = used[i] ? results->sessions[i] : "";
        while (next_line(&at, EG_SESSION_DATA, &first)) {
            for (size_t k = i + 1; k < results->session_count; k++) {
                if (used[k] && find_line(results->sessions[k], EG_SESSION_DATA, &first, &other) &&
                    !same_checksum(&first, &other)) {
                    return eg_results_owner_warn(
                        owner,
                        "results of different data are mixed: %.*s with checksums "
                        "%.*s and %.*s",
                        (int)first.settings_size, first.settings, (int)first.checksum_size,
                        first.checksum, (int)other.checksum_size, other.checksum);
                }
            }
        }
    }
    return eg_ok();
}
