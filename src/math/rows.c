/** Products with single vectors, row by row; see math/shared/rows.h.
 *
 *  Loops run over the lanes of a row. Several rows are taken at a time: a sum is then loaded and
 *  stored once for all of them, and their memory is fetched side by side. */
#include "math/shared/rows.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"
#include "math/shared/vector.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { STEP = EG_ROWS_STEP };

#define PASS __attribute__((always_inline)) static inline

PASS size_t place(const uint32_t *row, size_t k)
{
    return row != NULL ? row[k] : k;
}

EG_CLONES static size_t active(size_t n, const eg_real *restrict x, uint32_t *restrict row,
                               eg_real *restrict value)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        row[count] = (uint32_t)i;
        value[count] = x[i];
        count += x[i] != 0 ? 1 : 0;
    }
    return count;
}

/* y += the eight rows from k on, one after the other. */
PASS void add_eight(size_t k, const uint32_t *row, const eg_real *a, size_t width,
                    const eg_real *restrict w, eg_real *restrict y)
{
    const eg_real *restrict w0 = w + place(row, k) * width;
    const eg_real *restrict w1 = w + place(row, k + 1) * width;
    const eg_real *restrict w2 = w + place(row, k + 2) * width;
    const eg_real *restrict w3 = w + place(row, k + 3) * width;
    const eg_real *restrict w4 = w + place(row, k + 4) * width;
    const eg_real *restrict w5 = w + place(row, k + 5) * width;
    const eg_real *restrict w6 = w + place(row, k + 6) * width;
    const eg_real *restrict w7 = w + place(row, k + 7) * width;
    const eg_real a0 = a[k], a1 = a[k + 1], a2 = a[k + 2], a3 = a[k + 3];
    const eg_real a4 = a[k + 4], a5 = a[k + 5], a6 = a[k + 6], a7 = a[k + 7];
    for (size_t s = 0; s < width; s += STEP) {
        for (size_t l = s; l < s + STEP; l++) {
            eg_real sum = y[l];
            sum += a0 * w0[l];
            sum += a1 * w1[l];
            sum += a2 * w2[l];
            sum += a3 * w3[l];
            sum += a4 * w4[l];
            sum += a5 * w5[l];
            sum += a6 * w6[l];
            sum += a7 * w7[l];
            y[l] = sum;
        }
    }
}

PASS void add_one(eg_real a, size_t width, const eg_real *restrict w, eg_real *restrict y)
{
    for (size_t s = 0; s < width; s += STEP) {
        for (size_t l = s; l < s + STEP; l++) {
            y[l] += a * w[l];
        }
    }
}

EG_CLONES static void product(size_t count, const uint32_t *row, const eg_real *a, size_t width,
                              const eg_real *restrict w, eg_real *restrict y)
{
    size_t k = 0;
    for (; k + 8 <= count; k += 8) {
        add_eight(k, row, a, width, w, y);
    }
    for (; k < count; k++) {
        add_one(a[k], width, w + place(row, k) * width, y);
    }
}

PASS eg_real dot(size_t width, const eg_real *restrict w, const eg_real *restrict d)
{
    eg_real lane[STEP] = {0};
    for (size_t s = 0; s < width; s += STEP) {
        for (size_t l = 0; l < STEP; l++) {
            lane[l] += w[s + l] * d[s + l];
        }
    }
    return eg_lanes_sum(lane);
}

/* Four rows at a time: four chains of additions that do not wait for each other. */
EG_CLONES static void dots(size_t count, const uint32_t *row, size_t width,
                           const eg_real *restrict w, const eg_real *restrict d,
                           eg_real *restrict out)
{
    size_t k = 0;
    for (; k + 4 <= count; k += 4) {
        const eg_real *restrict w0 = w + place(row, k) * width;
        const eg_real *restrict w1 = w + place(row, k + 1) * width;
        const eg_real *restrict w2 = w + place(row, k + 2) * width;
        const eg_real *restrict w3 = w + place(row, k + 3) * width;
        eg_real lane0[STEP] = {0};
        eg_real lane1[STEP] = {0};
        eg_real lane2[STEP] = {0};
        eg_real lane3[STEP] = {0};
        for (size_t s = 0; s < width; s += STEP) {
            for (size_t l = 0; l < STEP; l++) {
                eg_real factor = d[s + l];
                lane0[l] += w0[s + l] * factor;
                lane1[l] += w1[s + l] * factor;
                lane2[l] += w2[s + l] * factor;
                lane3[l] += w3[s + l] * factor;
            }
        }
        out[place(row, k)] = eg_lanes_sum(lane0);
        out[place(row, k + 1)] = eg_lanes_sum(lane1);
        out[place(row, k + 2)] = eg_lanes_sum(lane2);
        out[place(row, k + 3)] = eg_lanes_sum(lane3);
    }
    for (; k < count; k++) {
        out[place(row, k)] = dot(width, w + place(row, k) * width, d);
    }
}

/* Which terms a step has; constant where it is used. */
typedef struct terms {
    bool bound, decay, shrink;
} terms;

PASS void descend_rows(const eg_rows_step *step, terms has, size_t count, const uint32_t *row,
                       const eg_real *a, size_t width, const eg_real *restrict d,
                       eg_real *restrict w)
{
    const eg_rows_step by = *step;
    for (size_t k = 0; k < count; k++) {
        eg_real *restrict at = w + place(row, k) * width;
        eg_real factor = a[k];
        EG_INDEPENDENT
        for (size_t l = 0; l < width; l++) {
            eg_real old = has.shrink ? by.shrink * at[l] : at[l];
            eg_real g = factor * d[l];
            g = has.decay ? g + by.decay * old : g;
            eg_real change = -by.lr * g;
            at[l] = old + (has.bound ? eg_clip(change, -by.bound, by.bound) : change);
        }
    }
}

EG_CLONES static void descend_plain(const eg_rows_step *step, size_t count, const uint32_t *row,
                                    const eg_real *a, size_t width, const eg_real *d, eg_real *w)
{
    descend_rows(step, (terms){.bound = false}, count, row, a, width, d, w);
}

EG_CLONES static void descend_decaying(const eg_rows_step *step, size_t count, const uint32_t *row,
                                       const eg_real *a, size_t width, const eg_real *d, eg_real *w)
{
    descend_rows(step, (terms){.decay = true}, count, row, a, width, d, w);
}

EG_CLONES static void descend_any(const eg_rows_step *step, size_t count, const uint32_t *row,
                                  const eg_real *a, size_t width, const eg_real *d, eg_real *w)
{
    descend_rows(step, (terms){true, true, true}, count, row, a, width, d, w);
}

/* A number descends. Returns by how much its size grew. */
PASS eg_real descend_one(eg_real lr, eg_real g, eg_real *at)
{
    eg_real old = *at;
    *at = old + -lr * g;
    return eg_magnitude(*at) - eg_magnitude(old);
}

EG_CLONES static void descend_following(eg_real lr, size_t count, const uint32_t *row,
                                        const eg_real *a, size_t width, const eg_real *restrict d,
                                        eg_real *restrict w, double *restrict sum)
{
    size_t k = 0;
    for (; k + 4 <= count; k += 4) {
        eg_real *restrict w0 = w + place(row, k) * width;
        eg_real *restrict w1 = w + place(row, k + 1) * width;
        eg_real *restrict w2 = w + place(row, k + 2) * width;
        eg_real *restrict w3 = w + place(row, k + 3) * width;
        const eg_real a0 = a[k], a1 = a[k + 1], a2 = a[k + 2], a3 = a[k + 3];
        EG_INDEPENDENT
        for (size_t l = 0; l < width; l++) {
            eg_real g = d[l];
            eg_real low = descend_one(lr, a0 * g, &w0[l]) + descend_one(lr, a1 * g, &w1[l]);
            eg_real high = descend_one(lr, a2 * g, &w2[l]) + descend_one(lr, a3 * g, &w3[l]);
            sum[l] += (double)(low + high);
        }
    }
    for (; k < count; k++) {
        eg_real *restrict at = w + place(row, k) * width;
        eg_real factor = a[k];
        EG_INDEPENDENT
        for (size_t l = 0; l < width; l++) {
            sum[l] += (double)descend_one(lr, factor * d[l], &at[l]);
        }
    }
}

EG_CLONES static void outer(size_t count, const eg_real *restrict a, size_t width,
                            const eg_real *restrict d, eg_real *restrict out)
{
    for (size_t k = 0; k < count; k++) {
        eg_real *restrict to = out + k * width;
        eg_real factor = a[k];
        for (size_t l = 0; l < width; l++) {
            to[l] = factor * d[l];
        }
    }
}

size_t eg_rows_active(size_t n, const eg_real *x, uint32_t *row, eg_real *value)
{
    return active(n, x, row, value);
}

void eg_rows_product(size_t count, const uint32_t *row, const eg_real *a, size_t width,
                     const eg_real *w, eg_real *y)
{
    assert(width % STEP == 0);
    memset(y, 0, width * sizeof *y);
    product(count, row, a, width, w, y);
}

void eg_rows_dots(size_t count, const uint32_t *row, size_t width, const eg_real *w,
                  const eg_real *d, eg_real *out)
{
    assert(width % STEP == 0);
    dots(count, row, width, w, d, out);
}

void eg_rows_descend(const eg_rows_step *step, size_t count, const uint32_t *row, const eg_real *a,
                     size_t width, const eg_real *d, eg_real *w)
{
    assert(width % STEP == 0);
    bool plain = isinf(step->bound) && step->shrink == 1;
    if (plain && step->decay == 0) {
        descend_plain(step, count, row, a, width, d, w);
    } else if (plain) {
        descend_decaying(step, count, row, a, width, d, w);
    } else {
        descend_any(step, count, row, a, width, d, w);
    }
}

void eg_rows_descend_following(eg_real lr, size_t count, const uint32_t *row, const eg_real *a,
                               size_t width, const eg_real *d, eg_real *w, double *sum)
{
    assert(width % STEP == 0);
    descend_following(lr, count, row, a, width, d, w, sum);
}

void eg_rows_outer(size_t count, const eg_real *a, size_t width, const eg_real *d, eg_real *out)
{
    assert(width % STEP == 0);
    outer(count, a, width, d, out);
}
