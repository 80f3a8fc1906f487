/** Quadratic penalties; see learner/penalty_term.h. */
#include "learner/penalty_term.h"

#include "engram/memory.h"

#include <math.h>
#include <string.h>

eg_status eg_penalty_term_init(eg_penalty_term *term, size_t n, double strength, bool weighted)
{
    *term = (eg_penalty_term){.n = n, .strength = strength};
    if (weighted) {
        EG_TRY(eg_alloc(&term->importance, n, sizeof *term->importance));
        EG_TRY(eg_alloc(&term->rounded, n, sizeof *term->rounded));
        EG_TRY(eg_alloc(&term->zero, n / EG_PENALTY_GROUP + 1, sizeof *term->zero));
    }
    return eg_alloc(&term->anchor, n, sizeof *term->anchor);
}

void eg_penalty_term_clear(eg_penalty_term *term)
{
    eg_free(term->importance);
    eg_free(term->rounded);
    eg_free(term->zero);
    eg_free(term->anchor);
}

eg_penalty eg_penalty_term_quadratic(const eg_penalty_term *term)
{
    return (eg_penalty){.strength = (eg_real)term->strength,
                        .importance = term->rounded,
                        .anchor = term->anchor,
                        .zero = term->zero};
}

/* After every change of the importances. */
static void round_importance(eg_penalty_term *term)
{
    for (size_t group = 0; group * EG_PENALTY_GROUP < term->n; group++) {
        size_t first = group * EG_PENALTY_GROUP;
        size_t left = term->n - first;
        size_t end = first + (left < EG_PENALTY_GROUP ? left : EG_PENALTY_GROUP);
        bool zero = true;
        for (size_t i = first; i < end; i++) {
            term->rounded[i] = eg_ufloat16_from(term->importance[i]);
            zero = zero && eg_ufloat16_value(term->rounded[i]) == 0;
        }
        term->zero[group] = zero;
    }
}

double eg_penalty_term_value(const eg_penalty_term *term, const eg_real *w)
{
    if (!term->active) {
        return 0.0;
    }
    double sum = term->rest;
    for (size_t i = 0; i < term->n; i++) {
        double away = (double)w[i] - (double)term->anchor[i];
        double importance =
            term->rounded != NULL ? (double)eg_ufloat16_value(term->rounded[i]) : 1.0;
        sum += importance * away * away;
    }
    return 0.5 * term->strength * sum;
}

void eg_penalty_term_merge(eg_penalty_term *term, const eg_real *f, const eg_real *w)
{
    for (size_t i = 0; i < term->n; i++) {
        double old = (double)term->importance[i];
        double added = (double)f[i];
        double away = (double)w[i] - (double)term->anchor[i];
        double share = old + added > 0.0 ? added / (old + added) : 1.0;
        term->rest += old * share * away * away;
        term->anchor[i] = (eg_real)((double)term->anchor[i] + share * away);
        term->importance[i] = (eg_real)(old + added);
    }
    round_importance(term);
    term->active = true;
}

void eg_penalty_term_follow(eg_penalty_term *term, double keep, double add, const eg_real *f,
                            const eg_real *w)
{
    for (size_t i = 0; i < term->n; i++) {
        term->importance[i] = (eg_real)(keep * (double)term->importance[i] + add * (double)f[i]);
    }
    round_importance(term);
    eg_penalty_term_move(term, w);
}

void eg_penalty_term_move(eg_penalty_term *term, const eg_real *w)
{
    memcpy(term->anchor, w, term->n * sizeof *w);
    term->active = true;
}

void eg_penalty_term_write(const eg_penalty_term *term, eg_writer *writer)
{
    eg_write_u8(writer, term->active ? 1 : 0);
    eg_write_f64(writer, term->rest);
    eg_write_reals(writer, term->n, term->anchor);
    if (term->importance != NULL) {
        eg_write_reals(writer, term->n, term->importance);
    }
}

eg_status eg_penalty_term_read(eg_penalty_term *term, eg_reader *reader)
{
    uint8_t active = eg_read_u8(reader);
    double rest = eg_read_f64(reader);
    EG_TRY(eg_read_reals(reader, term->n, term->anchor, "parameters to stay near"));
    if (term->importance != NULL) {
        EG_TRY(eg_read_reals(reader, term->n, term->importance, "importances"));
        round_importance(term);
    }
    if (active > 1) {
        return eg_fail(EG_INVALID, "saved penalty: state %u, expected 0 or 1", (unsigned)active);
    }
    term->active = active == 1;
    term->rest = rest;
    return eg_ok();
}
