/** Inside the sweep room: text, before and after libyaml reads it, and in messages. */
#ifndef SWEEP_YAML_TEXT_H
#define SWEEP_YAML_TEXT_H

#include "engram/settings.h"

#include <stdarg.h>

/** Refuses text that is not UTF-8 or holds a NUL byte, with its position. */
eg_status eg_text_check(const char *file, const char *text, size_t size) EG_WARN_UNUSED;

/** Is there a tab in the white space that begins the line at->line, or one of the two before it?
 *  Then *at becomes its position. */
bool eg_text_find_tab(const char *text, size_t size, eg_origin *at);

/** Formatted words, cut at the end if too long. */
void eg_words(char out[EG_MESSAGE_SIZE], const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

#endif
