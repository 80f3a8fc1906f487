/** A pull towards parameters worth keeping: the penalty
 *      strength/2 (sum_p importance[p] (w[p] - centre[p])^2 + rest).
 *  All regularising learners are made of these. A sum of such penalties is again one: terms F_t around
 *  w_t have importance A = sum_t F_t, centre sum_t F_t w_t / A and a rest that no gradient sees. */
#ifndef ENGRAM_LEARNER_ANCHOR_H
#define ENGRAM_LEARNER_ANCHOR_H

#include "engram/pack.h"
#include "engram/real.h"
#include "engram/spring.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_anchor {
    size_t n;
    double strength;
    double rest;
    bool active;         /**< false: the penalty is 0 */
    eg_real *importance; /**< [n], or NULL: 1 everywhere */
    eg_weight *weight;   /**< [n] importance as the penalty takes it, or NULL */
    eg_real *centre;     /**< [n] */
    bool *idle;          /**< [groups of parameters], as in eg_spring; NULL without importances */
} eg_anchor;

/** An inactive one with everything 0. On failure the caller still closes it. */
eg_status eg_anchor_open(eg_anchor *anchor, size_t n, double strength,
                         bool weighted) EG_WARN_UNUSED;
void eg_anchor_close(eg_anchor *anchor);

/** What pulls, whether active or not; borrows the arrays. */
eg_spring eg_anchor_spring(const eg_anchor *anchor);

/** The penalty at w [n]. */
double eg_anchor_value(const eg_anchor *anchor, const eg_real *w);

/** Adds strength/2 sum_p f[p] (. - w[p])^2, exactly; activates. f, w [n], f >= 0. */
void eg_anchor_merge(eg_anchor *anchor, const eg_real *f, const eg_real *w);
/** importance <- keep importance + add f; centre <- w; activates. */
void eg_anchor_follow(eg_anchor *anchor, double keep, double add, const eg_real *f,
                      const eg_real *w);
/** centre <- w; activates. */
void eg_anchor_move(eg_anchor *anchor, const eg_real *w);

void eg_anchor_write(const eg_anchor *anchor, eg_writer *writer);
eg_status eg_anchor_read(eg_anchor *anchor, eg_reader *reader) EG_WARN_UNUSED;

#endif
