/** Places of pairs in a text; see data/pair_occurrences.h. */
#include "data/pair_occurrences.h"

#include "engram/memory.h"

enum { SLOTS_MIN = 1024 };

/* The end of a list. */
static const size_t NOWHERE = SIZE_MAX;

eg_status eg_pair_occurrences_make(eg_pair_occurrences *out, size_t places)
{
    eg_status status = eg_ok();
    EG_TRY_DONE(status, eg_alloc_unset(&out->next, places, sizeof *out->next));
    EG_TRY_DONE(status, eg_alloc_unset(&out->before, places, sizeof *out->before));
    EG_TRY_DONE(status, eg_pair_occurrences_reserve(out, 0));
    return status;
done:
    eg_pair_occurrences_clear(out);
    return status;
}

void eg_pair_occurrences_clear(eg_pair_occurrences *occurrences)
{
    eg_free(occurrences->entry);
    eg_free(occurrences->next);
    eg_free(occurrences->before);
    *occurrences = (eg_pair_occurrences){0};
}

eg_pair_entry *eg_pair_occurrences_of(const eg_pair_occurrences *occurrences, uint64_t key)
{
    const uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
    const size_t mask = occurrences->slots - 1;
    size_t slot = (size_t)(hash >> 20) & mask;
    while (occurrences->entry[slot].key != 0 && occurrences->entry[slot].key != key) {
        slot = (slot + 1) & mask;
    }
    return &occurrences->entry[slot];
}

eg_status eg_pair_occurrences_reserve(eg_pair_occurrences *occurrences, size_t more)
{
    /* At most half full. */
    if (occurrences->entry != NULL && 2 * (occurrences->used + more) <= occurrences->slots) {
        return eg_ok();
    }
    eg_pair_occurrences wider = *occurrences;
    wider.used = 0;
    wider.slots = SLOTS_MIN;
    while (wider.slots < 4 * (occurrences->used + more)) {
        wider.slots *= 2;
    }
    EG_TRY(eg_alloc(&wider.entry, wider.slots, sizeof *wider.entry));
    for (size_t s = 0; occurrences->entry != NULL && s < occurrences->slots; s++) {
        const eg_pair_entry *entry = &occurrences->entry[s];
        if (entry->times > 0) {
            *eg_pair_occurrences_of(&wider, entry->key) = *entry;
            wider.used++;
        }
    }
    eg_free(occurrences->entry);
    *occurrences = wider;
    return eg_ok();
}

size_t eg_pair_occurrences_add(eg_pair_occurrences *occurrences, uint64_t key, size_t place)
{
    eg_pair_entry *entry = eg_pair_occurrences_of(occurrences, key);
    if (entry->key == 0) {
        entry->key = key;
        occurrences->used++;
    }
    if (entry->times == 0) {
        entry->first = place;
        entry->last = NOWHERE;
    } else {
        occurrences->next[entry->last] = place;
    }
    occurrences->before[place] = entry->last;
    occurrences->next[place] = NOWHERE;
    entry->last = place;
    return ++entry->times;
}

void eg_pair_occurrences_remove(eg_pair_occurrences *occurrences, uint64_t key, size_t place)
{
    eg_pair_entry *entry = eg_pair_occurrences_of(occurrences, key);
    const size_t next = occurrences->next[place];
    const size_t before = occurrences->before[place];
    *(before == NOWHERE ? &entry->first : &occurrences->next[before]) = next;
    *(next == NOWHERE ? &entry->last : &occurrences->before[next]) = before;
    entry->times--;
}
