/** UTF-8: the characters of a text as code points, and back. */
#ifndef DATA_UTF8_H
#define DATA_UTF8_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

enum { EG_UTF8_BYTES_MAX = 4, EG_UTF8_LIMIT = 0x110000 /**< code points are below */ };

/** The code points of bytes [size] in *out (eg_free), *count of them. EG_INVALID, naming `path`,
 *  the line and the byte, if they are not UTF-8: overlong forms, surrogates and numbers from
 *  EG_UTF8_LIMIT on are none. */
eg_status eg_utf8_read(uint32_t **out, size_t *count, const unsigned char *bytes, size_t size,
                       const char *path) EG_WARN_UNUSED;

/** How many of bytes [size], which are some, the first character has; 0: they begin with none. */
size_t eg_utf8_length(const unsigned char *bytes, size_t size);

/** The bytes of one code point; returns how many. */
size_t eg_utf8_write(uint32_t code, unsigned char out[EG_UTF8_BYTES_MAX]);

#endif
