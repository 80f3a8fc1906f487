/** Tables of text: columns as wide as their cells, numbers to the right, text to the left. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef struct eg_table {
    size_t columns;
    char **cells; /**< row by row; the first row is the heading */
    size_t count, capacity;
} eg_table;

/** An empty one. Release with eg_table_clear. */
void eg_table_init(eg_table *out, size_t columns);
void eg_table_clear(eg_table *table);
/** Adds the next cell. */
eg_status eg_table_cell(eg_table *table, const char *format, ...) EG_WARN_UNUSED EG_PRINTF(2, 3);
/** Prints all rows, each indented by two spaces. Errors: EG_MEMORY. */
eg_status eg_table_print(const eg_table *table, FILE *file) EG_WARN_UNUSED;
/** Whether a column stands to the right: below the heading all its cells are numbers. */
bool eg_table_goes_right(const eg_table *table, size_t column);

/** The table as a floating table of LaTeX with the rules of package booktabs. `caption` is plain
 *  text, as the cells are: what means something to LaTeX is escaped. */
void eg_table_print_latex(const eg_table *table, const char *caption, FILE *file);

#endif
