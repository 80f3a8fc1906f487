/** Reading and writing UTF-8; see data/utf8.h. */
#include "data/utf8.h"

#include "engram/memory.h"

#include <stdbool.h>

/* Bytes of the character that begins with `first`, and the smallest code point that needs so many;
 * 0: none begins so. */
static size_t length_of(unsigned char first, uint32_t *least)
{
    static const struct {
        unsigned char mask, begin;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t f = 0; f < sizeof forms / sizeof *forms; f++) {
        if ((first & forms[f].mask) == forms[f].begin) {
            *least = forms[f].least;
            return f + 1;
        }
    }
    return 0;
}

/* Reads one character; returns its bytes, 0: it is none. */
static size_t read_one(const unsigned char *bytes, size_t size, uint32_t *code)
{
    uint32_t least = 0;
    const size_t length = length_of(bytes[0], &least);
    if (length == 0 || length > size) {
        return 0;
    }
    *code = length == 1 ? bytes[0] : bytes[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (bytes[i] & 0x3f);
    }
    const bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code >= least && *code < EG_UTF8_LIMIT && !surrogate ? length : 0;
}

size_t eg_utf8_length(const unsigned char *bytes, size_t size)
{
    uint32_t code = 0;
    return read_one(bytes, size, &code);
}

static eg_status fail_at(const unsigned char *bytes, size_t at, const char *path)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++) {
        line += bytes[i] == '\n' ? 1 : 0;
    }
    return eg_fail(EG_INVALID, "%s: line %zu: byte %zu of the file (0x%02x) is not UTF-8", path,
                   line, at, (unsigned)bytes[at]);
}

eg_status eg_utf8_read(uint32_t **out, size_t *count, const unsigned char *bytes, size_t size,
                       const char *path)
{
    uint32_t *codes = NULL;
    size_t n = 0;
    *out = NULL;
    *count = 0;
    EG_TRY(eg_alloc_unset(&codes, size, sizeof *codes));
    for (size_t at = 0; at < size;) {
        const size_t length = read_one(bytes + at, size - at, &codes[n]);
        if (length == 0) {
            eg_free(codes);
            return fail_at(bytes, at, path);
        }
        at += length;
        n++;
    }
    *out = codes;
    *count = n;
    return eg_ok();
}

size_t eg_utf8_write(uint32_t code, unsigned char out[EG_UTF8_BYTES_MAX])
{
    static const uint32_t below[] = {0x80, 0x800, 0x10000};
    static const unsigned char begin[] = {0x00, 0xc0, 0xe0, 0xf0};
    size_t length = 1;
    while (length < EG_UTF8_BYTES_MAX && code >= below[length - 1]) {
        length++;
    }
    for (size_t i = length; i > 1; i--) {
        out[i - 1] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (unsigned char)(begin[length - 1] | code);
    return length;
}
