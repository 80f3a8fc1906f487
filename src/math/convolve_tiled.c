/** Convolutions, and the gradient of their inputs, by tiles; see math/convolve_kernel.h.
 *
 *  Both are the same sum over the taps of a kernel. The gradient of the inputs runs over dy, and
 *  with a stride of s over s*s of them: inputs whose rows, and columns, leave the same rest when
 *  divided by s are reached by the same taps, and these are as dense there as those of stride 1.
 *  For it, weights are transposed into scratch, a few panels of channels at a time.
 *
 *  Taps outside of the image are left out, not multiplied by 0. */
#include "math/convolve_kernel.h"

#include <string.h>

enum {
    IMAGES_SIZE = 96 * 1024, /* numbers read over and over: part of the second-level cache */
    WEIGHTS_SIZE = 160 * 1024,
    FEW_WEIGHTS = 6 * 1024 /* half of the first-level cache */
};

/* out(b, i, j, f) = sum_{u, v, c} w(f, u, v, c) in(b, s i + u - top, s j + v - left, c) */
typedef struct correlation {
    size_t height, width, channels; /* of images read */
    size_t rows, columns, filters;  /* of outputs */
    size_t taps_high, taps_wide, stride;
    ptrdiff_t top, left;
    size_t lanes;
    size_t y_row, y_pixel, y_image; /* from one to the next */
} correlation;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The outputs of row i from column `column` on, of some images, for one panel. */
static void fill_tile(const correlation *c, size_t i, eg_tile *t)
{
    const ptrdiff_t row = (ptrdiff_t)(i * c->stride) - c->top; /* of tap 0 */
    const ptrdiff_t room = (ptrdiff_t)c->height - row;
    const ptrdiff_t begin = row < 0 ? -row : 0;
    const ptrdiff_t end = room < (ptrdiff_t)c->taps_high ? room : (ptrdiff_t)c->taps_high;
    t->rows = begin < end ? (size_t)(end - begin) : 0;
    t->first =
        (row + begin) * (ptrdiff_t)(c->width * c->channels) - c->left * (ptrdiff_t)c->channels;
    t->w += (size_t)(t->rows > 0 ? begin : 0) * c->taps_wide * c->channels * c->lanes;
}

/* Rows begin … end-1. */
static void make_rows(const eg_convolve_kernels *kernels, const correlation *c, const eg_tile *form,
                      size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        eg_tile t = *form;
        fill_tile(c, i, &t);
        t.y += i * c->y_row;
        for (size_t j = 0; j < c->columns; j += EG_TILE_PIXELS) {
            t.pixels = smaller(EG_TILE_PIXELS, c->columns - j);
            t.column = (ptrdiff_t)(j * c->stride) - c->left;
            kernels->tile(&t);
            t.first += (ptrdiff_t)(EG_TILE_PIXELS * c->stride * c->channels);
            t.y += EG_TILE_PIXELS * c->y_pixel;
        }
    }
}

/* What is made of some images: panels from `first` on; w begins with that panel. */
typedef struct job {
    const correlation *c;
    size_t images, first, panels;
    const eg_real *x, *w, *bias;
    eg_real *y;
} job;

/* What all tiles of a few images from b on have in common, for the job's panel p. */
static eg_tile tile_of(const job *all, size_t b, size_t p)
{
    const correlation *c = all->c;
    const size_t filter = (all->first + p) * c->lanes;
    const size_t image_size = c->height * c->width * c->channels;
    return (eg_tile){
        .images = smaller(EG_TILE_IMAGES, all->images - b),
        .columns = c->taps_wide,
        .channels = c->channels,
        .stride = c->stride,
        .width = c->width,
        .x = all->x + b * image_size,
        .x_row = c->width * c->channels,
        .x_image = image_size,
        .w = all->w + p * c->taps_high * c->taps_wide * c->channels * c->lanes,
        .lanes = c->lanes,
        .filters = smaller(c->lanes, c->filters - filter),
        .bias = all->bias != NULL ? all->bias + filter : NULL,
        .y = all->y + b * c->y_image + filter,
        .y_pixel = c->y_pixel,
        .y_image = c->y_image,
    };
}

/* Weights that fit into the first-level cache are taken for every row of outputs, so that these are
 * written one after the other; others as seldom as may be. */
static void make_images(const eg_convolve_kernels *kernels, const job *all)
{
    const correlation *c = all->c;
    const size_t weights = all->panels * c->taps_high * c->taps_wide * c->channels * c->lanes;
    if (weights <= FEW_WEIGHTS) {
        for (size_t b = 0; b < all->images; b += EG_TILE_IMAGES) {
            for (size_t i = 0; i < c->rows; i++) {
                for (size_t p = 0; p < all->panels; p++) {
                    const eg_tile form = tile_of(all, b, p);
                    make_rows(kernels, c, &form, i, i + 1);
                }
            }
        }
        return;
    }
    for (size_t p = 0; p < all->panels; p++) {
        for (size_t b = 0; b < all->images; b += EG_TILE_IMAGES) {
            const eg_tile form = tile_of(all, b, p);
            make_rows(kernels, c, &form, 0, c->rows);
        }
    }
}

/* Images taken at a time. */
static size_t images_at_once(const correlation *c, size_t batch)
{
    const size_t images = IMAGES_SIZE / (c->height * c->width * c->channels);
    return smaller(batch, images < EG_TILE_IMAGES ? EG_TILE_IMAGES
                                                  : images / EG_TILE_IMAGES * EG_TILE_IMAGES);
}

void eg_convolve_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                       const eg_real *x, const eg_real *w, const eg_real *bias, eg_real *y)
{
    const correlation forward = {
        .height = c->height,
        .width = c->width,
        .channels = c->channels,
        .rows = c->out_height,
        .columns = c->out_width,
        .filters = c->filters,
        .taps_high = c->kernel_height,
        .taps_wide = c->kernel_width,
        .stride = c->stride,
        .top = (ptrdiff_t)c->padding,
        .left = (ptrdiff_t)c->padding,
        .lanes = c->lanes,
        .y_row = c->out_width * c->filters,
        .y_pixel = c->filters,
        .y_image = c->out_height * c->out_width * c->filters,
    };
    const size_t some = images_at_once(&forward, batch);
    for (size_t b = 0; b < batch; b += some) {
        const job some_images = {.c = &forward,
                                 .images = smaller(some, batch - b),
                                 .panels = eg_convolve_panels(c),
                                 .x = x + b * c->height * c->width * c->channels,
                                 .w = w,
                                 .bias = bias,
                                 .y = y + b * forward.y_image};
        make_images(kernels, &some_images);
    }
}

/* The gradient of the inputs. */

/* Taps that reach inputs of one rest, along one side of the kernel: first, first + s, …. */
typedef struct comb {
    size_t first, count;
    size_t inputs;    /* of this rest */
    ptrdiff_t before; /* output of input i under tap t, in the order of outputs: i + t - before */
} comb;

static comb comb_of(size_t rest, size_t size, size_t kernel, size_t stride, size_t padding)
{
    const size_t first = (rest + padding) % stride;
    comb out = {.first = first};
    out.count = first < kernel ? (kernel - 1 - first) / stride + 1 : 0;
    out.inputs = rest < size ? (size - 1 - rest) / stride + 1 : 0;
    out.before = (ptrdiff_t)out.count - 1 - (ptrdiff_t)((rest + padding - first) / stride);
    return out;
}

/* Panels of channels whose transposed weights are in scratch at a time. */
static size_t panels_at_once(const eg_convolution *c, size_t panel_size)
{
    const size_t lanes = eg_convolve_lanes(c->channels);
    const size_t panels = (c->channels + lanes - 1) / lanes;
    const size_t some = WEIGHTS_SIZE / panel_size;
    return smaller(panels, some > 0 ? some : 1);
}

static size_t transposed_size(const eg_convolution *c)
{
    return c->kernel_height * c->kernel_width * c->filters * eg_convolve_lanes(c->channels);
}

size_t eg_convolve_tiled_scratch(const eg_convolution *c)
{
    const size_t size = transposed_size(c);
    return size * panels_at_once(c, size);
}

/* out [filters][lanes] from the weights of one tap, for channels from `channel` on. */
static void transpose_tap(const eg_convolution *c, size_t tap, size_t channel, size_t lanes,
                          const eg_real *w, eg_real *out)
{
    const size_t taps = c->kernel_height * c->kernel_width;
    const size_t channels = smaller(lanes, c->channels - channel);
    for (size_t f = 0; f < c->filters; f += c->lanes) {
        const size_t filters = smaller(c->lanes, c->filters - f);
        const eg_real *from = w + ((f / c->lanes * taps + tap) * c->channels + channel) * c->lanes;
        for (size_t l = 0; l < filters; l++) {
            for (size_t k = 0; k < channels; k++) {
                out[k] = from[k * c->lanes + l];
            }
            for (size_t k = channels; k < lanes; k++) {
                out[k] = 0;
            }
            out += lanes;
        }
    }
}

/* The weights of the combs' taps, in the order of the outputs that they lead to. */
static void transpose_panel(const eg_convolution *c, const comb *high, const comb *wide,
                            size_t channel, size_t lanes, const eg_real *w, eg_real *out)
{
    for (size_t u = high->count; u-- > 0;) {
        for (size_t v = wide->count; v-- > 0;) {
            const size_t row = high->first + u * c->stride;
            const size_t column = wide->first + v * c->stride;
            transpose_tap(c, row * c->kernel_width + column, channel, lanes, w, out);
            out += c->filters * lanes;
        }
    }
}

static correlation back_of(const eg_convolution *c, const comb *high, const comb *wide)
{
    return (correlation){
        .height = c->out_height,
        .width = c->out_width,
        .channels = c->filters,
        .rows = high->inputs,
        .columns = wide->inputs,
        .filters = c->channels,
        .taps_high = high->count,
        .taps_wide = wide->count,
        .stride = 1,
        .top = high->before,
        .left = wide->before,
        .lanes = eg_convolve_lanes(c->channels),
        .y_row = c->stride * c->width * c->channels,
        .y_pixel = c->stride * c->channels,
        .y_image = c->height * c->width * c->channels,
    };
}

/* Some panels of channels, from `first` on: for every rest, transposes and makes all images. */
static void make_inputs(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                        size_t first, size_t panels, const eg_real *dy, const eg_real *w,
                        eg_real *scratch, eg_real *dx)
{
    for (size_t rest = 0; rest < c->stride * c->stride; rest++) {
        const size_t a = rest / c->stride;
        const size_t b = rest % c->stride;
        const comb high = comb_of(a, c->height, c->kernel_height, c->stride, c->padding);
        const comb wide = comb_of(b, c->width, c->kernel_width, c->stride, c->padding);
        const correlation back = back_of(c, &high, &wide);
        const size_t size = high.count * wide.count * c->filters * back.lanes;
        for (size_t p = 0; p < panels; p++) {
            transpose_panel(c, &high, &wide, (first + p) * back.lanes, back.lanes, w,
                            scratch + p * size);
        }
        const size_t some = images_at_once(&back, batch);
        const size_t place = (a * c->width + b) * c->channels;
        for (size_t n = 0; n < batch; n += some) {
            const job some_images = {.c = &back,
                                     .images = smaller(some, batch - n),
                                     .first = first,
                                     .panels = panels,
                                     .x = dy + n * c->out_height * c->out_width * c->filters,
                                     .w = scratch,
                                     .y = dx + n * back.y_image + place};
            make_images(kernels, &some_images);
        }
    }
}

void eg_convolve_input_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c,
                             size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                             eg_real *dx)
{
    const size_t lanes = eg_convolve_lanes(c->channels);
    const size_t panels = (c->channels + lanes - 1) / lanes;
    const size_t some = panels_at_once(c, transposed_size(c));
    for (size_t p = 0; p < panels; p += some) {
        make_inputs(kernels, c, batch, p, smaller(some, panels - p), dy, w, scratch, dx);
    }
}
