/** Vocabularies of texts: which symbols there are, learned from the text itself, and the text
 *  written in them. */
#ifndef DATA_SYMBOLS_H
#define DATA_SYMBOLS_H

#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** Bytes as symbols, before any are merged. */
enum { EG_SYMBOLS_BYTES = 256 };

/** See eg_tokens (engram/dataset.h). Begins zero; cleared also after a failure. */
typedef struct eg_symbols {
    size_t count;
    size_t *spelled; /**< [count + 1] */
    char *bytes;     /**< [spelled[count]] */
    uint32_t (*pair)[2];
    size_t length; /**< of the text in symbols: */
    uint32_t *id;  /**< [length] */
    size_t *begin; /**< [blocks + 1] */
} eg_symbols;

/** A text of `count` code points, cut into blocks of `block`; the last one may be shorter. */
typedef struct eg_symbols_source {
    const uint32_t *code;
    size_t count, block;
} eg_symbols_source;

size_t eg_symbols_blocks(const eg_symbols_source *text);

/** Symbol 0 stands for every character that is none, and is spelled U+FFFD; 1, 2, … are the
 *  `most` - 1 commonest characters of the text, the commonest first, of equally common ones that of
 *  the lower code point. Errors: EG_MEMORY. */
eg_status eg_symbols_characters(eg_symbols *out, const eg_symbols_source *text,
                                size_t most) EG_WARN_UNUSED;

/** Byte pairs: symbols 0 … 255 are the bytes of the text in UTF-8; then the pair of neighbours that
 *  is commonest becomes the next symbol wherever it stands, from left to right, until there are
 *  `most` symbols or no pair stands twice. Of equally common pairs that of the lower left symbol,
 *  then of the lower right one. Pairs do not cross blocks. Overlapping pairs (aaa has two) count.
 *  It takes about 24 bytes of memory for each byte of the text, and time for each place that is
 *  merged. Errors: EG_MEMORY.
 *
 *  Source: Sennrich et al. 2016, arXiv 1508.07909, algorithm 1, on bytes and without words. */
eg_status eg_symbols_byte_pairs(eg_symbols *out, const eg_symbols_source *text,
                                size_t most) EG_WARN_UNUSED;

void eg_symbols_clear(eg_symbols *symbols);

#endif
