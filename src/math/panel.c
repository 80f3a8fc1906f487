/** Arithmetic on panels; see math/shared/panel.h. Sums take four rows at a time: fewer loads and
 *  stores of the sum, and smaller rounding errors than one long chain. */
#include "math/shared/panel.h"

#include "engram/sparse.h"
#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>
#include <string.h>

enum { STEP = EG_SPARSE_STEP, NARROW = EG_SPARSE_NARROW };

/* Loops over lanes are made for steps whose length is a constant, `step`: NARROW where the width is
 * that, else STEP. */
#define STEPS __attribute__((always_inline)) static inline

STEPS void sums_by(size_t step, size_t n, size_t width, const eg_real *restrict w,
                   eg_real *restrict sum)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const eg_real *restrict w0 = w + i * width;
        const eg_real *restrict w1 = w0 + width;
        const eg_real *restrict w2 = w1 + width;
        const eg_real *restrict w3 = w2 + width;
        for (size_t s = 0; s < width; s += step) {
            for (size_t l = 0; l < step; l++) {
                sum[s + l] += (w0[s + l] + w1[s + l]) + (w2[s + l] + w3[s + l]);
            }
        }
    }
    for (; i < n; i++) {
        for (size_t l = 0; l < width; l++) {
            sum[l] += w[i * width + l];
        }
    }
}

EG_CLONES static void sums(size_t n, size_t width, const eg_real *restrict w, eg_real *restrict sum)
{
    if (width == NARROW) {
        sums_by(NARROW, n, NARROW, w, sum);
    } else {
        sums_by(STEP, n, width, w, sum);
    }
}

static inline eg_real square(eg_real x)
{
    return x * x;
}

STEPS void squares_by(size_t step, size_t n, size_t width, const eg_real *restrict w,
                      const eg_real *restrict mean, eg_real *restrict sum)
{
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const eg_real *restrict w0 = w + i * width;
        const eg_real *restrict w1 = w0 + width;
        const eg_real *restrict w2 = w1 + width;
        const eg_real *restrict w3 = w2 + width;
        for (size_t s = 0; s < width; s += step) {
            for (size_t l = 0; l < step; l++) {
                eg_real m = mean[s + l];
                sum[s + l] += (square(w0[s + l] - m) + square(w1[s + l] - m)) +
                              (square(w2[s + l] - m) + square(w3[s + l] - m));
            }
        }
    }
    for (; i < n; i++) {
        for (size_t l = 0; l < width; l++) {
            sum[l] += square(w[i * width + l] - mean[l]);
        }
    }
}

EG_CLONES static void squares(size_t n, size_t width, const eg_real *restrict w,
                              const eg_real *restrict mean, eg_real *restrict sum)
{
    if (width == NARROW) {
        squares_by(NARROW, n, NARROW, w, mean, sum);
    } else {
        squares_by(STEP, n, width, w, mean, sum);
    }
}

STEPS void weighted_by(size_t step, size_t n, size_t width, const eg_real *restrict a,
                       const eg_real *restrict w, eg_real *restrict sum)
{
    for (size_t i = 0; i < n; i++) {
        const eg_real *restrict row = w + i * width;
        eg_real factor = a[i];
        for (size_t s = 0; s < width; s += step) {
            for (size_t l = 0; l < step; l++) {
                sum[s + l] += factor * row[s + l];
            }
        }
    }
}

EG_CLONES static void weighted(size_t n, size_t width, const eg_real *restrict a,
                               const eg_real *restrict w, eg_real *restrict sum)
{
    if (width == NARROW) {
        weighted_by(NARROW, n, NARROW, a, w, sum);
    } else {
        weighted_by(STEP, n, width, a, w, sum);
    }
}

STEPS void scale_lanes_by(size_t step, size_t n, size_t width, const eg_real *restrict scale,
                          eg_real *restrict w)
{
    for (size_t i = 0; i < n; i++) {
        eg_real *restrict row = w + i * width;
        for (size_t s = 0; s < width; s += step) {
            for (size_t l = 0; l < step; l++) {
                row[s + l] *= scale[s + l];
            }
        }
    }
}

EG_CLONES static void scale_lanes(size_t n, size_t width, const eg_real *restrict scale,
                                  eg_real *restrict w)
{
    if (width == NARROW) {
        scale_lanes_by(NARROW, n, NARROW, scale, w);
    } else {
        scale_lanes_by(STEP, n, width, scale, w);
    }
}

STEPS void combine_by(size_t step, size_t n, size_t width, const eg_real *restrict scale,
                      const eg_real *restrict offset, const eg_real *restrict slope,
                      const eg_real *restrict w, eg_real *restrict g)
{
    for (size_t i = 0; i < n; i++) {
        const eg_real *restrict from = w + i * width;
        eg_real *restrict row = g + i * width;
        for (size_t s = 0; s < width; s += step) {
            for (size_t l = 0; l < step; l++) {
                row[s + l] = scale[s + l] * row[s + l] + offset[s + l] + slope[s + l] * from[s + l];
            }
        }
    }
}

EG_CLONES static void combine(size_t n, size_t width, const eg_real *restrict scale,
                              const eg_real *restrict offset, const eg_real *restrict slope,
                              const eg_real *restrict w, eg_real *restrict g)
{
    if (width == NARROW) {
        combine_by(NARROW, n, NARROW, scale, offset, slope, w, g);
    } else {
        combine_by(STEP, n, width, scale, offset, slope, w, g);
    }
}

EG_CLONES static void finish(size_t n, size_t width, size_t units, size_t stride,
                             const eg_real *restrict a, const eg_real *restrict row,
                             const eg_real *restrict scale, const eg_real *restrict offset,
                             const eg_real *restrict lanes, eg_real *restrict y)
{
    for (size_t i = 0; i < n; i++) {
        eg_real factor = a[i];
        const eg_real *restrict from = lanes + i * width;
        eg_real *restrict to = y + i * stride;
        for (size_t l = 0; l < units; l++) {
            to[l] = scale[l] * (from[l] + factor * row[l]) + offset[l];
        }
    }
}

EG_CLONES static void collect(size_t n, size_t width, size_t units, size_t stride,
                              const eg_real *restrict dy, const eg_real *restrict y,
                              eg_real *restrict lanes, eg_real *restrict dots,
                              eg_real *restrict total)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t l = 0; l < units; l++) {
            eg_real d = dy[i * stride + l];
            lanes[i * width + l] = d;
            dots[l] += d * y[i * stride + l];
            total[l] += d;
        }
        for (size_t l = units; l < width; l++) {
            lanes[i * width + l] = 0;
        }
    }
}

void eg_panel_sums(size_t n, size_t width, const eg_real *w, eg_real *sum)
{
    assert(width % STEP == 0 || width == NARROW);
    memset(sum, 0, width * sizeof *sum);
    sums(n, width, w, sum);
}

void eg_panel_squares(size_t n, size_t width, const eg_real *w, const eg_real *mean, eg_real *sum)
{
    assert(width % STEP == 0 || width == NARROW);
    memset(sum, 0, width * sizeof *sum);
    squares(n, width, w, mean, sum);
}

void eg_panel_unit(size_t n, size_t width, eg_real least, eg_real *w)
{
    static const eg_real zero[EG_PANEL_WIDTH_MAX];
    eg_real scale[EG_PANEL_WIDTH_MAX];
    assert(width <= EG_PANEL_WIDTH_MAX);
    eg_panel_squares(n, width, w, zero, scale);
    for (size_t l = 0; l < width; l++) {
        eg_real norm = eg_sqrt(scale[l]);
        scale[l] = 1 / (norm < least ? least : norm);
    }
    scale_lanes(n, width, scale, w);
}

void eg_panel_weighted(size_t n, size_t width, const eg_real *a, const eg_real *w, eg_real *sum)
{
    assert(width % STEP == 0 || width == NARROW);
    memset(sum, 0, width * sizeof *sum);
    weighted(n, width, a, w, sum);
}

void eg_panel_combine(size_t n, size_t width, const eg_real *scale, const eg_real *offset,
                      const eg_real *slope, const eg_real *w, eg_real *g)
{
    assert(width % STEP == 0 || width == NARROW);
    combine(n, width, scale, offset, slope, w, g);
}

void eg_panel_finish(size_t n, size_t width, size_t units, size_t stride, const eg_real *a,
                     const eg_real *row, const eg_real *scale, const eg_real *offset,
                     const eg_real *lanes, eg_real *y)
{
    assert(units <= width && units <= stride);
    finish(n, width, units, stride, a, row, scale, offset, lanes, y);
}

void eg_panel_collect(size_t n, size_t width, size_t units, size_t stride, const eg_real *dy,
                      const eg_real *y, eg_real *lanes, eg_real *dots, eg_real *total)
{
    assert(units <= width && units <= stride);
    memset(dots, 0, width * sizeof *dots);
    memset(total, 0, width * sizeof *total);
    collect(n, width, units, stride, dy, y, lanes, dots, total);
}
