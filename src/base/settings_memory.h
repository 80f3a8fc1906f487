/** Inside the base room: how resolved settings lie in memory.
 *
 *  A complete set has all settings. A variant of it has the same names in the same places, and
 *  keeps only what differs: a sweep has up to a million points, most of them like another one but
 *  for a few values. Variants, their values and the set itself share one lifetime: what is shared
 *  is released with the last of them, in any order. */
#ifndef BASE_SETTINGS_MEMORY_H
#define BASE_SETTINGS_MEMORY_H

#include "engram/settings.h"

/** What a complete set and its variants share. */
typedef struct eg_settings_shared {
    eg_settings *complete;
    size_t variants;                  /**< that are not freed yet */
    bool released;                    /**< `complete` was freed, but variants still need it */
    struct eg_settings_chunk *chunks; /**< the memory of variants, newest first */
    uint32_t *slots;                  /**< place + 1 by hash of the name; 0: free */
    size_t slot_count;                /**< a power of two */
} eg_settings_shared;

struct eg_settings {
    eg_settings_shared *shared;
    uint32_t count; /**< names */
    uint32_t own;   /**< of them in `items`: all, or what differs from shared->complete; */
    const eg_setting *items[]; /**< [own]; in a variant [own] places (uint32_t) follow */
};

/** A complete set of copies of these settings. */
eg_status eg_settings_pack(eg_settings **out, const eg_setting *pieces,
                           size_t count) EG_WARN_UNUSED;

/** A copy of `setting` that lives as long as `shared`; the name is borrowed from the complete
 *  set. */
eg_status eg_settings_keep_value(const eg_setting **out, eg_settings_shared *shared,
                                 const eg_setting *setting) EG_WARN_UNUSED;

/** A variant with these settings [own] at these places. */
eg_status eg_settings_keep_variant(eg_settings **out, eg_settings_shared *shared,
                                   const eg_setting *const *items, const uint32_t *places,
                                   size_t own) EG_WARN_UNUSED;

/** Bytes that a variant needs, and its making in memory of the caller's; not to be freed. */
size_t eg_settings_variant_size(size_t own);
void eg_settings_make_variant(eg_settings *out, eg_settings_shared *shared,
                              const eg_setting *const *items, const uint32_t *places, size_t own);

/** Where "PREFIXNAME" is, SIZE_MAX: nowhere. */
size_t eg_settings_place_of(const eg_settings *settings, const char *prefix, const char *name);

#endif
