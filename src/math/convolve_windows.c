/** The gradient of the weights of a few filters, with a stride of 1; see eg_window_tile.
 *
 *  dy is copied a block of images at a time, its lanes side by side and with so many columns of
 *  zeros around that every pixel of x meets a full window:
 *
 *      dy  [images][out_height][width + kernel_width - 1][lanes]
 *
 *  Column w of x is under tap v at output w + padding - v: the window of w begins with the last
 *  tap. */
#include "math/convolve_kernel.h"

#include <string.h>

enum { PLACES = 1536 /* of all images of a block */ };

bool eg_convolve_has_windows(const eg_convolution *c)
{
    return eg_convolve_panels(c) == 1 && c->stride == 1 && c->padding < c->kernel_width &&
           c->kernel_width > 1 && c->kernel_width * c->lanes <= EG_WINDOW_MAX;
}

static size_t columns_of(const eg_convolution *c)
{
    return c->width + c->kernel_width - 1;
}

static size_t images_at_once(const eg_convolution *c)
{
    const size_t places = c->out_height * columns_of(c);
    return places < PLACES ? PLACES / places : 1;
}

size_t eg_convolve_windows_scratch(const eg_convolution *c)
{
    /* The last windows are read as whole registers. */
    return images_at_once(c) * c->out_height * columns_of(c) * c->lanes + EG_WINDOW_MAX;
}

static void copy_row(const eg_convolution *c, const eg_real *dy, eg_real *out)
{
    if (c->filters == c->lanes) {
        memcpy(out, dy, c->out_width * c->lanes * sizeof *out);
        return;
    }
    for (size_t j = 0; j < c->out_width; j++) {
        for (size_t l = 0; l < c->lanes; l++) {
            out[j * c->lanes + l] = l < c->filters ? dy[j * c->filters + l] : 0;
        }
    }
}

static void copy_lanes(const eg_convolution *c, size_t images, const eg_real *dy, eg_real *out)
{
    const size_t around = c->kernel_width - 1 - c->padding;
    for (size_t i = 0; i < images * c->out_height; i++) {
        memset(out, 0, around * c->lanes * sizeof *out);
        out += around * c->lanes;
        copy_row(c, dy, out);
        dy += c->out_width * c->filters;
        out += c->out_width * c->lanes;
        memset(out, 0, around * c->lanes * sizeof *out);
        out += around * c->lanes;
    }
    memset(out, 0, EG_WINDOW_MAX * sizeof *out);
}

/* The weights of row u of the kernel, for inputs from `first` on. */
static void make_row(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t images,
                     size_t u, size_t first, const eg_real *x, const eg_real *dy, bool add,
                     eg_real *dw)
{
    eg_real sum[EG_WINDOW_INPUTS * EG_WINDOW_MAX] = {0};
    const size_t begin =
        u < c->padding ? c->padding - u : 0; /* outputs i whose row i + u is inside */
    const size_t room = c->height + c->padding > u ? c->height + c->padding - u : 0;
    const size_t end = room < c->out_height ? room : c->out_height;
    const size_t left = c->channels - first;
    const eg_window_tile t = {
        .inputs = left < EG_WINDOW_INPUTS ? left : EG_WINDOW_INPUTS,
        .window = c->kernel_width * c->lanes,
        .images = images,
        .rows = begin < end ? end - begin : 0,
        .count = c->width,
        .x = x + (begin < end ? begin + u - c->padding : 0) * c->width * c->channels + first,
        .x_image = c->height * c->width * c->channels,
        .x_row = c->width * c->channels,
        .x_pixel = c->channels,
        .dy = dy + (begin < end ? begin : 0) * columns_of(c) * c->lanes,
        .dy_image = c->out_height * columns_of(c) * c->lanes,
        .dy_row = columns_of(c) * c->lanes,
        .lanes = c->lanes,
        .sum = sum,
    };
    kernels->window(&t);
    for (size_t v = 0; v < c->kernel_width; v++) {
        for (size_t k = 0; k < t.inputs; k++) {
            const eg_real *from = sum + k * EG_WINDOW_MAX + (c->kernel_width - 1 - v) * c->lanes;
            eg_real *to = dw + ((u * c->kernel_width + v) * c->channels + first + k) * c->lanes;
            for (size_t l = 0; l < c->lanes; l++) {
                to[l] = add ? to[l] + from[l] : from[l];
            }
        }
    }
}

void eg_convolve_windows(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                         const eg_real *x, const eg_real *dy, eg_real *scratch, eg_real *dw)
{
    const size_t some = images_at_once(c);
    const size_t image = c->height * c->width * c->channels;
    const size_t output = c->out_height * c->out_width * c->filters;
    for (size_t b = 0; b < batch; b += some) {
        const size_t images = batch - b < some ? batch - b : some;
        copy_lanes(c, images, dy + b * output, scratch);
        for (size_t u = 0; u < c->kernel_height; u++) {
            for (size_t first = 0; first < c->channels; first += EG_WINDOW_INPUTS) {
                make_row(kernels, c, images, u, first, x + b * image, scratch, b > 0, dw);
            }
        }
    }
}
