/** Words as the symbols of a vocabulary, and back; see engram/dataset.h. */
#include "engram/dataset.h"

#include "data/utf8.h"
#include "engram/memory.h"
#include "engram/pack.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

/* The symbol of a character that is spelled so; 0: there is none. */
static uint32_t symbol_of(const eg_tokens *text, const unsigned char *spelled, size_t size)
{
    for (size_t s = 1; s < text->symbols; s++) {
        const size_t at = text->spelled[s];
        if (text->spelled[s + 1] - at == size && memcmp(text->bytes + at, spelled, size) == 0) {
            return (uint32_t)s;
        }
    }
    return 0;
}

static eg_status encode_characters(uint32_t **out, size_t *count, const eg_tokens *text,
                                   const char *words, const char *what)
{
    EG_TRY(eg_utf8_read(out, count, (const unsigned char *)words, strlen(words), what));
    for (size_t i = 0; i < *count; i++) {
        unsigned char spelled[EG_UTF8_BYTES_MAX];
        const size_t size = eg_utf8_write((*out)[i], spelled);
        (*out)[i] = symbol_of(text, spelled, size);
    }
    return eg_ok();
}

/* Merges in the order in which they were learned, each from left to right, as the text was. */
static eg_status encode_pairs(uint32_t **out, size_t *count, const eg_tokens *text,
                              const char *words)
{
    size_t length = strlen(words);
    EG_TRY(eg_alloc(out, length, sizeof **out));
    uint32_t *id = *out;
    for (size_t i = 0; i < length; i++) {
        id[i] = (unsigned char)words[i];
    }
    for (size_t s = UCHAR_MAX + 1; s < text->symbols; s++) {
        size_t written = 0;
        for (size_t i = 0; i < length; written++) {
            const bool pair =
                i + 1 < length && id[i] == text->pair[s][0] && id[i + 1] == text->pair[s][1];
            id[written] = pair ? (uint32_t)s : id[i];
            i += pair ? 2 : 1;
        }
        length = written;
    }
    *count = length;
    return eg_ok();
}

eg_status eg_tokens_encode(uint32_t **out, size_t *count, const eg_tokens *text, const char *words,
                           const char *what)
{
    *out = NULL;
    *count = 0;
    return text->pair != NULL ? encode_pairs(out, count, text, words)
                              : encode_characters(out, count, text, words, what);
}

/* Bytes as UTF-8, whatever they are. */
static void write_text(eg_writer *writer, const unsigned char *bytes, size_t size)
{
    unsigned char replacement[EG_UTF8_BYTES_MAX];
    const size_t replaced = eg_utf8_write(0xfffd, replacement);
    for (size_t at = 0; at < size;) {
        const size_t length = bytes[at] != 0 ? eg_utf8_length(bytes + at, size - at) : 0;
        eg_write_bytes(writer, length > 0 ? bytes + at : replacement,
                       length > 0 ? length : replaced);
        at += length > 0 ? length : 1;
    }
    eg_write_u8(writer, 0);
}

eg_status eg_tokens_spell(char **out, const eg_tokens *text, const uint32_t *id, size_t count)
{
    eg_writer bytes = {0};
    eg_writer valid = {0};
    eg_status status = eg_ok();
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t at = text->spelled[id[i]];
        eg_write_bytes(&bytes, text->bytes + at, text->spelled[id[i] + 1] - at);
    }
    EG_TRY_DONE(status, eg_writer_status(&bytes));
    write_text(&valid, bytes.data, bytes.size);
    EG_TRY_DONE(status, eg_writer_status(&valid));
    EG_TRY_DONE(status, eg_strdup(out, (const char *)valid.data));
done:
    eg_writer_clear(&bytes);
    eg_writer_clear(&valid);
    return status;
}
