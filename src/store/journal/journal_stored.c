/** Plans and sessions of a results file as payloads of a journal; layouts in
 *  store/journal/journal_entries.h. */
#include "store/journal/journal_rebuild.h"

#include "engram/memory.h"
#include "store/journal/journal_entries.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/** --- Plan ------------------------------------------------------------------------------------ */

/** A column's distinct texts behind each other, and codes [points] that refer to them: place + 1,
 *  0: none. */
static eg_status code_texts(const eg_column *column, size_t points, eg_writer *texts,
                            uint32_t *distinct, uint32_t *codes)
{
    eg_index seen = {0};
    eg_status status = eg_ok();
    *distinct = 0;
    for (size_t p = 0; p < points && status.code == EG_OK; p++) {
        /* Texts of a pool: equal ones have equal addresses. */
        uint64_t key = (uint64_t)(uintptr_t)column->text[p];
        size_t code = key == 0 ? SIZE_MAX : eg_index_get(&seen, key);
        if (key != 0 && code == SIZE_MAX) {
            code = (*distinct)++;
            eg_write_text(texts, column->text[p]);
            status = eg_index_put(&seen, key, code);
        }
        codes[p] = key == 0 ? 0 : (uint32_t)code + 1;
    }
    eg_index_clear(&seen);
    return status;
}

static eg_status write_column(const eg_column *column, size_t points, uint32_t *codes,
                              eg_writer *writer)
{
    eg_writer texts = {0};
    uint32_t distinct = 0;
    eg_status status = code_texts(column, points, &texts, &distinct, codes);
    eg_status_keep(&status, eg_writer_status(&texts));
    eg_write_text(writer, column->name);
    eg_write_u8(writer, column->type);
    eg_write_text(writer, column->unit);
    eg_write_text(writer, column->doc);
    eg_write_u8(writer, column->swept ? 1 : 0);
    eg_write_u32(writer, distinct);
    eg_write_bytes(writer, texts.data, texts.size);
    eg_codes_write(codes, points, writer);
    eg_writer_clear(&texts);
    return status;
}

static void write_variable(const eg_stored_variable *variable, eg_writer *writer)
{
    eg_write_text(writer, variable->name);
    eg_write_u8(writer, (uint8_t)variable->rank);
    for (size_t k = 0; k < variable->rank; k++) {
        eg_write_text(writer, variable->dims[k]);
    }
    eg_write_u8(writer, variable->wide ? 1 : 0);
    eg_write_u8(writer, variable->volatile_ ? 1 : 0);
    eg_write_text(writer, variable->unit);
    eg_write_text(writer, variable->doc);
}

eg_status eg_journal_plan_write_stored(const eg_results *results, const char *text, size_t points,
                                       const eg_plan_trial *trials, size_t count, eg_writer *writer)
{
    uint32_t *codes = NULL;
    eg_status status = eg_alloc(&codes, points, sizeof *codes);
    const char *const texts[] = {results->name, results->doc, text, results->overrides,
                                 results->objective};
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        eg_write_text(writer, texts[i]);
    }
    eg_write_u8(writer, results->maximise ? 1 : 0);
    eg_write_u32(writer, (uint32_t)points);
    eg_write_u32(writer, (uint32_t)results->column_count);
    for (size_t i = 0; i < results->column_count && status.code == EG_OK; i++) {
        status = write_column(&results->columns[i], points, codes, writer);
    }
    eg_write_u32(writer, (uint32_t)results->variable_count);
    for (size_t i = 0; i < results->variable_count; i++) {
        write_variable(&results->variables[i], writer);
    }
    eg_trials_write(trials, count, writer);
    eg_free(codes);
    eg_status_keep(&status, eg_writer_status(writer));
    return status;
}

/** --- Session --------------------------------------------------------------------------------- */

static const char *const texts[] = {
    "command=", "version=", "build=", "blas_core=", "blas=", "processor="};
static const char environment[] = "environment.";

/** The value of the line that begins with `key` (with its "="), to the line's end; "" if there is
 *  none. */
static const char *value_of(const char *text, const char *key, size_t *length)
{
    size_t size = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        if (strncmp(line, key, size) == 0) {
            *length = strcspn(line + size, "\n");
            return line + size;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    *length = 0;
    return "";
}

static double number_of(const char *text, const char *key)
{
    size_t length = 0;
    const char *value = value_of(text, key, &length);
    return length == 0 ? (double)NAN : strtod(value, NULL);
}

static uint32_t count_of(const char *text, const char *key)
{
    double number = number_of(text, key);
    return number >= 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void write_value(eg_writer *writer, const char *text, const char *key)
{
    size_t length = 0;
    const char *value = value_of(text, key, &length);
    eg_write_u32(writer, (uint32_t)length);
    eg_write_bytes(writer, value, length);
}

/** The lines of the environment and of data, as eg_session_write had them. */
static eg_status write_environment(eg_writer *writer, const char *text)
{
    eg_writer lines = {0};
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        size_t skip = 0;
        if (strncmp(line, environment, strlen(environment)) == 0) {
            skip = strlen(environment);
        }
        if (eg_session_is_about_data(line) || skip > 0) {
            eg_write_bytes(&lines, line + skip, length - skip);
            eg_write_u8(&lines, '\n');
        }
        line += line[length] == '\n' ? length + 1 : length;
    }
    eg_status status = eg_writer_status(&lines);
    eg_write_u32(writer, (uint32_t)lines.size);
    eg_write_bytes(writer, lines.data, lines.size);
    eg_writer_clear(&lines);
    return status;
}

eg_status eg_session_write_stored(const char *text, eg_writer *writer, double *end, char **why)
{
    for (size_t i = 0; i < EG_COUNT(texts); i++) {
        write_value(writer, text, texts[i]);
    }
    EG_TRY(write_environment(writer, text));
    write_value(writer, text, "host=");
    eg_write_u32(writer, count_of(text, "ranks="));
    eg_write_u32(writer, count_of(text, "pid="));
    eg_write_f64(writer, number_of(text, "start="));
    *end = number_of(text, "end=");
    size_t length = 0;
    const char *ended = value_of(text, "ended=", &length);
    EG_TRY(eg_format(why, "%.*s", (int)length, ended));
    return eg_writer_status(writer);
}
