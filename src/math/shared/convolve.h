/** Convolutions of images, and their two gradients.
 *
 *      x  [B][height][width][channels]           images
 *      y  [B][out_height][out_width][filters]
 *      w  [panels][kernel_height][kernel_width][channels][lanes]
 *
 *      y(b, i, j, f) = bias(f) + sum_{u, v, c} w(f, u, v, c) x(b, s i + u - p, s j + v - p, c)
 *
 *  with stride s and padding p: x is 0 outside of the image. A panel is `lanes` neighbouring
 *  filters; lanes of the last one without a filter are 0, and so is their gradient. */
#ifndef ENGRAM_MATH_CONVOLVE_H
#define ENGRAM_MATH_CONVOLVE_H

#include "engram/real.h"

#include <stddef.h>

enum { EG_CONVOLVE_LANES_MAX = 32 };

typedef struct eg_convolution {
    size_t height, width, channels;
    size_t out_height, out_width, filters;
    size_t kernel_height, kernel_width, stride, padding;
    size_t lanes; /**< filters of a panel: eg_convolve_lanes(filters) */
} eg_convolution;

/** Filters of a panel. */
size_t eg_convolve_lanes(size_t filters);

static inline size_t eg_convolve_panels(const eg_convolution *c)
{
    return (c->filters + c->lanes - 1) / c->lanes;
}

/** The kernels of this processor: "avx512", "avx2", "plain". The first two give the same bits. */
const char *eg_convolve_kernel(void);

/** Numbers of scratch that each of the three products needs, whatever the batch. */
size_t eg_convolve_scratch(const eg_convolution *c);

/** y from x; bias [panels*lanes], or NULL for none. */
void eg_convolve(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                 const eg_real *bias, eg_real *scratch, eg_real *y);
/** dx from dy; overwrites dx. */
void eg_convolve_input(const eg_convolution *c, size_t batch, const eg_real *dy, const eg_real *w,
                       eg_real *scratch, eg_real *dx);
/** dw from x and dy; overwrites dw. */
void eg_convolve_weights(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *dy,
                         eg_real *scratch, eg_real *dw);
/** sum[f] = sum_{b, i, j} dy(b, i, j, f) of `count` places; sum [panels*lanes]. */
void eg_convolve_bias(const eg_convolution *c, size_t batch, const eg_real *dy, eg_real *sum);

#endif
