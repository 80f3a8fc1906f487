/** The conformance suite of plug-ins: what a component does is held against what its descriptor and
 *  the headers say. It calls code that nobody vouches for: in a child process (plugin_check.c). */
#ifndef PLUGIN_CONFORM_H
#define PLUGIN_CONFORM_H

#include "engram/plugin.h"

/** What is being tried, for the words about a crash; in memory that outlives the process. */
enum { EG_CONFORM_WORDS = 160 };
typedef struct eg_conform_place {
    char component[EG_CONFORM_WORDS]; /**< "activation wave"; "" before the first */
    char doing[EG_CONFORM_WORDS];     /**< "backward, n = 7" */
} eg_conform_place;

/** Tries every component of a plug-in of this real type with the defaults of its parameters.
 *  EG_INVALID names the component and what it breaks. */
eg_status eg_conform_float(const eg_plugin *plugin, eg_conform_place *place) EG_WARN_UNUSED;
eg_status eg_conform_double(const eg_plugin *plugin, eg_conform_place *place) EG_WARN_UNUSED;

/** What a plug-in of doubles says of itself. */
extern const eg_plugin eg_plugin_build_double;

/** An array between pages that may not be touched: behind its last byte at once, before its first
 *  one after bytes that are looked at. */
typedef struct eg_guarded {
    void *data; /**< [bytes] */
    size_t bytes;
    unsigned char *pages; /**< owned */
    size_t page, size;    /**< of a page; of all of them */
} eg_guarded;

/** Filled with zeros. Errors: EG_MEMORY. */
eg_status eg_guarded_create(eg_guarded *out, size_t bytes) EG_WARN_UNUSED;
/** An array that was not created is accepted. */
void eg_guarded_free(eg_guarded *array);
/** Nobody wrote before it. */
bool eg_guarded_is_intact(const eg_guarded *array);

#endif
