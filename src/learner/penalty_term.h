/** A quadratic penalty around parameters worth keeping:
 *      strength/2 (sum_p importance[p] (w[p] - anchor[p])^2 + rest).
 *  All regularising learners are made of these. A sum of such penalties is again one: terms F_t
 *  around w_t have importance A = sum_t F_t, anchor sum_t F_t w_t / A and a constant rest. */
#ifndef ENGRAM_LEARNER_PENALTY_TERM_H
#define ENGRAM_LEARNER_PENALTY_TERM_H

#include "engram/pack.h"
#include "engram/penalty.h"
#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct eg_penalty_term {
    size_t n;
    double strength;
    double rest;
    bool active;          /**< false: the penalty is 0 */
    eg_real *importance;  /**< [n], or NULL: 1 everywhere */
    eg_ufloat16 *rounded; /**< [n] importance as the penalty reads it, or NULL */
    eg_real *anchor;      /**< [n] */
    bool *zero;           /**< [groups of parameters], as in eg_penalty; NULL without importances */
} eg_penalty_term;

/** An inactive one with everything 0. On failure the caller still closes it. */
eg_status eg_penalty_term_init(eg_penalty_term *term, size_t n, double strength,
                               bool weighted) EG_WARN_UNUSED;
void eg_penalty_term_clear(eg_penalty_term *term);

/** The quadratic function, whether active or not; borrows the arrays. */
eg_penalty eg_penalty_term_quadratic(const eg_penalty_term *term);

/** The penalty at w [n]. */
double eg_penalty_term_value(const eg_penalty_term *term, const eg_real *w);

/** Adds strength/2 sum_p f[p] (. - w[p])^2, exactly; activates. f, w [n], f >= 0. */
void eg_penalty_term_merge(eg_penalty_term *term, const eg_real *f, const eg_real *w);
/** importance <- keep importance + add f; anchor <- w; activates. */
void eg_penalty_term_follow(eg_penalty_term *term, double keep, double add, const eg_real *f,
                            const eg_real *w);
/** anchor <- w; activates. */
void eg_penalty_term_move(eg_penalty_term *term, const eg_real *w);

void eg_penalty_term_write(const eg_penalty_term *term, eg_writer *writer);
eg_status eg_penalty_term_read(eg_penalty_term *term, eg_reader *reader) EG_WARN_UNUSED;

#endif
