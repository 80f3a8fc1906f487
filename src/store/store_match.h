/** Does a plan belong to the results that are there already? */
#ifndef ENGRAM_STORE_MATCH_H
#define ENGRAM_STORE_MATCH_H

#include "store/book.h"

/** EG_INVALID, saying what differs, unless the plan has the book's name and a trial in common with
 * it (any will do while nothing is finished). `file` is for the message. */
eg_status eg_store_match(const eg_book *book, const eg_plan *plan, const char *file) EG_WARN_UNUSED;

#endif
