/** Quadratic penalties; see engram/penalty.h. */
#include "engram/penalty.h"

#include "math/shared/clones.h"
#include "math/shared/prefetch.h"
#include "math/shared/vector.h"

/* Squares are added up in lanes, as many as the widest register has. */
enum { LANES = 2 * EG_LANES };

static inline eg_real sum_of(eg_real *lane)
{
    for (size_t l = 0; l < EG_LANES; l++) {
        lane[l] += lane[l + EG_LANES];
    }
    return eg_lanes_sum(lane);
}

/* Called with a constant `weighted`, so that its loops do not branch. Taking the factor out of the
 * choice keeps gcc 12 from the widest registers. */
__attribute__((always_inline)) static inline eg_real
add(bool weighted, size_t n, eg_real strength, const eg_ufloat16 *restrict importance,
    const eg_real *restrict anchor, const eg_real *restrict w, eg_real *restrict g)
{
    eg_real lane[LANES] = {0};
    size_t first = 0;
    for (; first + LANES <= n; first += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            size_t i = first + l;
            eg_real sum =
                weighted ? g[i] + strength * eg_ufloat16_value(importance[i]) * (w[i] - anchor[i])
                         : g[i] + strength * (w[i] - anchor[i]);
            g[i] = sum;
            lane[l] += sum * sum;
        }
    }
    for (size_t i = first; i < n; i++) {
        eg_real factor = weighted ? strength * eg_ufloat16_value(importance[i]) : strength;
        g[i] += factor * (w[i] - anchor[i]);
        lane[i - first] += g[i] * g[i];
    }
    return sum_of(lane);
}

EG_CLONES static eg_real add_weighted(size_t n, eg_real strength,
                                      const eg_ufloat16 *restrict importance,
                                      const eg_real *restrict anchor, const eg_real *restrict w,
                                      eg_real *restrict g)
{
    return add(true, n, strength, importance, anchor, w, g);
}

EG_CLONES static eg_real add_even(size_t n, eg_real strength, const eg_real *restrict anchor,
                                  const eg_real *restrict w, eg_real *restrict g)
{
    return add(false, n, strength, NULL, anchor, w, g);
}

size_t eg_penalty_run(const eg_penalty *penalty, size_t first, size_t n, bool *zero)
{
    *zero = penalty->zero != NULL && penalty->zero[first / EG_PENALTY_GROUP];
    if (penalty->zero == NULL) {
        return n;
    }
    size_t end = first;
    while (end < first + n && penalty->zero[end / EG_PENALTY_GROUP] == *zero) {
        end = (end / EG_PENALTY_GROUP + 1) * EG_PENALTY_GROUP;
    }
    return end < first + n ? end - first : n;
}

double eg_penalty_add(const eg_penalty *penalty, size_t first, size_t n, const eg_real *w,
                      eg_real *g)
{
    double squares = 0;
    for (size_t at = 0; at < n;) {
        bool zero = false;
        size_t run = eg_penalty_run(penalty, first + at, n - at, &zero);
        const eg_real *anchor = penalty->anchor + first + at;
        if (zero) {
            squares += (double)eg_sum_squares(run, g + at, 0);
        } else if (penalty->importance == NULL) {
            squares += (double)add_even(run, penalty->strength, anchor, w + at, g + at);
        } else {
            squares += (double)add_weighted(
                run, penalty->strength, penalty->importance + first + at, anchor, w + at, g + at);
        }
        at += run;
    }
    return squares;
}

void eg_penalty_prefetch(const eg_penalty *penalty, size_t first, size_t n)
{
    for (size_t at = first; at < first + n;) {
        bool zero = false;
        size_t run = eg_penalty_run(penalty, at, first + n - at, &zero);
        if (!zero) {
            eg_prefetch(penalty->anchor + at, run * sizeof *penalty->anchor);
        }
        if (!zero && penalty->importance != NULL) {
            eg_prefetch(penalty->importance + at, run * sizeof *penalty->importance);
        }
        at += run;
    }
}
