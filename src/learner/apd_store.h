/** Numbers of which most may be 0, kept as whichever is smaller: all of them, or those that are not
 *  0 with their places. */
#ifndef ENGRAM_LEARNER_APD_STORE_H
#define ENGRAM_LEARNER_APD_STORE_H

#include "engram/pack.h"
#include "engram/real.h"
#include "engram/status.h"

#include <stddef.h>
#include <stdint.h>

/** Begins zero. */
typedef struct eg_apd_store {
    size_t count;    /**< numbers */
    size_t kept;     /**< of these in `value` */
    eg_real *value;  /**< [kept] owned */
    uint32_t *place; /**< [kept] ascending; NULL: all are kept; owned */
} eg_apd_store;

/** Keeps values [count], without those of a size up to `threshold` (negative: none). Replaces what
 *  was kept. */
eg_status eg_apd_store_put(eg_apd_store *store, size_t count, const eg_real *values,
                           double threshold) EG_WARN_UNUSED;
void eg_apd_store_clear(eg_apd_store *store);
/** Numbers at … at+n-1: borrowed, or in room [n]. */
const eg_real *eg_apd_store_get(const eg_apd_store *store, size_t at, size_t n, eg_real *room);
void eg_apd_store_write(const eg_apd_store *store, eg_writer *writer);
/** The inverse, of `count` numbers. EG_INVALID if it does not fit. */
eg_status eg_apd_store_read(eg_apd_store *store, size_t count, eg_reader *reader) EG_WARN_UNUSED;

#endif
