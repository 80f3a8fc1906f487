/** Tidy rows; see cli/report/export_rows.h. */
#include "cli/report/export_rows.h"

#include "cli/format.h"
#include "cli/json.h"
#include "cli/terminal.h"
#include "engram/memory.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void eg_rows_init(eg_rows *out, FILE *file, bool json)
{
    *out = (eg_rows){.file = file, .json = json, .terminal = isatty(fileno(file)) == 1};
}

void eg_rows_clear(eg_rows *rows)
{
    for (size_t i = 0; i < rows->column_count; i++) {
        eg_free(rows->columns[i]);
    }
    eg_free(rows->columns);
    json_decref(rows->object);
    *rows = (eg_rows){.file = rows->file};
}

eg_status eg_rows_name(eg_rows *rows, const char *name)
{
    EG_TRY(eg_grow(&rows->columns, &rows->capacity, rows->column_count + 1, sizeof *rows->columns));
    EG_TRY(eg_strdup(&rows->columns[rows->column_count], name));
    rows->column_count++;
    return eg_ok();
}

/** Bytes as they are for a program, without control characters for a person. */
static void put(const eg_rows *rows, const char *text, size_t size)
{
    if (rows->terminal) {
        eg_put_safe(rows->file, text, size, true);
    } else {
        (void)fwrite(text, 1, size, rows->file);
    }
}

/** RFC 4180: quoted if it holds a comma, a quote or a line break; quotes doubled; lines end in
 *  CRLF. */
static void write_csv(eg_rows *rows, const char *text)
{
    if (rows->column > 0) {
        (void)fputc(',', rows->file);
    }
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        put(rows, text, strlen(text));
        return;
    }
    (void)fputc('"', rows->file);
    while (*text != '\0') {
        size_t length = strcspn(text, "\"");
        put(rows, text, length);
        text += length;
        if (*text == '"') {
            (void)fputs("\"\"", rows->file);
            text++;
        }
    }
    (void)fputc('"', rows->file);
}

void eg_rows_head(eg_rows *rows)
{
    if (rows->json) {
        (void)fputs("[\n", rows->file);
        return;
    }
    for (rows->column = 0; rows->column < rows->column_count; rows->column++) {
        write_csv(rows, rows->columns[rows->column]);
    }
    (void)fputs("\r\n", rows->file);
    rows->column = 0;
}

static json_t *object_of(eg_rows *rows)
{
    if (rows->object == NULL) {
        rows->object = json_object();
    }
    return rows->object;
}

static const char *next_name(eg_rows *rows)
{
    assert(rows->column < rows->column_count);
    return rows->columns[rows->column];
}

void eg_rows_text(eg_rows *rows, const char *text)
{
    const char *name = next_name(rows);
    if (rows->json) {
        eg_json_text(object_of(rows), name, text);
    } else {
        write_csv(rows, text == NULL ? "" : text);
    }
    rows->column++;
}

void eg_rows_integer(eg_rows *rows, uint64_t value)
{
    const char *name = next_name(rows);
    if (rows->json) {
        eg_json_seed(object_of(rows), name, value);
    } else {
        char text[24];
        (void)snprintf(text, sizeof text, "%" PRIu64, value);
        write_csv(rows, text);
    }
    rows->column++;
}

void eg_rows_real(eg_rows *rows, double value, bool wide)
{
    const char *name = next_name(rows);
    eg_text text = eg_number(value, wide);
    if (rows->json) {
        /* Through the text, so that a float32 reads as it was measured and not with a double's
         * tail. */
        eg_json_real(object_of(rows), name,
                     text.text[0] == '\0' ? (double)NAN : strtod(text.text, NULL));
    } else {
        write_csv(rows, text.text);
    }
    rows->column++;
}

void eg_rows_setting(eg_rows *rows, int type, const char *text)
{
    const char *name = next_name(rows);
    if (rows->json) {
        eg_json_setting(object_of(rows), name, type, text);
    } else {
        write_csv(rows, text == NULL ? "" : text);
    }
    rows->column++;
}

void eg_rows_end_row(eg_rows *rows)
{
    assert(rows->column == rows->column_count);
    if (rows->json) {
        (void)fputs(rows->rows == 0 ? " " : ",", rows->file);
        eg_json_row(rows->file, object_of(rows));
        rows->object = NULL;
    } else {
        (void)fputs("\r\n", rows->file);
    }
    rows->column = 0;
    rows->rows++;
}

void eg_rows_foot(eg_rows *rows)
{
    if (rows->json) {
        (void)fputs("]\n", rows->file);
    }
}
