/** Quadratic pulls; see engram/spring.h. */
#include "engram/spring.h"

#include "math/clones.h"
#include "math/prefetch.h"

EG_CLONES static void into_weighted(size_t n, eg_real strength, const eg_real *restrict importance,
                                    const eg_real *restrict centre, const eg_real *restrict w,
                                    const eg_real *restrict g, eg_real *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = g[i] + strength * importance[i] * (w[i] - centre[i]);
    }
}

EG_CLONES static void into_even(size_t n, eg_real strength, const eg_real *restrict centre,
                                const eg_real *restrict w, const eg_real *restrict g,
                                eg_real *restrict out)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = g[i] + strength * (w[i] - centre[i]);
    }
}

EG_CLONES static void add_weighted(size_t n, eg_real strength, const eg_real *restrict importance,
                                   const eg_real *restrict centre, const eg_real *restrict w,
                                   eg_real *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] += strength * importance[i] * (w[i] - centre[i]);
    }
}

EG_CLONES static void add_even(size_t n, eg_real strength, const eg_real *restrict centre,
                               const eg_real *restrict w, eg_real *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        g[i] += strength * (w[i] - centre[i]);
    }
}

void eg_spring_into(const eg_spring *spring, size_t n, const eg_real *w, const eg_real *g,
                    eg_real *out)
{
    if (spring->importance != NULL) {
        into_weighted(n, spring->strength, spring->importance, spring->centre, w, g, out);
    } else {
        into_even(n, spring->strength, spring->centre, w, g, out);
    }
}

void eg_spring_add(const eg_spring *spring, size_t n, const eg_real *w, eg_real *g)
{
    if (spring->importance != NULL) {
        add_weighted(n, spring->strength, spring->importance, spring->centre, w, g);
    } else {
        add_even(n, spring->strength, spring->centre, w, g);
    }
}

static void fetch(const eg_spring *spring, size_t first, size_t n)
{
    eg_prefetch(spring->centre + first, n);
    if (spring->importance != NULL) {
        eg_prefetch(spring->importance + first, n);
    }
}

void eg_spring_fetch(const eg_spring *spring, size_t first, size_t n)
{
    if (spring->idle == NULL) {
        fetch(spring, first, n);
        return;
    }
    for (size_t end = first + n; first < end;) {
        size_t group = first / EG_SPRING_GROUP;
        size_t next = (group + 1) * EG_SPRING_GROUP;
        if (!spring->idle[group]) {
            fetch(spring, first, (next < end ? next : end) - first);
        }
        first = next;
    }
}
