/** Numbers, times and paragraphs as people read them. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EG_TEXT_SIZE = 48 };

/** A short text by value, so that several fit into one printf. */
typedef struct eg_text {
    char text[EG_TEXT_SIZE];
} eg_text;

/** "45 s", "12 min", "3.4 h", "2.1 d"; "?" for NaN and infinity. */
eg_text eg_duration(double seconds);

/** The shortest decimal that reads back to the same value (as double if `wide`, else as float);
 *  empty for NaN and infinity. */
eg_text eg_number(double value, bool wide);

/** "0.7723 ± 0.0042", without the second part if `interval` is NaN; "-" if `mean` is NaN. */
eg_text eg_mean_text(double mean, double interval);

/** "2026-03-01 12:34:56" local time; "-" for 0. */
eg_text eg_time_text(double seconds_since_1970);

/** Whether the terminal's character set is UTF-8. */
bool eg_utf8(void);

/** Prints paragraphs separated by "\n\n", broken at 78 columns, every line indented by `indent`
 *  spaces. */
void eg_print_wrapped(FILE *file, const char *text, size_t indent);

/** Appends formatted text to text[size]; what does not fit is cut. */
void eg_append(char *text, size_t size, const char *format, ...) EG_PRINTF(3, 4);

/** argv joined by spaces, arguments with special characters quoted; a new string. */
eg_status eg_command_line(char **out, int argc, char **argv) EG_WARN_UNUSED;

/** "s" unless n is 1. */
const char *eg_plural(size_t n);

/** Values as a row of bars: "▁▃▅▇" (or "_.-^" where the terminal knows no UTF-8); NaN as a
 *  blank. */
eg_status eg_sparkline(char **out, const double *value, size_t count, double low,
                       double high) EG_WARN_UNUSED;

#endif
