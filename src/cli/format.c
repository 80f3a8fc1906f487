/** Numbers, times and paragraphs as people read them; see cli/format.h. */
#include "cli/format.h"

#include "cli/terminal.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uniwidth.h>

enum { PAGE_WIDTH = 78 };

eg_text eg_duration(double seconds)
{
    eg_text out = {"?"};
    if (!isfinite(seconds)) {
        return out;
    }
    double s = seconds < 0 ? 0 : seconds;
    if (s < 9.95) {
        (void)snprintf(out.text, sizeof out.text, "%.1f s", s);
    } else if (s < 119.5) {
        (void)snprintf(out.text, sizeof out.text, "%.0f s", s);
    } else if (s < 119.5 * 60) {
        (void)snprintf(out.text, sizeof out.text, "%.0f min", s / 60);
    } else if (s < 47.5 * 3600) {
        (void)snprintf(out.text, sizeof out.text, "%.1f h", s / 3600);
    } else {
        (void)snprintf(out.text, sizeof out.text, "%.1f d", s / 86400);
    }
    return out;
}

/* Here and not in a library: C17 has no shortest decimal that reads back to the same value. */
eg_text eg_number(double value, bool wide)
{
    eg_text out = {""};
    if (!isfinite(value)) {
        return out;
    }
    int most = wide ? 17 : 9;
    for (int digits = wide ? 15 : 6; digits <= most; digits++) {
        (void)snprintf(out.text, sizeof out.text, "%.*g", digits, value);
        double back = strtod(out.text, NULL);
        if (wide ? back == value : (float)back == (float)value) {
            break;
        }
    }
    return out;
}

eg_text eg_mean_text(double mean, double interval)
{
    eg_text out = {"-"};
    if (isnan(mean)) {
        return out;
    }
    if (isnan(interval)) {
        (void)snprintf(out.text, sizeof out.text, "%.4f", mean);
    } else {
        (void)snprintf(out.text, sizeof out.text, "%.4f %s %.4f", mean, eg_utf8() ? "±" : "+/-",
                       interval);
    }
    return out;
}

eg_text eg_time_text(double seconds_since_1970)
{
    eg_text out = {"-"};
    time_t whole = (time_t)seconds_since_1970;
    struct tm parts;
    if (seconds_since_1970 > 0 && localtime_r(&whole, &parts) != NULL) {
        (void)strftime(out.text, sizeof out.text, "%Y-%m-%d %H:%M:%S", &parts);
    }
    return out;
}

bool eg_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void print_indent(FILE *file, size_t indent)
{
    (void)fprintf(file, "%*s", (int)indent, "");
}

void eg_print_wrapped(FILE *file, const char *text, size_t indent)
{
    size_t column = 0;
    while (*text != '\0') {
        if (strncmp(text, "\n\n", 2) == 0) {
            (void)fprintf(file, "\n\n");
            column = 0;
            text += 2;
            continue;
        }
        size_t length = strcspn(text, " \n");
        size_t width = (size_t)u8_width((const uint8_t *)text, length, "UTF-8");
        if (column > 0 && column + 1 + width > PAGE_WIDTH) {
            (void)fputc('\n', file);
            column = 0;
        }
        if (column == 0) {
            print_indent(file, indent);
            column = indent;
        } else {
            (void)fputc(' ', file);
            column++;
        }
        eg_put_safe(file, text, length, false);
        column += width;
        text += length;
        while (*text == ' ' || (*text == '\n' && text[1] != '\n')) {
            text++;
        }
    }
    (void)fputc('\n', file);
}

void eg_append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text + used, size - used, format, values);
    va_end(values);
}

eg_status eg_command_line(char **out, int argc, char **argv)
{
    eg_writer writer = {0};
    for (int i = 0; i < argc; i++) {
        const char *quote =
            argv[i][strcspn(argv[i], " \t\n'\"\\$`*?[]{}()<>|&;#")] == '\0' ? "" : "'";
        eg_write_bytes(&writer, i == 0 ? "" : " ", i == 0 ? 0 : 1);
        eg_write_bytes(&writer, quote, strlen(quote));
        eg_write_bytes(&writer, argv[i], strlen(argv[i]));
        eg_write_bytes(&writer, quote, strlen(quote));
    }
    eg_write_bytes(&writer, "", 1);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}

const char *eg_plural(size_t n)
{
    return n == 1 ? "" : "s";
}

eg_status eg_sparkline(char **out, const double *value, size_t count, double low, double high)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const plain[] = {"_", "_", ".", ".", "-", "=", "^", "#"};
    const char *const *bars = eg_utf8() ? blocks : plain;
    eg_writer writer = {0};
    for (size_t i = 0; i < count; i++) {
        const char *bar = " ";
        if (isfinite(value[i])) {
            double share = high > low ? (value[i] - low) / (high - low) : 0;
            double clamped = fmin(fmax(share, 0), 1);
            bar = bars[(size_t)lround(clamped * 7)];
        }
        eg_write_bytes(&writer, bar, strlen(bar));
    }
    eg_write_bytes(&writer, "", 1);
    eg_status status = eg_writer_status(&writer);
    if (status.code == EG_OK) {
        status = eg_strdup(out, (const char *)writer.data);
    }
    eg_writer_clear(&writer);
    return status;
}
