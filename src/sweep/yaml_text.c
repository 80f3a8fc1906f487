/** UTF-8, NUL bytes and tabs in a sweep file's text. */
#include "sweep/yaml_text.h"

#include "sweep/yaml_tree.h"

#include <stdio.h>

size_t eg_text_character(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char low, high, second_low, second_high;
        size_t size;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < EG_COUNT(rows); i++) {
        if (p[0] < rows[i].low || p[0] > rows[i].high) {
            continue;
        }
        if (rows[i].size > left) {
            return 0;
        }
        if (rows[i].size > 1 && (p[1] < rows[i].second_low || p[1] > rows[i].second_high)) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].size; k++) {
            if (p[k] < 0x80 || p[k] > 0xbf) {
                return 0;
            }
        }
        return rows[i].size;
    }
    return 0;
}

eg_status eg_text_check(const char *file, const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    eg_origin at = {.file = file, .line = 1, .column = 1};
    for (size_t i = 0; i < size;) {
        size_t step = eg_text_character(bytes + i, size - i);
        if (step == 0) {
            return eg_fail_at(&at, "not UTF-8 text (byte 0x%02x)", bytes[i]);
        }
        if (bytes[i] == '\0') {
            return eg_fail_at(&at, "a NUL byte; this is not a text file");
        }
        at.column++;
        if (bytes[i] == '\n') {
            at.line++;
            at.column = 1;
        }
        i += step;
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
