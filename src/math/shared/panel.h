/** Arithmetic on panels: matrices [n][width] whose columns, the lanes, are on their own, so that
 *  every loop vectorises over lanes and gives the same bits for every instruction set. width is a
 *  multiple of EG_SPARSE_STEP, or EG_SPARSE_NARROW. Arrays must not overlap. */
#ifndef ENGRAM_MATH_PANEL_H
#define ENGRAM_MATH_PANEL_H

#include "engram/real.h"

#include <stddef.h>

/** sum[l] = sum_i w[i][l] */
void eg_panel_sums(size_t n, size_t width, const eg_real *w, eg_real *sum);

/** sum[l] = sum_i (w[i][l] - mean[l])^2 */
void eg_panel_squares(size_t n, size_t width, const eg_real *w, const eg_real *mean, eg_real *sum);

/** Divides each lane by its norm, floored at `least`. width is at most EG_PANEL_WIDTH_MAX. */
enum { EG_PANEL_WIDTH_MAX = 64 };
void eg_panel_unit(size_t n, size_t width, eg_real least, eg_real *w);

/** sum[l] = sum_i a[i] w[i][l] */
void eg_panel_weighted(size_t n, size_t width, const eg_real *a, const eg_real *w, eg_real *sum);

/** g[i][l] = scale[l] g[i][l] + offset[l] + slope[l] w[i][l] */
void eg_panel_combine(size_t n, size_t width, const eg_real *scale, const eg_real *offset,
                      const eg_real *slope, const eg_real *w, eg_real *g);

/** y[i][l] = scale[l] (lanes[i][l] + a[i] row[l]) + offset[l] for the first `units` lanes; y is
 *  [n][stride]. */
void eg_panel_finish(size_t n, size_t width, size_t units, size_t stride, const eg_real *a,
                     const eg_real *row, const eg_real *scale, const eg_real *offset,
                     const eg_real *lanes, eg_real *y);

/** Copies `units` columns of dy [n][stride] into lanes, 0 into the others, and fills per lane
 *  dots[l] = sum_i dy[i][l] y[i][l], sums[l] = sum_i dy[i][l]; y is laid out as dy. */
void eg_panel_collect(size_t n, size_t width, size_t units, size_t stride, const eg_real *dy,
                      const eg_real *y, eg_real *lanes, eg_real *dots, eg_real *sums);

#endif
