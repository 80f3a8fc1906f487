/** Header, sessions and events of the journal; layouts in store/journal/journal_entries.h. */
#include "store/journal/journal_entries.h"

#include "engram/memory.h"
#include "store/journal/journal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void eg_header_write(eg_writer *writer, bool exchanges)
{
    eg_write_text(writer, EG_JOURNAL_WORDS);
    eg_write_u32(writer, exchanges ? EG_JOURNAL_FORMAT_EXCHANGES : EG_JOURNAL_FORMAT);
}

eg_status eg_header_read(eg_reader *reader)
{
    char *words = NULL;
    EG_TRY(eg_read_text(reader, &words));
    bool known = words != NULL && strcmp(words, EG_JOURNAL_WORDS) == 0;
    eg_free(words);
    uint32_t format = eg_read_u32(reader);
    if (!known || reader->failed) {
        return eg_fail(EG_INVALID, "is not an engram journal");
    }
    if (format < 1 || format > EG_JOURNAL_FORMAT_EXCHANGES) {
        return eg_fail(EG_INVALID,
                       "was written by a newer engram (journal format %u; this one reads up to %d)",
                       (unsigned)format, (int)EG_JOURNAL_FORMAT_EXCHANGES);
    }
    return eg_ok();
}

eg_status eg_string_pool_read(eg_string_pool *pool, char **out, eg_reader *reader)
{
    char *text = NULL;
    *out = NULL;
    EG_TRY(eg_read_text(reader, &text));
    eg_status status = text != NULL ? eg_string_pool_add(pool, out, text) : eg_ok();
    eg_free(text);
    return status;
}

void eg_exchange_write(const eg_exchange *exchange, size_t number, eg_writer *writer)
{
    eg_write_u32(writer, (uint32_t)number);
    eg_write_u32(writer, (uint32_t)exchange->suggested);
    eg_write_u32(writer, (uint32_t)exchange->wanted);
    eg_write_text(writer, exchange->sent);
    eg_write_text(writer, exchange->answer);
}

eg_status eg_exchange_read(eg_exchange *out, size_t number, eg_string_pool *pool, eg_reader *reader)
{
    char *sent = NULL;
    char *answer = NULL;
    uint32_t there = eg_read_u32(reader);
    *out = (eg_exchange){.suggested = eg_read_u32(reader)};
    out->wanted = eg_read_u32(reader);
    EG_TRY(eg_string_pool_read(pool, &sent, reader));
    EG_TRY(eg_string_pool_read(pool, &answer, reader));
    EG_TRY(eg_reader_status(reader, true));
    out->sent = sent;
    out->answer = answer;
    return there == number
               ? eg_ok()
               : eg_fail(EG_INVALID, "exchange %u with a tuner, where number %zu belongs",
                         (unsigned)there, number);
}

bool eg_session_is_about_data(const char *line)
{
    return strncmp(line, EG_SESSION_DATA, strlen(EG_SESSION_DATA)) == 0 ||
           strncmp(line, EG_SESSION_VOCABULARY, strlen(EG_SESSION_VOCABULARY)) == 0;
}

/** Puts `prefix` in front of every line. */
static void begin_lines(eg_writer *writer, const char *prefix, const char *lines)
{
    for (const char *line = lines != NULL ? lines : ""; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        eg_write_bytes(writer, prefix, strlen(prefix));
        eg_write_bytes(writer, line, length);
        eg_write_u8(writer, '\n');
        line += line[length] == '\n' ? length + 1 : length;
    }
}

/** Lines of `lines` behind `prefix`, those about data as they are. */
static void write_lines(eg_writer *writer, const char *prefix, const char *lines)
{
    for (const char *line = lines; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        eg_write_bytes(writer, prefix, eg_session_is_about_data(line) ? 0 : strlen(prefix));
        eg_write_bytes(writer, line, length);
        eg_write_u8(writer, '\n');
        line += line[length] == '\n' ? length + 1 : length;
    }
}

void eg_session_write(const eg_session *session, eg_writer *writer)
{
    char host[256] = "";
    if (gethostname(host, sizeof host - 1) != 0) {
        host[0] = '\0';
    }
    eg_writer lines = {0};
    begin_lines(&lines, EG_SESSION_DATA, session->data);
    begin_lines(&lines, EG_SESSION_VOCABULARY, session->vocabularies);
    write_lines(&lines, "", session->environment != NULL ? session->environment : "");
    eg_write_u8(&lines, 0);
    writer->failed = writer->failed || lines.failed;
    const char *const texts[] = {session->command,
                                 session->version,
                                 session->build,
                                 session->blas_core,
                                 session->blas,
                                 session->processor,
                                 lines.failed ? "" : (const char *)lines.data,
                                 host};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        eg_write_text(writer, texts[i] != NULL ? texts[i] : "");
    }
    eg_writer_clear(&lines);
    eg_write_u32(writer, session->ranks);
    eg_write_u32(writer, (uint32_t)getpid());
    eg_write_f64(writer, session->time);
}

eg_status eg_session_read(eg_session_image *out, eg_string_pool *pool, eg_reader *reader)
{
    *out = (eg_session_image){.end = (double)NAN};
    char **const texts[] = {&out->command, &out->version,   &out->build,       &out->blas_core,
                            &out->blas,    &out->processor, &out->environment, &out->host};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        EG_TRY(eg_string_pool_read(pool, texts[i], reader));
    }
    out->ranks = eg_read_u32(reader);
    out->pid = eg_read_u32(reader);
    out->start = eg_read_f64(reader);
    EG_TRY(eg_string_pool_add(pool, &out->why, ""));
    return eg_reader_status(reader, true);
}

/** One line "PREFIXkey=value"; a value of several lines is told apart by spaces. */
static void write_line(eg_writer *writer, const char *prefix, const char *key, const char *value)
{
    eg_write_bytes(writer, prefix, strlen(prefix));
    eg_write_bytes(writer, key, strlen(key));
    for (const char *at = value; *at != '\0'; at++) {
        eg_write_u8(writer, *at == '\n' ? (uint8_t)' ' : (uint8_t)*at);
    }
    eg_write_u8(writer, '\n');
}

static void write_number(eg_writer *writer, const char *key, double value)
{
    char text[40];
    (void)snprintf(text, sizeof text, "%.17g", value);
    write_line(writer, "", key, text);
}

eg_status eg_session_text(char **out, const eg_session_image *session)
{
    eg_writer writer = {0};
    write_number(&writer, "start=", session->start);
    if (!isnan(session->end)) {
        write_number(&writer, "end=", session->end);
        write_line(&writer, "", "ended=", session->why);
    }
    write_line(&writer, "", "command=", session->command);
    write_line(&writer, "", "version=", session->version);
    write_line(&writer, "", "build=", session->build);
    write_line(&writer, "", "processor=", session->processor);
    write_line(&writer, "", "blas_core=", session->blas_core);
    write_line(&writer, "", "blas=", session->blas);
    write_line(&writer, "", "host=", session->host);
    write_number(&writer, "pid=", (double)session->pid);
    write_number(&writer, "ranks=", (double)session->ranks);
    write_lines(&writer, "environment.", session->environment);
    eg_write_u8(&writer, 0);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}

void eg_started_write(const eg_attempt *attempt, eg_writer *writer)
{
    eg_write_u64(writer, attempt->trial);
    eg_write_u32(writer, attempt->number);
    eg_write_u32(writer, attempt->rank);
    eg_write_text(writer, attempt->host != NULL ? attempt->host : "");
    eg_write_f64(writer, attempt->start_time);
    eg_write_f64(writer, attempt->wall_seconds);
}

void eg_result_write(const eg_attempt *attempt, eg_trial_status status, const char *message,
                     const eg_record *record, eg_writer *writer)
{
    eg_started_write(attempt, writer);
    eg_write_u8(writer, (uint8_t)status);
    eg_write_text(writer, message);
    eg_write_u8(writer, record != NULL ? 1 : 0);
    if (record != NULL) {
        eg_record_write(record, writer);
    }
}

static eg_status read_attempt(eg_event *out, eg_string_pool *pool, eg_reader *reader)
{
    char *host = NULL;
    *out = (eg_event){.attempt.trial = eg_read_u64(reader)};
    eg_attempt *attempt = &out->attempt;
    attempt->number = eg_read_u32(reader);
    attempt->rank = eg_read_u32(reader);
    EG_TRY(eg_string_pool_read(pool, &host, reader));
    attempt->host = host;
    attempt->start_time = eg_read_f64(reader);
    attempt->wall_seconds = eg_read_f64(reader);
    return eg_reader_status(reader, false);
}

eg_status eg_started_read(eg_event *out, eg_string_pool *pool, eg_reader *reader)
{
    EG_TRY(read_attempt(out, pool, reader));
    return eg_reader_status(reader, true);
}

void eg_lost_write(const eg_attempt *attempt, bool was_running, const char *why, eg_writer *writer)
{
    eg_started_write(attempt, writer);
    eg_write_u8(writer, was_running ? 1 : 0);
    eg_write_text(writer, why);
}

eg_status eg_lost_read(eg_event *out, eg_string_pool *pool, eg_reader *reader)
{
    EG_TRY(read_attempt(out, pool, reader));
    out->was_running = eg_read_u8(reader) != 0;
    EG_TRY(eg_string_pool_read(pool, &out->message, reader));
    return eg_reader_status(reader, true);
}

eg_status eg_result_read_head(eg_event *out, eg_string_pool *pool, eg_reader *reader,
                              bool *has_record)
{
    EG_TRY(read_attempt(out, pool, reader));
    uint8_t status = eg_read_u8(reader);
    EG_TRY(eg_string_pool_read(pool, &out->message, reader));
    *has_record = eg_read_u8(reader) != 0;
    EG_TRY(eg_reader_status(reader, !*has_record));
    if (eg_trial_status_name((eg_trial_status)status) == NULL) {
        return eg_fail(EG_INVALID, "unknown trial status %u", (unsigned)status);
    }
    out->status = (eg_trial_status)status;
    return eg_ok();
}

eg_status eg_result_read(eg_event *out, eg_string_pool *pool, eg_reader *reader)
{
    bool has_record = false;
    EG_TRY(eg_result_read_head(out, pool, reader, &has_record));
    if (has_record) {
        EG_TRY(eg_record_read(&out->record, reader));
    }
    eg_status whole = eg_reader_status(reader, true);
    if (whole.code != EG_OK) {
        eg_record_free(out->record);
        out->record = NULL;
    }
    return whole;
}
