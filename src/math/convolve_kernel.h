/** The kernels behind math/shared/convolve.h: the reference, and tiles for vector registers. */
#ifndef ENGRAM_MATH_CONVOLVE_KERNEL_H
#define ENGRAM_MATH_CONVOLVE_KERNEL_H

#include "math/shared/convolve.h"

#include <stdbool.h>
#include <stdint.h>

/* The reference: for every processor, and in double for gradient checks. */

void eg_convolve_plain(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                       const eg_real *bias, eg_real *y);
void eg_convolve_input_plain(const eg_convolution *c, size_t batch, const eg_real *dy,
                             const eg_real *w, eg_real *dx);
void eg_convolve_weights_plain(const eg_convolution *c, size_t batch, const eg_real *x,
                               const eg_real *dy, eg_real *dw);

/** The taps u of a kernel that lie inside of an image of `size` for output i:
 *  begin <= u < end. */
typedef struct eg_taps {
    size_t begin, end;
} eg_taps;

static inline eg_taps eg_taps_of(const eg_convolution *c, size_t i, size_t kernel, size_t size)
{
    const size_t at = i * c->stride; /* of tap u: at + u - padding */
    size_t begin = at < c->padding ? c->padding - at : 0;
    const size_t room = size + c->padding > at ? size + c->padding - at : 0;
    const size_t end = room < kernel ? room : kernel;
    begin = begin < end ? begin : end;
    return (eg_taps){begin, end};
}

enum {
    EG_TILE_PIXELS = 4,  /**< neighbours in a row */
    EG_TILE_IMAGES = 3,  /**< images side by side */
    EG_TILE_INPUTS = 16, /**< rows of a tile of weights */
    EG_WINDOW_INPUTS = 8,
    EG_WINDOW_MAX = 48,
    EG_PIECE = 16,        /**< numbers that are added together */
    EG_PIECES_MAX = 12,   /**< at a time */
    EG_PIECE_ROWS = 1024, /**< of a window that convolve_listed.c takes */
    EG_TAPS = 3           /**< along a side of the kernels that convolve_skipping.c takes */
};

/** Outputs of neighbouring pixels of a row, in `images` images, for one panel:
 *
 *      y(g, p, l) = bias(l) + sum_{u < rows, v < columns, c < channels}
 *                       w(u, v, c, l) x(g, first + u x_row + (v + stride p) channels + c)
 *
 *  without the taps at which column + v + stride p lies outside of 0 … width-1. A number's sum goes
 *  through u, v, c in this order, one fused multiply-add after the other, in every kernel. */
typedef struct eg_tile {
    size_t images, pixels; /**< up to EG_TILE_IMAGES, EG_TILE_PIXELS */
    size_t rows, columns, channels, stride;
    ptrdiff_t column; /**< of the image, at tap 0 of pixel 0 */
    size_t width;
    const eg_real *x;
    ptrdiff_t first;       /**< in x, of tap (0, 0) of pixel 0; may lie outside */
    size_t x_row, x_image; /**< from one to the next */
    const eg_real *w;      /**< [rows][columns][channels][lanes] */
    size_t lanes, filters; /**< of the panel; of them stored */
    const eg_real *bias;   /**< [lanes], or NULL */
    eg_real *y;
    size_t y_pixel, y_image;
} eg_tile;

/** A tile of the gradient of a panel's weights:
 *
 *      dw(k, l) (+)= sum_{r < rows, n < count} x(r x_row + n EG_TILE_INPUTS + k)
 *                                              dy(r dy_row + n dy_pixel + l)
 *
 *  for k < inputs and all lanes l, in the order of r and n, one fused multiply-add after the other,
 *  in every kernel. */
typedef struct eg_outer_tile {
    size_t inputs; /**< up to EG_TILE_INPUTS */
    size_t rows, count;
    const eg_real *x;
    size_t x_row;
    const eg_real *dy;
    size_t dy_row, dy_pixel;
    size_t lanes;
    eg_real *dw; /**< [inputs][lanes] */
    bool add;    /**< to what is there */
} eg_outer_tile;

/** A tile of the gradient of a few filters' weights: those of a row of taps, for a few inputs. A
 *  pixel of x meets `lanes` of dy under each tap, and those stand one after the other, so what it
 *  meets under all of them is a window of dy:
 *
 *      sum(k, m) = sum_{b < images, r < rows, n < count}
 *                      x(b x_image + r x_row + n x_pixel + k)
 *                      dy(b dy_image + r dy_row + n lanes + m)
 *
 *  for k < inputs, m < window, in the order of b, r and n, one fused multiply-add after the other,
 *  in every kernel. EG_WINDOW_MAX numbers of dy may be read at every place, and be written of a
 *  row of sum. */
typedef struct eg_window_tile {
    size_t inputs; /**< up to EG_WINDOW_INPUTS */
    size_t window; /**< up to EG_WINDOW_MAX, a multiple of 8 */
    size_t images, rows, count;
    const eg_real *x;
    size_t x_image, x_row, x_pixel;
    const eg_real *dy;
    size_t dy_image, dy_row, lanes;
    eg_real *sum; /**< [inputs][EG_WINDOW_MAX] */
} eg_window_tile;

/** A row of pixels, and what they add to up to EG_TAPS rows of outputs, for one panel, under a
 *  kernel of EG_TAPS x EG_TAPS with a stride and a padding of 1:
 *
 *      to(r, j, l) = from(r, j, l) + sum_{i, k} x(i, k) w(k, r, j - i + 1, l)
 *
 *  for r < rows, j < columns, all lanes l, and the i from j - 1 to j + 1 that are inside, in the
 *  order of i and k, one fused multiply-add after the other, without the x that are 0. `from` may
 *  be `to`. */
typedef struct eg_skipping_row {
    size_t rows;            /**< up to EG_TAPS */
    size_t columns, count;  /**< pixels, numbers of each */
    const eg_real *x;       /**< [columns][count] */
    const eg_real *w;       /**< of number 0, row 0, tap 0, lane 0 */
    size_t w_number, lanes; /**< from a number to the next; from a tap to the next: 16 or 32 */
    const eg_real *from[EG_TAPS];
    size_t from_pixel[EG_TAPS];
    eg_real *to[EG_TAPS];
    size_t to_pixel;
} eg_skipping_row;

/** Numbers that are not 0, and where they belong. */
typedef struct eg_entries {
    eg_real *value;
    uint32_t *at;
} eg_entries;

/** Sums over a list:
 *
 *      to(to_at[i] + l) += sum_{e < count} value[e] from(at[e] + from_at[i] + l)
 *
 *  for i < pieces, l < EG_PIECE, in the order of e, one fused multiply-add after the other, in
 *  every kernel. */
typedef struct eg_listed_tile {
    size_t pieces; /**< up to EG_PIECES_MAX */
    const eg_real *from;
    const size_t *from_at; /**< [pieces] */
    size_t count;
    eg_entries entry; /**< [count] */
    eg_real *to;
    const size_t *to_at; /**< [pieces] */
} eg_listed_tile;

/** Tiles for one kind of processor. */
typedef struct eg_convolve_kernels {
    const char *name; /**< "avx512" */
    void (*tile)(const eg_tile *tile);
    void (*outer)(const eg_outer_tile *tile);
    void (*window)(const eg_window_tile *tile);
    void (*listed)(const eg_listed_tile *tile);
    void (*skipping)(const eg_skipping_row *row);
    /** out [count]: those of x [n] that are not 0 (NaN is not), in their order, with their number
     *  in x. EG_PIECE more may be written. */
    size_t (*nonzero)(size_t n, const eg_real *x, const eg_entries *out);
} eg_convolve_kernels;

/** NULL where this processor, or this build, has none. */
const eg_convolve_kernels *eg_convolve_avx512(void);
const eg_convolve_kernels *eg_convolve_avx2(void);

/* The drivers: the same blocks for all kernels, so that these give the same bits. */

size_t eg_convolve_tiled_scratch(const eg_convolution *c);
void eg_convolve_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                       const eg_real *x, const eg_real *w, const eg_real *bias, eg_real *y);
void eg_convolve_input_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c,
                             size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                             eg_real *dx);
size_t eg_convolve_weights_scratch(const eg_convolution *c);
/** The gradients where most of dy is 0, and whether this is so; see convolve_listed.c. */
bool eg_convolve_listed_pays(const eg_convolution *c, size_t batch, const eg_real *dy);
size_t eg_convolve_listed_scratch(const eg_convolution *c);
void eg_convolve_input_listed(const eg_convolve_kernels *kernels, const eg_convolution *c,
                              size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                              eg_real *dx);
void eg_convolve_weights_listed(const eg_convolve_kernels *kernels, const eg_convolution *c,
                                size_t batch, const eg_real *x, const eg_real *dy, eg_real *scratch,
                                eg_real *dw);
/** Convolutions and the gradient of their inputs where much of what is read is 0, and whether
 *  this is so, of x and of dy; see convolve_skipping.c. The same bits as by tiles. */
bool eg_convolve_skipping_pays(const eg_convolution *c, size_t batch, const eg_real *x);
bool eg_convolve_input_skipping_pays(const eg_convolution *c, size_t batch, const eg_real *dy);
size_t eg_convolve_skipping_scratch(const eg_convolution *c);
void eg_convolve_skipping(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                          const eg_real *x, const eg_real *w, const eg_real *bias, eg_real *scratch,
                          eg_real *y);
void eg_convolve_input_skipping(const eg_convolve_kernels *kernels, const eg_convolution *c,
                                size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                                eg_real *dx);
/** The same gradient where it is a window; see convolve_windows.c. */
bool eg_convolve_has_windows(const eg_convolution *c);
size_t eg_convolve_windows_scratch(const eg_convolution *c);
void eg_convolve_windows(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                         const eg_real *x, const eg_real *dy, eg_real *scratch, eg_real *dw);
void eg_convolve_weights_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c,
                               size_t batch, const eg_real *x, const eg_real *dy, eg_real *scratch,
                               eg_real *dw);

#endif
