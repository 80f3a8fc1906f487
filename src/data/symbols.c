/** What both vocabularies share, and that of characters; see data/symbols.h. */
#include "data/symbols.h"

#include "data/utf8.h"
#include "engram/memory.h"

#include <stdlib.h>

size_t eg_symbols_blocks(const eg_symbols_source *text)
{
    return (text->count + text->block - 1) / text->block;
}

void eg_symbols_clear(eg_symbols *symbols)
{
    eg_free(symbols->spelled);
    eg_free(symbols->bytes);
    eg_free(symbols->pair);
    eg_free(symbols->id);
    eg_free(symbols->begin);
    *symbols = (eg_symbols){0};
}

typedef struct character {
    uint32_t code;
    size_t count;
} character;

static int commonest_first(const void *left, const void *right)
{
    const character *a = left;
    const character *b = right;
    if (a->count != b->count) {
        return a->count > b->count ? -1 : 1;
    }
    return a->code < b->code ? -1 : 1;
}

/* The characters of a text, the commonest first; found [count] of at most EG_UTF8_LIMIT. */
static eg_status count_characters(character **found, size_t *count, const eg_symbols_source *text)
{
    size_t *times = NULL;
    *found = NULL;
    *count = 0;
    EG_TRY(eg_alloc(&times, EG_UTF8_LIMIT, sizeof *times));
    for (size_t i = 0; i < text->count; i++) {
        *count += times[text->code[i]]++ == 0;
    }
    eg_status status = eg_alloc(found, *count, sizeof **found);
    size_t n = 0;
    for (uint32_t code = 0; code < EG_UTF8_LIMIT && eg_is_ok(&status); code++) {
        if (times[code] > 0) {
            (*found)[n++] = (character){.code = code, .count = times[code]};
        }
    }
    if (n > 0) {
        qsort(*found, n, sizeof **found, commonest_first);
    }
    eg_free(times);
    return status;
}

/* Symbol 0 and those of `kept` characters. */
static eg_status spell(eg_symbols *out, const character *kept, size_t count)
{
    out->count = count + 1;
    EG_TRY(eg_alloc(&out->spelled, out->count + 1, sizeof *out->spelled));
    EG_TRY(eg_alloc(&out->bytes, out->count, EG_UTF8_BYTES_MAX));
    for (size_t s = 0; s < out->count; s++) {
        const uint32_t replacement = 0xfffd;
        unsigned char *bytes = (unsigned char *)out->bytes + out->spelled[s];
        uint32_t code = s == 0 ? replacement : kept[s - 1].code;
        out->spelled[s + 1] = out->spelled[s] + eg_utf8_write(code, bytes);
    }
    return eg_ok();
}

/* The text in symbols. */
static eg_status number(eg_symbols *out, const eg_symbols_source *text, const character *kept)
{
    uint32_t *symbol = NULL;
    const size_t blocks = eg_symbols_blocks(text);
    out->length = text->count;
    EG_TRY(eg_alloc(&out->begin, blocks + 1, sizeof *out->begin));
    EG_TRY(eg_alloc_unset(&out->id, text->count, sizeof *out->id));
    EG_TRY(eg_alloc(&symbol, EG_UTF8_LIMIT, sizeof *symbol));
    for (size_t s = 1; s < out->count; s++) {
        symbol[kept[s - 1].code] = (uint32_t)s;
    }
    for (size_t i = 0; i < text->count; i++) {
        out->id[i] = symbol[text->code[i]];
    }
    for (size_t b = 1; b <= blocks; b++) {
        out->begin[b] = b < blocks ? b * text->block : text->count;
    }
    eg_free(symbol);
    return eg_ok();
}

eg_status eg_symbols_characters(eg_symbols *out, const eg_symbols_source *text, size_t most)
{
    character *found = NULL;
    size_t count = 0;
    eg_status status = eg_ok();
    EG_TRY_DONE(status, count_characters(&found, &count, text));
    EG_TRY_DONE(status, spell(out, found, count < most - 1 ? count : most - 1));
    EG_TRY_DONE(status, number(out, text, found));
done:
    eg_free(found);
    return status;
}
