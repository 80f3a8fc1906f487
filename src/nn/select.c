/** Quickselect. Source: Hoare 1961, algorithm 65 (FIND), descending. */
#include "nn/select.h"

#include <assert.h>

eg_real eg_select_largest(size_t n, eg_real *a, size_t k)
{
    assert(k >= 1 && k <= n);
    size_t target = k - 1;
    size_t left = 0;
    size_t right = n - 1;
    while (left < right) {
        eg_real pivot = a[target];
        size_t i = left;
        size_t j = right + 1; /* one more than the index scanned from the right: it may reach 0 */
        /* Both scans stop at values equal to the pivot (and at NaN), so they cannot leave the
         * range. */
        do {
            while (a[i] > pivot) {
                i++;
            }
            while (pivot > a[j - 1]) {
                j--;
            }
            if (i < j) {
                eg_real kept = a[i];
                a[i] = a[j - 1];
                a[j - 1] = kept;
                i++;
                j--;
            }
        } while (i < j);
        if (j <= target) {
            left = i;
        }
        if (target < i) {
            /* j == 0 means that the target itself, at 0, is in place. */
            right = j > 0 ? j - 1 : 0;
        }
    }
    return a[target];
}

eg_status eg_select_check(double k, size_t n)
{
    if (k > (double)n) {
        return eg_fail(EG_INVALID, "k = %.0f is more than the layer's %zu units", k, n);
    }
    return eg_ok();
}
