/** Inside the sweep room: what is checked in a text before and after libyaml reads it. */
#ifndef SWEEP_YAML_TEXT_H
#define SWEEP_YAML_TEXT_H

#include "engram/settings.h"

/** Refuses text that is not UTF-8 or holds a NUL byte, with its position. */
eg_status eg_text_check(const char *file, const char *text, size_t size) EG_WARN_UNUSED;

/** Is there a tab in the white space that begins the line at->line, or one of the two before it? Then *at
 *  becomes its position. */
bool eg_text_find_tab(const char *text, size_t size, eg_origin *at);

#endif
