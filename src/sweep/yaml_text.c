/** UTF-8, NUL bytes and tabs in a sweep file's text. */
#include "sweep/yaml_text.h"

#include "sweep/yaml_tree.h"

#include <stdio.h>
#include <unistr.h>

eg_status eg_text_check(const char *file, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    eg_origin at = {.file = file, .line = 1, .column = 1};
    for (size_t i = 0; i < size;) {
        ucs4_t character = 0;
        int step = u8_mbtoucr(&character, bytes + i, size - i);
        if (step < 0) {
            return eg_fail_at(&at, "not UTF-8 text (byte 0x%02x)", bytes[i]);
        }
        if (character == 0) {
            return eg_fail_at(&at, "a NUL byte; this is not a text file");
        }
        at.column++;
        if (character == '\n') {
            at.line++;
            at.column = 1;
        }
        i += (size_t)step;
    }
    return eg_ok();
}

bool eg_text_find_tab(const char *text, size_t size, eg_origin *at)
{
    /* libyaml may notice a wrong indentation only on a later line. */
    unsigned first = at->line > 2 ? at->line - 2 : 1;
    unsigned line = 1;
    for (size_t i = 0; i < size && line <= at->line; line++) {
        size_t start = i;
        while (i < size && (text[i] == ' ' || text[i] == '\t')) {
            if (text[i] == '\t' && line >= first) {
                at->line = line;
                at->column = (unsigned)(i - start) + 1;
                return true;
            }
            i++;
        }
        while (i < size && text[i] != '\n') {
            i++;
        }
        i++;
    }
    return false;
}

void eg_words(char out[EG_MESSAGE_SIZE], const char *format, va_list arguments)
{
    if (vsnprintf(out, EG_MESSAGE_SIZE, format, arguments) < 0) {
        out[0] = '\0';
    }
}
