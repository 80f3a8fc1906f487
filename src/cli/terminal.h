/** Text of others on its way to a terminal: names, messages and documentation come from files that
 *  anybody may have written, and must not be able to move the cursor, change the title or hide a
 *  line. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include "engram/status.h"

#include <stddef.h>
#include <stdio.h>

/** Writes text [size], control characters (C0, DEL, C1) and bytes that are not UTF-8 as \xNN. A
 *  line break stays one if `lines`, else it is \n. */
void eg_put_safe(FILE *file, const char *text, size_t size, bool lines);

/** Formats a line and writes it like that. Line breaks stay as they are where `format` begins and
 *  ends with them; one in between belongs to somebody's text. */
void eg_say(FILE *file, const char *format, ...) EG_PRINTF(2, 3);

#endif
