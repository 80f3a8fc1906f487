/** Inside the sweep room: text, before and after libyaml reads it, and in messages. */
#ifndef SWEEP_YAML_TEXT_H
#define SWEEP_YAML_TEXT_H

#include "engram/settings.h"

#include <stdarg.h>

/** Bytes of the UTF-8 character at `p`, of which `left` > 0 are there, or 0 if it is none (RFC 3629: no overlong
 *  forms, no surrogates). */
size_t eg_text_character(const unsigned char *p, size_t left);

/** Refuses text that is not UTF-8 or holds a NUL byte, with its position. */
eg_status eg_text_check(const char *file, const char *text, size_t size) EG_WARN_UNUSED;

/** Is there a tab in the white space that begins the line at->line, or one of the two before it? Then *at
 *  becomes its position. */
bool eg_text_find_tab(const char *text, size_t size, eg_origin *at);

/** Formatted words, cut at the end if too long. */
void eg_words(char out[EG_MESSAGE_SIZE], const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
