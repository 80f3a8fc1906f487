/** Byte pairs; see data/symbols.h.
 *
 *  The text stays where it is while pairs are merged: a symbol that spells n bytes has n places,
 *  with its id in the first and in the last of them, so that its neighbours are found from either
 *  side. The places of every pair are in a list, so a merge costs as much as there are places to
 *  write. The lists are in the order of the text: pairs with the newest symbol are only made while
 *  it is merged, from left to right. The commonest pair comes from a heap, whose entries may say
 *  more than is left of a pair; nothing but the newest symbol makes pairs commoner. */
#include "data/symbols.h"

#include "data/pair_occurrences.h"
#include "data/utf8.h"
#include "engram/memory.h"

#include <stdbool.h>
#include <string.h>

/* A pair and how often it stood when it was queued. */
typedef struct candidate {
    size_t times;
    uint64_t key;
} candidate;

typedef struct learning {
    eg_symbols *out;
    eg_pair_occurrences occurrences;
    candidate *heap; /* [candidates] none comes before its parent, (i - 1) / 2 */
    size_t candidates, capacity;
    uint64_t *made; /* [made_count] the pairs that a merge made; those made anew repeat */
    size_t made_count, made_capacity;
} learning;

/* Before, after and between blocks. */
static const uint32_t SEPARATOR = UINT32_MAX;

static bool comes_before(const candidate *a, const candidate *b)
{
    return a->times > b->times || (a->times == b->times && a->key < b->key);
}

static void swap(candidate *a, candidate *b)
{
    const candidate kept = *a;
    *a = *b;
    *b = kept;
}

static eg_status queue(learning *of, uint64_t key, size_t times)
{
    EG_TRY(eg_grow(&of->heap, &of->capacity, of->candidates + 1, sizeof *of->heap));
    size_t i = of->candidates++;
    of->heap[i] = (candidate){times, key};
    while (i > 0 && comes_before(&of->heap[i], &of->heap[(i - 1) / 2])) {
        swap(&of->heap[i], &of->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    return eg_ok();
}

/* Puts the first candidate, which may have become less common, where it belongs. */
static void settle_first(learning *of)
{
    size_t i = 0;
    for (;;) {
        size_t first = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < of->candidates; child++) {
            first = comes_before(&of->heap[child], &of->heap[first]) ? child : first;
        }
        if (first == i) {
            return;
        }
        swap(&of->heap[i], &of->heap[first]);
        i = first;
    }
}

/* The commonest pair; false: none stands twice. */
static bool find_commonest(learning *of, uint64_t *key)
{
    while (of->candidates > 0) {
        candidate *first = &of->heap[0];
        const size_t times = eg_pair_occurrences_of(&of->occurrences, first->key)->times;
        if (times == first->times) {
            *key = first->key;
            return true;
        }
        if (times > 1) {
            first->times = times;
        } else {
            *first = of->heap[--of->candidates];
        }
        settle_first(of);
    }
    return false;
}

static size_t spelled_length(const eg_symbols *of, uint32_t symbol)
{
    return of->spelled[symbol + 1] - of->spelled[symbol];
}

/* The bytes of the text, block by block. */
static eg_status write_bytes(eg_symbols *out, const eg_symbols_source *text)
{
    const size_t blocks = eg_symbols_blocks(text);
    EG_TRY(eg_alloc(&out->begin, blocks + 1, sizeof *out->begin));
    EG_TRY(eg_alloc_unset(&out->id, EG_UTF8_BYTES_MAX * text->count + blocks + 1, sizeof *out->id));
    for (size_t i = 0; i < text->count; i++) {
        unsigned char bytes[EG_UTF8_BYTES_MAX];
        const size_t count = eg_utf8_write(text->code[i], bytes);
        if (i % text->block == 0) {
            out->id[out->length++] = SEPARATOR;
        }
        for (size_t b = 0; b < count; b++) {
            out->id[out->length++] = bytes[b];
        }
    }
    out->id[out->length++] = SEPARATOR;
    return eg_ok();
}

/* The places of all pairs of bytes, of which there are at most 2^16. */
static eg_status find_pairs(learning *of)
{
    enum { PAIRS_OF_BYTES = EG_SYMBOLS_BYTES * EG_SYMBOLS_BYTES };
    const eg_symbols *text = of->out;
    eg_pair_occurrences *occurrences = &of->occurrences;
    EG_TRY(eg_pair_occurrences_make(occurrences, text->length));
    EG_TRY(eg_pair_occurrences_reserve(occurrences, PAIRS_OF_BYTES));
    for (size_t i = 0; i + 1 < text->length; i++) {
        if (text->id[i] != SEPARATOR && text->id[i + 1] != SEPARATOR) {
            eg_pair_occurrences_add(occurrences, eg_pair_key(text->id[i], text->id[i + 1]), i);
        }
    }
    for (size_t s = 0; s < occurrences->slots; s++) {
        if (occurrences->entry[s].times > 1) {
            EG_TRY(queue(of, occurrences->entry[s].key, occurrences->entry[s].times));
        }
    }
    return eg_ok();
}

/* A pair with the newest symbol begins at `place`. */
static eg_status add_pair(learning *of, uint64_t key, size_t place)
{
    /* Once is enough to queue it, and a pair that stands once is not queued. */
    if (eg_pair_occurrences_add(&of->occurrences, key, place) != 2) {
        return eg_ok();
    }
    EG_TRY(eg_grow(&of->made, &of->made_capacity, of->made_count + 1, sizeof *of->made));
    of->made[of->made_count++] = key;
    return eg_ok();
}

/* Writes the pair that begins at `place` as symbol `merged`. */
static eg_status merge_at(learning *of, uint64_t key, uint32_t merged, size_t place)
{
    const eg_symbols *out = of->out;
    uint32_t *id = out->id;
    const uint32_t left = eg_pair_left(key);
    const uint32_t right = eg_pair_right(key);
    const size_t middle = place + spelled_length(out, left);
    const size_t end = middle + spelled_length(out, right);
    const uint32_t previous = id[place - 1];
    const uint32_t next = id[end];
    eg_pair_occurrences_remove(&of->occurrences, key, place);
    if (previous != SEPARATOR) {
        const size_t before = place - spelled_length(out, previous);
        eg_pair_occurrences_remove(&of->occurrences, eg_pair_key(previous, left), before);
        EG_TRY(add_pair(of, eg_pair_key(previous, merged), before));
    }
    if (next != SEPARATOR) {
        eg_pair_occurrences_remove(&of->occurrences, eg_pair_key(right, next), middle);
        EG_TRY(add_pair(of, eg_pair_key(merged, next), place));
    }
    id[place] = merged;
    id[end - 1] = merged;
    return eg_ok();
}

/* Writes the pair as symbol `merged` wherever it stands. */
static eg_status merge(learning *of, uint64_t key, uint32_t merged)
{
    /* With each symbol there is, the new one makes a pair on either side. */
    EG_TRY(eg_pair_occurrences_reserve(&of->occurrences, 2 * ((size_t)merged + 1)));
    of->made_count = 0;
    while (eg_pair_occurrences_of(&of->occurrences, key)->times > 0) {
        const size_t place = eg_pair_occurrences_of(&of->occurrences, key)->first;
        EG_TRY(merge_at(of, key, merged, place));
    }
    for (size_t i = 0; i < of->made_count; i++) {
        const size_t times = eg_pair_occurrences_of(&of->occurrences, of->made[i])->times;
        if (times > 1) {
            EG_TRY(queue(of, of->made[i], times));
        }
    }
    return eg_ok();
}

static eg_status learn(learning *of, size_t most)
{
    eg_symbols *out = of->out;
    uint64_t key = 0;
    while (out->count < most && find_commonest(of, &key)) {
        uint32_t *pair = out->pair[out->count];
        pair[0] = eg_pair_left(key);
        pair[1] = eg_pair_right(key);
        out->spelled[out->count + 1] =
            out->spelled[out->count] + spelled_length(out, pair[0]) + spelled_length(out, pair[1]);
        EG_TRY(merge(of, key, (uint32_t)out->count));
        out->count++;
    }
    return eg_ok();
}

/* The symbols of the text side by side, without separators. */
static void close_gaps(eg_symbols *out)
{
    size_t written = 0;
    size_t blocks = 0;
    for (size_t i = 0; i < out->length;) {
        const uint32_t id = out->id[i];
        if (id == SEPARATOR) {
            out->begin[blocks++] = written;
            i++;
        } else {
            out->id[written++] = id;
            i += spelled_length(out, id);
        }
    }
    out->length = written;
}

static eg_status spell(eg_symbols *out)
{
    EG_TRY(eg_alloc_unset(&out->bytes, out->spelled[out->count], 1));
    for (size_t s = 0; s < out->count; s++) {
        char *bytes = out->bytes + out->spelled[s];
        if (s < EG_SYMBOLS_BYTES) {
            *bytes = (char)(unsigned char)s;
        } else {
            const uint32_t *pair = out->pair[s];
            const size_t left = spelled_length(out, pair[0]);
            memcpy(bytes, out->bytes + out->spelled[pair[0]], left);
            memcpy(bytes + left, out->bytes + out->spelled[pair[1]], spelled_length(out, pair[1]));
        }
    }
    return eg_ok();
}

eg_status eg_symbols_byte_pairs(eg_symbols *out, const eg_symbols_source *text, size_t most)
{
    learning of = {.out = out};
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc(&out->pair, most, sizeof *out->pair));
    EG_TRY_DONE(status, eg_alloc(&out->spelled, most + 1, sizeof *out->spelled));
    for (out->count = 0; out->count < EG_SYMBOLS_BYTES; out->count++) {
        out->spelled[out->count + 1] = out->count + 1;
    }
    EG_TRY_DONE(status, write_bytes(out, text));
    EG_TRY_DONE(status, find_pairs(&of));
    EG_TRY_DONE(status, learn(&of, most));
    close_gaps(out);
    EG_TRY_DONE(status, spell(out));
done:
    eg_pair_occurrences_clear(&of.occurrences);
    eg_free(of.heap);
    eg_free(of.made);
    return status;
}
