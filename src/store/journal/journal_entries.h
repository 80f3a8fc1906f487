/** What the journal's frames say, as structures and as bytes. */
#ifndef ENGRAM_STORE_JOURNAL_ENTRIES_H
#define ENGRAM_STORE_JOURNAL_ENTRIES_H

#include "engram/pack.h"
#include "engram/store.h"
#include "engram/sweep.h"
#include "store/string_pool.h"

/** --- HEADER ---------------------------------------------------------------------------------- */

/** `exchanges`: there will be EXCHANGE frames. */
void eg_header_write(eg_writer *writer, bool exchanges);
/** Errors: EG_INVALID for anything but a journal header, or a newer format. */
eg_status eg_header_read(eg_reader *reader) EG_WARN_UNUSED;

/** --- PLAN, EXTEND ---------------------------------------------------------------------------- */

/** A plan as stored: settings as columns of canonical texts, the variables its trials record. */
typedef struct eg_journal_plan {
    char *name, *doc, *text, *overrides, *objective; /**< all texts belong to the pool */
    bool maximise;
    size_t point_count;
    eg_column *columns; /**< owned, with their `text` arrays */
    size_t column_count;
    eg_plan_trial *trials; /**< owned */
    size_t trial_count;
    eg_stored_variable *variables; /**< owned */
    size_t variable_count;
} eg_journal_plan;

/** How the values of a column are written, and the bytes of a point's code and of a trial. */
enum {
    EG_COLUMN_CONSTANT = 0,
    EG_COLUMN_PER_POINT = 1,
    EG_COLUMN_CODE_SIZE = 4,
    EG_TRIAL_SIZE = 24,
};

/** PLAN: text name, doc, sweep text, overrides, objective; u8 maximise; u32 points;
 *  u32 columns, each: text name, u8 type, text unit, text doc, u8 swept, u32 n, n texts, u8 mode,
 *  mode 0: every point has text 0; mode 1: u32 per point, 0 = missing, else text number + 1;
 *  u32 variables, each: text name, u8 rank, rank texts, u8 wide, u8 volatile, text unit, text doc;
 *  trials as in EXTEND. */
eg_status eg_journal_plan_write(const eg_plan *plan, eg_writer *writer) EG_WARN_UNUSED;
eg_status eg_journal_plan_read(eg_journal_plan *out, eg_string_pool *pool,
                               eg_reader *reader) EG_WARN_UNUSED;
void eg_journal_plan_clear(eg_journal_plan *image);

/** A column's codes [points]: its mode, and what that needs. */
void eg_codes_write(const uint32_t *codes, size_t points, eg_writer *writer);

/** The type of a column that has values of both types: components, and the plans of an edited
 *  sweep, may give one name two. Numbers meet in reals, all else in text. */
eg_type eg_common_type(eg_type a, eg_type b);

/** EXTEND: u64 count, each: u64 id, u32 point, u32 replicate, u64 seed. */
void eg_trials_write(const eg_plan_trial *trials, size_t count, eg_writer *writer);
size_t eg_trials_size(size_t count); /**< bytes that eg_trials_write writes */
eg_status eg_trials_read(eg_plan_trial **out, size_t *count, eg_reader *reader) EG_WARN_UNUSED;

/** --- EXCHANGE -------------------------------------------------------------------------------- */

/** EXCHANGE: u32 number, from 0; u32 points that the answer suggests; u32 points that the sweep
 *  asks for in all; text sent to the tuner, text answered ("": none). */
void eg_exchange_write(const eg_exchange *exchange, size_t number, eg_writer *writer);
/** Texts belong to the pool. EG_INVALID unless it is number `number`. */
eg_status eg_exchange_read(eg_exchange *out, size_t number, eg_string_pool *pool,
                           eg_reader *reader) EG_WARN_UNUSED;

/** --- SESSION, SESSION_END -------------------------------------------------------------------- */

/** One run of the command. Texts belong to the pool. */
typedef struct eg_session_image {
    char *command, *version, *build, *blas_core, *blas, *processor, *environment, *host;
    uint32_t ranks, pid;
    double start;
    double end; /**< NaN: still running, or killed */
    char *why;  /**< "" until it ended */
} eg_session_image;

/** texts command, version, build, blas_core, blas, processor, environment, host; u32 ranks, u32
 *  pid, f64 start. The environment begins with the lines about data and vocabularies. Host and pid
 *  are this process's. */
void eg_session_write(const eg_session *session, eg_writer *writer);
eg_status eg_session_read(eg_session_image *out, eg_string_pool *pool,
                          eg_reader *reader) EG_WARN_UNUSED;
/** What lines about datasets begin with in `environment` and in the text of a session. */
#define EG_SESSION_DATA "data."
/** And those about their vocabularies. */
#define EG_SESSION_VOCABULARY "vocabulary."
/** Whether a line is one of both: such lines are no variables of the environment. */
bool eg_session_is_about_data(const char *line);
/** "key=value\n…" as in eg_results.sessions; a new text. */
eg_status eg_session_text(char **out, const eg_session_image *session) EG_WARN_UNUSED;

/** --- STARTED, RESULT, SKIPPED, REDO, LOST ---------------------------------------------------- */

/** STARTED: an eg_attempt: u64 trial, u32 number, u32 rank, text host, f64 start time, f64 wall
 *  seconds. RESULT: the same; u8 status, text message, u8 has a record, the record
 *  (eg_record_write). With status paused the trial goes on later; SKIPPED then means that it stops
 *  there for good. SKIPPED: u64 id, text why. REDO: u64 id.
 *  LOST: as STARTED; u8 it was running (not waiting), text why. */
typedef struct eg_event {
    eg_attempt attempt; /**< its host is of the pool */
    eg_trial_status status;
    char *message;     /**< of the pool */
    eg_record *record; /**< owned; NULL if there is none */
    bool was_running;  /**< LOST */
} eg_event;

void eg_started_write(const eg_attempt *attempt, eg_writer *writer);
void eg_result_write(const eg_attempt *attempt, eg_trial_status status, const char *message,
                     const eg_record *record, eg_writer *writer);
void eg_lost_write(const eg_attempt *attempt, bool was_running, const char *why, eg_writer *writer);
eg_status eg_lost_read(eg_event *out, eg_string_pool *pool, eg_reader *reader) EG_WARN_UNUSED;
eg_status eg_started_read(eg_event *out, eg_string_pool *pool, eg_reader *reader) EG_WARN_UNUSED;
/** Up to the record, which comes next if there is one. */
eg_status eg_result_read_head(eg_event *out, eg_string_pool *pool, eg_reader *reader,
                              bool *has_record) EG_WARN_UNUSED;
eg_status eg_result_read(eg_event *out, eg_string_pool *pool, eg_reader *reader) EG_WARN_UNUSED;

/** Reads a text into the pool; the reader remembers failures. */
eg_status eg_string_pool_read(eg_string_pool *pool, char **out, eg_reader *reader) EG_WARN_UNUSED;

#endif
