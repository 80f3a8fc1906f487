/** Tables of text; see cli/report/table.h. */
#include "cli/report/table.h"

#include "cli/terminal.h"
#include "engram/memory.h"

#include <assert.h>
#include <libsmartcols/libsmartcols.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SIZE = 512 };

void eg_table_init(eg_table *out, size_t columns)
{
    *out = (eg_table){.columns = columns};
}

void eg_table_clear(eg_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        eg_free(table->cells[i]);
    }
    eg_free(table->cells);
    *table = (eg_table){.columns = table->columns};
}

eg_status eg_table_cell(eg_table *table, const char *format, ...)
{
    char text[CELL_SIZE];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    EG_TRY(eg_grow(&table->cells, &table->capacity, table->count + 1, sizeof *table->cells));
    EG_TRY(eg_strdup(&table->cells[table->count], text));
    table->count++;
    return eg_ok();
}

static bool looks_like_a_number(const char *text)
{
    return text[0] == '\0' || strcmp(text, "-") == 0 || strcmp(text, "?") == 0 ||
           (text[0] >= '0' && text[0] <= '9') ||
           (strchr("+-.", text[0]) != NULL && text[1] >= '0' && text[1] <= '9');
}

bool eg_table_goes_right(const eg_table *table, size_t column)
{
    for (size_t i = table->columns + column; i < table->count; i += table->columns) {
        if (!looks_like_a_number(table->cells[i])) {
            return false;
        }
    }
    return true;
}

static eg_status add_columns(const eg_table *table, struct libscols_table *out)
{
    for (size_t c = 0; c < table->columns; c++) {
        int flags = eg_table_goes_right(table, c) ? SCOLS_FL_RIGHT : 0;
        if (scols_table_new_column(out, table->cells[c], 0, flags) == NULL) {
            return eg_fail_memory(strlen(table->cells[c]));
        }
    }
    return eg_ok();
}

static eg_status add_rows(const eg_table *table, struct libscols_table *out)
{
    struct libscols_line *line = NULL;
    for (size_t i = table->columns; i < table->count; i++) {
        if (i % table->columns == 0) {
            line = scols_table_new_line(out, NULL);
        }
        if (line == NULL || scols_line_set_data(line, i % table->columns, table->cells[i]) != 0) {
            return eg_fail_memory(strlen(table->cells[i]));
        }
    }
    return eg_ok();
}

static eg_status fill(const eg_table *table, struct libscols_table *out)
{
    if (out == NULL || scols_table_set_column_separator(out, "  ") != 0) {
        return eg_fail_memory(0);
    }
    EG_TRY(add_columns(table, out));
    EG_TRY(add_rows(table, out));
    /* As wide as its cells on a terminal, too: a row that is too long wraps and nothing is lost. */
    (void)scols_table_set_termforce(out, SCOLS_TERMFORCE_NEVER);
    return eg_ok();
}

/** The table as new text (free). The library takes cells for text of the locale; ours are UTF-8 in
 *  any. */
static eg_status write_text(char **text, struct libscols_table *table)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 == (locale_t)0 ? (locale_t)0 : uselocale(utf8);
    int error = scols_print_table_to_string(table, text);
    if (utf8 != (locale_t)0) {
        (void)uselocale(before);
        freelocale(utf8);
    }
    return error == 0 ? eg_ok() : eg_fail_memory(0);
}

eg_status eg_table_print(const eg_table *table, FILE *file)
{
    assert(table->count % table->columns == 0);
    char *text = NULL;
    struct libscols_table *out = scols_new_table();
    eg_status status = fill(table, out);
    if (status.code == EG_OK) {
        status = write_text(&text, out);
    }
    for (const char *at = text; status.code == EG_OK && *at != '\0';) {
        size_t length = strcspn(at, "\n");
        (void)fputs("  ", file);
        eg_put_safe(file, at, length, false);
        (void)fputc('\n', file);
        at += length + (at[length] == '\n' ? 1 : 0);
    }
    free(text);
    scols_unref_table(out);
    return status;
}
