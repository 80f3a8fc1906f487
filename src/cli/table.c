/** Tables of text; see cli/table.h. */
#include "cli/table.h"

#include "cli/format.h"
#include "engram/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

enum { CELL_SIZE = 512 };

eg_table eg_table_make(size_t columns)
{
    return (eg_table){.columns = columns};
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
    va_list words;
    va_start(words, format);
    (void)vsnprintf(text, sizeof text, format, words);
    va_end(words);
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

/** Numbers go right: true if no cell below the heading is anything else. */
static bool goes_right(const eg_table *table, size_t column)
{
    for (size_t i = table->columns + column; i < table->count; i += table->columns) {
        if (!looks_like_a_number(table->cells[i])) {
            return false;
        }
    }
    return true;
}

static size_t column_width(const eg_table *table, size_t column)
{
    size_t widest = 0;
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t width = eg_text_width(table->cells[i]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void print_cell(const eg_table *table, size_t index, size_t width, bool right, FILE *file)
{
    size_t own = eg_text_width(table->cells[index]);
    int padding = (int)(width - own);
    bool last = (index + 1) % table->columns == 0;
    if (right) {
        (void)fprintf(file, "  %*s%s", padding, "", table->cells[index]);
    } else {
        (void)fprintf(file, "  %s%*s", table->cells[index], last ? 0 : padding, "");
    }
}

void eg_table_print(const eg_table *table, FILE *file)
{
    enum { COLUMNS_MAX = 256 };
    assert(table->columns <= COLUMNS_MAX && table->count % table->columns == 0);
    size_t width[COLUMNS_MAX];
    bool right[COLUMNS_MAX];
    for (size_t c = 0; c < table->columns; c++) {
        width[c] = column_width(table, c);
        right[c] = goes_right(table, c);
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t c = i % table->columns;
        print_cell(table, i, width[c], right[c], file);
        if (c + 1 == table->columns) {
            (void)fputc('\n', file);
        }
    }
}
