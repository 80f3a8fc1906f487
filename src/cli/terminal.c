/** Control characters made visible; see cli/terminal.h. */
#include "cli/terminal.h"

#include "engram/memory.h"

#include <stdarg.h>
#include <string.h>
#include <unistr.h>

static bool is_control(const unsigned char *at, size_t size)
{
    return at[0] < 0x20 || at[0] == 0x7f || (size == 2 && at[0] == 0xc2 && at[1] < 0xa0);
}

void eg_put_safe(FILE *file, const char *text, size_t size, bool lines)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t left = size; left > 0;) {
        ucs4_t character = 0;
        int length = u8_mbtoucr(&character, at, left);
        size_t step = length < 0 ? 0 : (size_t)length;
        if (*at == '\n') {
            (void)fputs(lines ? "\n" : "\\n", file);
        } else if (step == 0 || is_control(at, step)) {
            step = step == 0 ? 1 : step;
            for (size_t i = 0; i < step; i++) {
                (void)fprintf(file, "\\x%02x", at[i]);
            }
        } else {
            (void)fwrite(at, 1, step, file);
        }
        at += step;
        left -= step;
    }
}

void eg_say(FILE *file, const char *format, ...)
{
    char few[1024];
    char *text = few;
    char *many = NULL;
    va_list values;
    va_start(values, format);
    int length = vsnprintf(few, sizeof few, format, values);
    va_end(values);
    if (length < 0) {
        return;
    }
    if ((size_t)length >= sizeof few) {
        eg_status status = eg_alloc(&many, (size_t)length + 1, 1);
        if (status.code == EG_OK) {
            va_start(values, format);
            (void)vsnprintf(many, (size_t)length + 1, format, values);
            va_end(values);
            text = many;
        } /* else it is cut */
    }
    size_t first = strspn(format, "\n");
    size_t end = strlen(text);
    size_t format_end = strlen(format);
    while (end > first && format_end > first && format[format_end - 1] == '\n') {
        format_end--;
        end -= text[end - 1] == '\n' ? 1 : 0;
    }
    eg_put_safe(file, text, first, true);
    eg_put_safe(file, text + first, end - first, false);
    eg_put_safe(file, text + end, strlen(text + end), true);
    eg_free(many);
}
