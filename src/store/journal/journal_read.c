/** Reading a journal whole; see store/journal/journal_read.h. */
#include "store/journal/journal_read.h"

#include "engram/file.h"
#include "engram/memory.h"
#include "store/store_lock.h"

/** The process of the last session, which is the one that has the journal's lock. */
static eg_status last_session(char **out, const eg_journal_state *state)
{
    if (state->session_count == 0) {
        return eg_strdup(out, "unknown 0");
    }
    const eg_session_image *last = &state->sessions[state->session_count - 1];
    return eg_format(out, "%s %u", last->host, (unsigned)last->pid);
}

eg_status eg_journal_writer(char **out, const eg_paths *paths, const eg_journal *journal,
                            const eg_journal_state *state)
{
    EG_TRY(eg_store_lock_holder(out, paths->lock));
    return *out == NULL && eg_has_lock(journal->fd) ? last_session(out, state) : eg_ok();
}

eg_status eg_journal_reading_init(eg_reading *out, const eg_paths *paths)
{
    *out = EG_READING_NONE;
    EG_TRY(eg_journal_state_create(&out->state));
    /* Before the journal is read: a writer that ends meanwhile is taken for a living one, which
     * does no harm; the other way round its running trials would be. */
    EG_TRY(eg_store_lock_holder(&out->writer, paths->lock));
    EG_TRY(eg_journal_open(&out->journal, paths->journal, EG_JOURNAL_READ));
    bool locked = out->writer == NULL && eg_has_lock(out->journal.fd);
    EG_TRY(eg_journal_replay(out->state, &out->journal, &out->replay));
    if (locked) {
        EG_TRY(last_session(&out->writer, out->state));
    }
    if (out->writer == NULL) {
        eg_journal_state_forget_running(out->state);
    }
    return eg_ok();
}

void eg_journal_reading_clear(eg_reading *reading)
{
    eg_free(reading->writer);
    eg_journal_close(&reading->journal);
    eg_journal_state_free(reading->state);
    *reading = EG_READING_NONE;
}
