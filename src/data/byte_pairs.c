/** Byte pairs; see data/symbols.h.
 *
 *  How often each pair stands in the text is counted once, and kept true while pairs are merged:
 *  every replacement of l r by m in … p l r n … takes one from (p, l), (l, r), (r, n) and adds one
 *  to (p, m), (m, n). */
#include "data/symbols.h"

#include "data/utf8.h"
#include "engram/memory.h"

#include <stdbool.h>
#include <string.h>

/* Pairs and how often they stand in the text, with open addressing. */
typedef struct pair_table {
    size_t slots; /* a power of 2 */
    size_t used;
    uint64_t *key; /* [slots] key_of a pair; 0: none */
    size_t *times; /* [slots] */
} pair_table;

enum { SLOTS_MIN = 1024 };

/* Ordered as pairs are: by the left symbol, then by the right one. */
static uint64_t key_of(uint32_t left, uint32_t right)
{
    return ((uint64_t)left + 1) << 32 | right;
}

static void table_clear(pair_table *table)
{
    eg_free(table->key);
    eg_free(table->times);
    *table = (pair_table){0};
}

/* Where the pair is, or belongs. */
static size_t slot_of(const pair_table *table, uint64_t key)
{
    uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 20) & (table->slots - 1);
    while (table->key[slot] != 0 && table->key[slot] != key) {
        slot = (slot + 1) & (table->slots - 1);
    }
    return slot;
}

static void put(pair_table *table, uint64_t key, size_t times)
{
    size_t slot = slot_of(table, key);
    table->used += table->key[slot] == 0;
    table->key[slot] = key;
    table->times[slot] += times;
}

static void take(pair_table *table, uint64_t key)
{
    table->times[slot_of(table, key)]--;
}

/* Room for `more` other pairs in a table that is at most half full; those that stand nowhere go. */
static eg_status reserve(pair_table *table, size_t more)
{
    if (table->key != NULL && 2 * (table->used + more) <= table->slots) {
        return eg_ok();
    }
    pair_table wider = {.slots = SLOTS_MIN};
    while (wider.slots < 4 * (table->used + more)) {
        wider.slots *= 2;
    }
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&wider.key, wider.slots, sizeof *wider.key));
    EG_TRY_DONE(status, eg_alloc(&wider.times, wider.slots, sizeof *wider.times));
    for (size_t s = 0; table->key != NULL && s < table->slots; s++) {
        if (table->times[s] > 0) {
            put(&wider, table->key[s], table->times[s]);
        }
    }
    table_clear(table);
    *table = wider;
    return status;
done:
    table_clear(&wider);
    return status;
}

/* The commonest pair; false: none stands twice. */
static bool find_commonest(const pair_table *table, uint64_t *key)
{
    size_t most = 1;
    for (size_t s = 0; s < table->slots; s++) {
        size_t times = table->times[s];
        if (times > most || (times == most && times > 1 && table->key[s] < *key)) {
            most = times;
            *key = table->key[s];
        }
    }
    return most > 1;
}

/* The bytes of the text, block by block. */
static eg_status write_bytes(eg_symbols *out, const eg_symbols_source *text)
{
    const size_t blocks = eg_symbols_blocks(text);
    EG_TRY(eg_alloc(&out->begin, blocks + 1, sizeof *out->begin));
    EG_TRY(eg_alloc_unset(&out->id, text->count, EG_UTF8_BYTES_MAX * sizeof *out->id));
    for (size_t i = 0; i < text->count; i++) {
        unsigned char bytes[EG_UTF8_BYTES_MAX];
        const size_t count = eg_utf8_write(text->code[i], bytes);
        for (size_t b = 0; b < count; b++) {
            out->id[out->length++] = bytes[b];
        }
        out->begin[i / text->block + 1] = out->length;
    }
    return eg_ok();
}

static eg_status count_pairs(pair_table *table, const eg_symbols *text, size_t blocks)
{
    for (size_t b = 0; b < blocks; b++) {
        EG_TRY(reserve(table, text->begin[b + 1] - text->begin[b]));
        for (size_t i = text->begin[b]; i + 1 < text->begin[b + 1]; i++) {
            put(table, key_of(text->id[i], text->id[i + 1]), 1);
        }
    }
    return eg_ok();
}

/* A symbol in the place of two: `before` of it (or NULL) and `after` stand next to it. */
static void recount(pair_table *table, const uint32_t pair[2], uint32_t merged,
                    const uint32_t *before, const uint32_t *after)
{
    take(table, key_of(pair[0], pair[1]));
    if (before != NULL) {
        take(table, key_of(*before, pair[0]));
        put(table, key_of(*before, merged), 1);
    }
    if (after != NULL) {
        take(table, key_of(pair[1], *after));
        put(table, key_of(merged, *after), 1);
    }
}

/* Writes the pair as symbol `merged` wherever it stands. The table has room. */
static void merge(eg_symbols *text, size_t blocks, pair_table *table, const uint32_t pair[2],
                  uint32_t merged)
{
    uint32_t *id = text->id;
    size_t written = 0;
    size_t at = 0;
    for (size_t b = 0; b < blocks; b++) {
        const size_t first = written;
        const size_t end = text->begin[b + 1];
        while (at < end) {
            if (at + 1 < end && id[at] == pair[0] && id[at + 1] == pair[1]) {
                recount(table, pair, merged, written > first ? &id[written - 1] : NULL,
                        at + 2 < end ? &id[at + 2] : NULL);
                id[written++] = merged;
                at += 2;
            } else {
                id[written++] = id[at++];
            }
        }
        text->begin[b + 1] = written;
    }
    text->length = written;
}

static eg_status learn(eg_symbols *out, size_t blocks, pair_table *table, size_t most)
{
    uint64_t key = 0;
    out->count = EG_SYMBOLS_BYTES;
    while (out->count < most && find_commonest(table, &key)) {
        uint32_t *pair = out->pair[out->count];
        pair[0] = (uint32_t)(key >> 32) - 1;
        pair[1] = (uint32_t)key;
        EG_TRY(reserve(table, 2 * (out->count + 1)));
        merge(out, blocks, table, pair, (uint32_t)out->count);
        out->count++;
    }
    return eg_ok();
}

static size_t spelled_length(const eg_symbols *of, uint32_t symbol)
{
    return of->spelled[symbol + 1] - of->spelled[symbol];
}

static eg_status spell(eg_symbols *out)
{
    size_t capacity = 0;
    EG_TRY(eg_alloc(&out->spelled, out->count + 1, sizeof *out->spelled));
    for (size_t s = 0; s < out->count; s++) {
        const uint32_t *pair = out->pair[s];
        const size_t at = out->spelled[s];
        const bool byte = s < EG_SYMBOLS_BYTES;
        const size_t left = byte ? 1 : spelled_length(out, pair[0]);
        const size_t right = byte ? 0 : spelled_length(out, pair[1]);
        EG_TRY(eg_grow(&out->bytes, &capacity, at + left + right, 1));
        if (byte) {
            out->bytes[at] = (char)(unsigned char)s;
        } else {
            memcpy(out->bytes + at, out->bytes + out->spelled[pair[0]], left);
            memcpy(out->bytes + at + left, out->bytes + out->spelled[pair[1]], right);
        }
        out->spelled[s + 1] = at + left + right;
    }
    return eg_ok();
}

eg_status eg_symbols_byte_pairs(eg_symbols *out, const eg_symbols_source *text, size_t most)
{
    pair_table table = {0};
    const size_t blocks = eg_symbols_blocks(text);
    eg_status status = eg_ok();
    EG_TRY_DONE(status, write_bytes(out, text));
    EG_TRY_DONE(status, eg_alloc(&out->pair, most, sizeof *out->pair));
    EG_TRY_DONE(status, count_pairs(&table, out, blocks));
    EG_TRY_DONE(status, learn(out, blocks, &table, most));
    EG_TRY_DONE(status, spell(out));
done:
    table_clear(&table);
    return status;
}
