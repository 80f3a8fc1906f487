/** Resolved settings in memory, and how one is found by its name; see base/settings_memory.h. */
#include "base/settings_memory.h"

#include "engram/memory.h"

#include <assert.h>
#include <string.h>

enum { CHUNK_FIRST = 1024, CHUNK_MOST = 1 << 16, WORD = 8 };

/** A piece of the memory that lives as long as a complete set and its variants. */
struct eg_settings_chunk {
    struct eg_settings_chunk *before;
    size_t size, used;
    unsigned char bytes[];
};

/* Names ---------------------------------------------------------------------------------------- */

/* FNV-1a: names are short, and it goes on from a prefix to a name. */
static uint32_t hash_on(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    }
    return hash;
}

static uint32_t hash_name(const char *prefix, const char *name)
{
    return hash_on(hash_on(2166136261U, prefix), name);
}

static bool is_named(const eg_setting *setting, const char *prefix, const char *name)
{
    size_t length = strlen(prefix);
    return strncmp(setting->name, prefix, length) == 0 && strcmp(setting->name + length, name) == 0;
}

size_t eg_settings_place_of(const eg_settings *settings, const char *prefix, const char *name)
{
    const eg_settings_shared *shared = settings->shared;
    size_t mask = shared->slot_count - 1;
    size_t slot = hash_name(prefix, name) & mask;
    while (shared->slots[slot] != 0) {
        size_t place = shared->slots[slot] - 1;
        if (is_named(shared->complete->items[place], prefix, name)) {
            return place;
        }
        slot = (slot + 1) & mask;
    }
    return SIZE_MAX;
}

static void enter_names(eg_settings_shared *shared)
{
    size_t mask = shared->slot_count - 1;
    for (uint32_t i = 0; i < shared->complete->count; i++) {
        size_t slot = hash_name("", shared->complete->items[i]->name) & mask;
        while (shared->slots[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        shared->slots[slot] = i + 1;
    }
}

/* A complete set ------------------------------------------------------------------------------- */

static size_t list_items(const eg_value *value)
{
    if (value->items == NULL) {
        return 0;
    }
    if (value->type != EG_TYPE_GROUPS) {
        return value->count;
    }
    return value->count == 0 ? 0 : value->ends[value->count - 1];
}

/** Memory that is laid out from left to right. */
typedef struct layout {
    int64_t *items;
    size_t *ends;
    char *text;
} layout;

static char *put_text(layout *at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = memcpy(at->text, text, size);
    at->text += size;
    return copy;
}

/** A copy of `from` whose lists and text are at `at`; the name is not copied. */
static void put_setting(eg_setting *to, const eg_setting *from, layout *at)
{
    *to = *from;
    size_t listed = list_items(&from->value);
    to->value.items = listed > 0 ? at->items : NULL;
    if (listed > 0) {
        memcpy(at->items, from->value.items, listed * sizeof *at->items);
        at->items += listed;
    }
    to->value.ends = NULL;
    if (from->value.ends != NULL) {
        to->value.ends = at->ends;
        memcpy(at->ends, from->value.ends, from->value.count * sizeof *at->ends);
        at->ends += from->value.count;
    }
    to->value.text = put_text(at, from->value.text);
}

/** How much of each kind settings need. */
typedef struct amount {
    size_t items, ends, bytes;
} amount;

static void add_amount(amount *sum, const eg_setting *setting)
{
    sum->items += list_items(&setting->value);
    sum->ends += setting->value.ends != NULL ? setting->value.count : 0;
    sum->bytes += strlen(setting->value.text) + 1;
}

/** The places of lists and texts in a block, behind what begins it. */
static layout lay_out(void *behind, const amount *needed)
{
    layout at = {.items = behind};
    at.ends = (size_t *)(void *)(at.items + needed->items);
    at.text = (char *)(at.ends + needed->ends);
    return at;
}

static size_t bytes_of(const amount *needed)
{
    return needed->items * sizeof(int64_t) + needed->ends * sizeof(size_t) + needed->bytes;
}

static size_t slots_for(size_t count)
{
    size_t slots = WORD;
    while (slots < 2 * count) {
        slots *= 2;
    }
    return slots;
}

/* Two blocks: [shared][settings][lists][texts][slots in front of them] and the set with its
 * pointers. */
eg_status eg_settings_pack(eg_settings **out, const eg_setting *pieces, size_t count)
{
    amount needed = {0};
    for (size_t i = 0; i < count; i++) {
        add_amount(&needed, &pieces[i]);
        needed.bytes += strlen(pieces[i].name) + 1;
    }
    size_t slot_count = slots_for(count);
    size_t head = sizeof(eg_settings_shared) + count * sizeof(eg_setting);
    eg_settings_shared *shared = NULL;
    eg_settings *complete = NULL;
    EG_TRY(eg_alloc(&shared, head + slot_count * sizeof(uint32_t) + bytes_of(&needed), 1));
    eg_status status = eg_alloc(&complete, sizeof *complete + count * sizeof(eg_setting *), 1);
    if (status.code != EG_OK) {
        eg_free(shared);
        return status;
    }
    eg_setting *settings = (eg_setting *)(void *)(shared + 1);
    shared->complete = complete;
    shared->slots = (uint32_t *)(void *)(settings + count);
    shared->slot_count = slot_count;
    layout at = lay_out(shared->slots + slot_count, &needed);
    complete->shared = shared;
    complete->count = complete->own = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        put_setting(&settings[i], &pieces[i], &at);
        settings[i].name = put_text(&at, pieces[i].name);
        complete->items[i] = &settings[i];
    }
    enter_names(shared);
    *out = complete;
    return eg_ok();
}

/* Variants ------------------------------------------------------------------------------------- */

/** `size` bytes that live as long as `shared`. */
static eg_status take(eg_settings_shared *shared, void **out, size_t size)
{
    size_t wanted = (size + WORD - 1) / WORD * WORD;
    struct eg_settings_chunk *chunk = shared->chunks;
    if (chunk == NULL || chunk->size - chunk->used < wanted) {
        size_t next = chunk == NULL ? CHUNK_FIRST : chunk->size * 2;
        next = next < CHUNK_MOST ? next : CHUNK_MOST;
        next = next > wanted ? next : wanted;
        EG_TRY(eg_alloc(&chunk, sizeof *chunk + next, 1));
        chunk->before = shared->chunks;
        chunk->size = next;
        shared->chunks = chunk;
    }
    *out = chunk->bytes + chunk->used;
    chunk->used += wanted;
    return eg_ok();
}

eg_status eg_settings_keep_value(const eg_setting **out, eg_settings_shared *shared,
                                 const eg_setting *setting)
{
    amount needed = {0};
    void *block = NULL;
    add_amount(&needed, setting);
    EG_TRY(take(shared, &block, sizeof *setting + bytes_of(&needed)));
    eg_setting *copy = block;
    layout at = lay_out(copy + 1, &needed);
    put_setting(copy, setting, &at);
    *out = copy;
    return eg_ok();
}

static const uint32_t *places_of(const eg_settings *variant)
{
    return (const uint32_t *)(const void *)(variant->items + variant->own);
}

size_t eg_settings_variant_size(size_t own)
{
    return sizeof(eg_settings) + own * (sizeof(eg_setting *) + sizeof(uint32_t));
}

void eg_settings_make_variant(eg_settings *out, eg_settings_shared *shared,
                              const eg_setting *const *items, const uint32_t *places, size_t own)
{
    out->shared = shared;
    out->count = shared->complete->count;
    out->own = (uint32_t)own;
    if (own > 0) {
        memcpy(out->items, items, own * sizeof(eg_setting *));
        memcpy(out->items + own, places, own * sizeof *places);
    }
}

eg_status eg_settings_keep_variant(eg_settings **out, eg_settings_shared *shared,
                                   const eg_setting *const *items, const uint32_t *places,
                                   size_t own)
{
    void *block = NULL;
    EG_TRY(take(shared, &block, eg_settings_variant_size(own)));
    *out = block;
    eg_settings_make_variant(*out, shared, items, places, own);
    shared->variants++;
    return eg_ok();
}

void eg_settings_free(eg_settings *settings)
{
    if (settings == NULL) {
        return;
    }
    eg_settings_shared *shared = settings->shared;
    if (shared->complete == settings) {
        shared->released = true;
    } else {
        shared->variants--;
    }
    if (!shared->released || shared->variants > 0) {
        return;
    }
    while (shared->chunks != NULL) {
        struct eg_settings_chunk *before = shared->chunks->before;
        eg_free(shared->chunks);
        shared->chunks = before;
    }
    eg_free(shared->complete);
    eg_free(shared);
}

/* Access --------------------------------------------------------------------------------------- */

size_t eg_settings_count(const eg_settings *settings)
{
    return settings->count;
}

const eg_setting *eg_settings_at(const eg_settings *settings, size_t index)
{
    assert(index < settings->count);
    if (settings == settings->shared->complete) {
        return settings->items[index];
    }
    const uint32_t *places = places_of(settings);
    for (size_t i = 0; i < settings->own; i++) {
        if (places[i] == index) {
            return settings->items[i];
        }
    }
    return settings->shared->complete->items[index];
}

size_t eg_settings_place(const eg_settings *settings, const char *name)
{
    return eg_settings_place_of(settings, "", name);
}

const eg_setting *eg_settings_find(const eg_settings *settings, const char *name)
{
    size_t place = eg_settings_place(settings, name);
    return place != SIZE_MAX ? eg_settings_at(settings, place) : NULL;
}

bool eg_settings_alike(const eg_settings *a, const eg_settings *b)
{
    return a->shared == b->shared;
}
