/** Finished trials without what the setting `measures` asks for now. */
#ifndef ENGRAM_STORE_STORE_MEASURES_H
#define ENGRAM_STORE_STORE_MEASURES_H

#include "store/book.h"

/** Whether the book's trial `index`, one of a point with these settings, is done or diverged and lacks something. Reads
 * its record only if the settings name measures. */
eg_status eg_store_lacks_measures(bool *out, const eg_book *book, eg_journal *journal, size_t index,
                                  const eg_settings *settings) EG_WARN_UNUSED;

#endif
