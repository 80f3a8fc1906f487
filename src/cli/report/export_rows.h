/** Tidy rows: one cell after the other, written as CSV (RFC 4180) or as JSON objects. */
#ifndef CLI_EXPORT_ROWS_H
#define CLI_EXPORT_ROWS_H

#include "engram/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Columns are named before the first row; cells then come in that order. */
typedef struct eg_rows {
    FILE *file; /**< borrowed */
    bool json;
    bool terminal;  /**< file: control characters are made visible */
    char **columns; /**< owned names */
    size_t column_count, capacity;
    size_t column; /**< of the next cell */
    size_t rows;
    json_t *object; /**< the row being made */
} eg_rows;

/** Release with eg_rows_clear. */
void eg_rows_init(eg_rows *out, FILE *file, bool json);
void eg_rows_clear(eg_rows *rows);

eg_status eg_rows_name(eg_rows *rows, const char *name) EG_WARN_UNUSED;
/** The heading of CSV, the opening bracket of JSON. */
void eg_rows_head(eg_rows *rows);
void eg_rows_text(eg_rows *rows, const char *text); /**< NULL: empty, null */
void eg_rows_integer(eg_rows *rows, uint64_t value);
void eg_rows_real(eg_rows *rows, double value, bool wide); /**< NaN: empty, null */
/** A setting from its canonical text; `type` is an eg_type. NULL: the point does not have it. */
void eg_rows_setting(eg_rows *rows, int type, const char *text);
void eg_rows_end_row(eg_rows *rows);
/** The closing bracket of JSON. */
void eg_rows_foot(eg_rows *rows);

#endif
