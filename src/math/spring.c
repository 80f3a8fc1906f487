/** Quadratic pulls; see engram/spring.h. */
#include "engram/spring.h"

#include "math/clones.h"
#include "math/prefetch.h"
#include "math/vector.h"

/* Squares are added up in lanes, as many as there are weights in the widest register. */
enum { LANES = 2 * EG_LANES };

static inline eg_real sum_of(eg_real *lane)
{
    for (size_t l = 0; l < EG_LANES; l++) {
        lane[l] += lane[l + EG_LANES];
    }
    return eg_lanes_sum(lane);
}

/* Called with a constant `weighted`, so that its loops need not ask. Taking the factor out of the choice
 * keeps gcc 12 from the widest registers. */
__attribute__((always_inline)) static inline eg_real
add(bool weighted, size_t n, eg_real strength, const eg_weight *restrict importance,
    const eg_real *restrict centre, const eg_real *restrict w, eg_real *restrict g)
{
    eg_real lane[LANES] = {0};
    size_t first = 0;
    for (; first + LANES <= n; first += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            size_t i = first + l;
            eg_real sum =
                weighted ? g[i] + strength * eg_weight_value(importance[i]) * (w[i] - centre[i])
                         : g[i] + strength * (w[i] - centre[i]);
            g[i] = sum;
            lane[l] += sum * sum;
        }
    }
    for (size_t i = first; i < n; i++) {
        eg_real factor = weighted ? strength * eg_weight_value(importance[i]) : strength;
        g[i] += factor * (w[i] - centre[i]);
        lane[i - first] += g[i] * g[i];
    }
    return sum_of(lane);
}

EG_CLONES static eg_real add_weighted(size_t n, eg_real strength,
                                      const eg_weight *restrict importance,
                                      const eg_real *restrict centre, const eg_real *restrict w,
                                      eg_real *restrict g)
{
    return add(true, n, strength, importance, centre, w, g);
}

EG_CLONES static eg_real add_even(size_t n, eg_real strength, const eg_real *restrict centre,
                                  const eg_real *restrict w, eg_real *restrict g)
{
    return add(false, n, strength, NULL, centre, w, g);
}

size_t eg_spring_run(const eg_spring *spring, size_t first, size_t n, bool *idle)
{
    *idle = spring->idle != NULL && spring->idle[first / EG_SPRING_GROUP];
    if (spring->idle == NULL) {
        return n;
    }
    size_t end = first;
    while (end < first + n && spring->idle[end / EG_SPRING_GROUP] == *idle) {
        end = (end / EG_SPRING_GROUP + 1) * EG_SPRING_GROUP;
    }
    return end < first + n ? end - first : n;
}

double eg_spring_add(const eg_spring *spring, size_t first, size_t n, const eg_real *w, eg_real *g)
{
    double squares = 0;
    for (size_t at = 0; at < n;) {
        bool idle = false;
        size_t run = eg_spring_run(spring, first + at, n - at, &idle);
        const eg_real *centre = spring->centre + first + at;
        if (idle) {
            squares += (double)eg_sum_squares(run, g + at, 0);
        } else if (spring->importance == NULL) {
            squares += (double)add_even(run, spring->strength, centre, w + at, g + at);
        } else {
            squares += (double)add_weighted(run, spring->strength, spring->importance + first + at,
                                            centre, w + at, g + at);
        }
        at += run;
    }
    return squares;
}

void eg_spring_fetch(const eg_spring *spring, size_t first, size_t n)
{
    for (size_t at = first; at < first + n;) {
        bool idle = false;
        size_t run = eg_spring_run(spring, at, first + n - at, &idle);
        if (!idle) {
            eg_prefetch(spring->centre + at, run * sizeof *spring->centre);
        }
        if (!idle && spring->importance != NULL) {
            eg_prefetch(spring->importance + at, run * sizeof *spring->importance);
        }
        at += run;
    }
}
