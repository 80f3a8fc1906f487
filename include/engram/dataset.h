/** Datasets: labelled examples as rows of bytes, and what number each byte stands for; or a text as
 *  ids of its symbols. */
#ifndef ENGRAM_DATASET_H
#define ENGRAM_DATASET_H

#include "engram/real.h"
#include "engram/settings.h"
#include "engram/shape.h"

#include <stddef.h>
#include <stdint.h>

/** Labelled examples. */
typedef struct eg_examples {
    size_t count;
    const uint8_t *x;      /**< [count, features] */
    const uint16_t *label; /**< [count], below `classes` */
} eg_examples;

/** A text as ids of symbols, cut into blocks. Start with {0}. */
typedef struct eg_tokens {
    size_t blocks;       /**< 0: there is no text */
    const size_t *begin; /**< [blocks + 1] where each begins in `id` */
    const uint32_t *id;  /**< [begin[blocks]] below `symbols` */
    size_t symbols;      /**< of the vocabulary, at most eg_dataset.classes */
    /** [symbols + 1] where the bytes of each begin in `bytes`: UTF-8, or a piece of it */
    const size_t *spelled;
    const char *bytes;
    /** [symbols] of symbols from 256 on, the two that each is merged from: those below are bytes.
     *  NULL: symbol 0 stands for any character that is none, the others are characters. */
    const uint32_t (*pair)[2];
} eg_tokens;

/** Sequences of `length` ids in a block that have a next one each: they begin at multiples of
 *  `length`. */
static inline size_t eg_tokens_sequences(const eg_tokens *text, size_t block, size_t length)
{
    size_t ids = text->begin[block + 1] - text->begin[block];
    return ids > 0 ? (ids - 1) / length : 0;
}

/** A file mapped into memory; address NULL: none. */
typedef struct eg_mapping {
    void *address;
    size_t size;
} eg_mapping;

/** Unmaps it, if it is one. */
void eg_mapping_clear(eg_mapping *mapping);

/** A dataset in memory; immutable after opening, so threads and trials may share it. */
typedef struct eg_dataset {
    /** The numbers of an example stand channel by channel: (c*height + h)*width + w. Of a text: a
     *  sequence of ids, height x 1 x 1. */
    eg_shape shape;
    size_t features; /**< eg_shape_size(shape) */
    size_t classes;
    eg_examples train, test; /**< of a text: none, streams make them */
    eg_tokens text;
    /** [channels][256]: what a byte of that channel stands for; NULL: there are no bytes */
    eg_real (*value)[256];
    uint8_t background;    /**< the commonest byte, filled in by eg_dataset_open */
    double density;        /**< share of other bytes; both from the first training examples */
    uint64_t checksum;     /**< of all examples, labels and sizes; filled in by eg_dataset_open */
    void *storage[5];      /**< blocks owned by the dataset */
    eg_mapping mapping[2]; /**< files owned by the dataset */
} eg_dataset;

/** Required: open. It fills *out (all zero before), allocating with eg_alloc into `storage`; on
 * failure the caller releases what was stored. Errors name the file and what is wrong with it. */
typedef struct eg_dataset_kind {
    eg_component component;
    bool is_text; /**< fills eg_dataset.text */
    eg_status (*open)(const eg_view *view, eg_dataset *out);
    /** Sizes without opening anything, for cost estimates. */
    void (*sizes)(const eg_view *view, size_t *train, size_t *test, eg_shape *shape,
                  size_t *classes);
} eg_dataset_kind;

extern const eg_family eg_dataset_family;

/** `words` in the symbols of a text, in *out (eg_free), *count of them: what its own characters or
 *  bytes would be in a block of their own. Errors, EG_INVALID: no UTF-8, of a vocabulary of
 *  characters, which names the words `what`; EG_MEMORY. */
eg_status eg_tokens_encode(uint32_t **out, size_t *count, const eg_tokens *text, const char *words,
                           const char *what) EG_WARN_UNUSED;
/** What symbols spell, in *out (eg_free): UTF-8 that ends with a 0. Bytes that are none, which byte
 *  pairs can spell, and 0 become U+FFFD one by one. Errors: EG_MEMORY. */
eg_status eg_tokens_spell(char **out, const eg_tokens *text, const uint32_t *id,
                          size_t count) EG_WARN_UNUSED;

/** The vocabulary of a text in one line of JSON, in *out (eg_free):
 *
 *      {"unit":"character","symbols":["\ufffd"," ","e", …]}
 *      {"unit":"byte_pair","pairs":[[101,32], …]}              symbols 256, 257, …
 *
 *  NULL if there is no text. Errors: EG_MEMORY. */
eg_status eg_dataset_vocabulary(char **out, const eg_dataset *dataset) EG_WARN_UNUSED;

/** Opens the dataset chosen by setting `dataset` of `root`. Release with eg_dataset_free. */
eg_status eg_dataset_open(eg_dataset **out, const eg_view *root) EG_WARN_UNUSED;
void eg_dataset_free(eg_dataset *dataset);

/** Keeps the datasets a process has opened, so that the trials of a worker share them. Not thread
 * safe: one cache per compute thread. */
typedef struct eg_dataset_cache eg_dataset_cache;
eg_status eg_dataset_cache_create(eg_dataset_cache **out) EG_WARN_UNUSED;
void eg_dataset_cache_free(eg_dataset_cache *cache);
/** Borrowed from the cache. */
eg_status eg_dataset_cache_get(eg_dataset_cache *cache, const eg_view *root,
                               const eg_dataset **out) EG_WARN_UNUSED;

#endif
