/** The gradient of a convolution's weights by tiles; see math/convolve_kernel.h.
 *
 *  It is a sum over all pixels of all images. A block of images is taken at a time, and of it
 *  a few inputs and the lanes of one or two panels, copied so that pixels that follow each other in
 *  the sum follow each other in memory:
 *
 *      x   [blocks of inputs][rows][columns][images][EG_TILE_INPUTS]
 *      dy  [panels][rows][columns][images][lanes]
 *
 *  with the columns of x that a tap meets, every s-th one, side by side. A tap then meets a run of
 *  pixels in each row, and those outside of the image are left out.
 *
 *  Inputs are the channels. Where these are few, they are all numbers that a row of the kernel
 *  covers, and x has the columns of y: [rows][out_width][images][kernel_width*channels]. */
#include "math/convolve_kernel.h"

#include <string.h>

enum {
    FEW = 8,       /* channels */
    PLACES = 1536, /* of all images of a block */
    BLOCKS = 4,    /* of inputs, copied at a time */
    PANELS = 2,    /* copied at a time */
    INPUTS = EG_TILE_INPUTS
};

/* How the work is cut. */
typedef struct cut {
    const eg_convolution *c;
    bool merged;    /* a row of the kernel is one tap */
    size_t images;  /* of a block */
    size_t inputs;  /* of a pixel: channels, or a row of the kernel */
    size_t columns; /* of x, copied */
    size_t taps_wide;
    size_t blocks;          /* of inputs */
    size_t x_size, dy_size; /* of a copied block of inputs, of a copied panel */
} cut;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static cut cut_of(const eg_convolution *c)
{
    const size_t places = c->out_height * c->out_width;
    cut out = {.c = c, .merged = c->channels <= FEW};
    out.images = places < PLACES ? PLACES / places : 1;
    out.inputs = out.merged ? c->kernel_width * c->channels : c->channels;
    out.columns = out.merged ? c->out_width : c->width;
    out.taps_wide = out.merged ? 1 : c->kernel_width;
    out.blocks = (out.inputs + INPUTS - 1) / INPUTS;
    out.x_size = c->height * out.columns * out.images * INPUTS;
    out.dy_size = places * out.images * c->lanes;
    return out;
}

size_t eg_convolve_weights_scratch(const eg_convolution *c)
{
    const cut k = cut_of(c);
    return smaller(k.blocks, BLOCKS) * k.x_size +
           smaller(eg_convolve_panels(c), PANELS) * k.dy_size;
}

/* Inputs of block n: equal parts, up to one. */
static size_t first_input(const cut *k, size_t n)
{
    return n * k->inputs / k->blocks;
}

/* Where column w of a copied row stands: columns of the same rest follow each other. */
static size_t column_place(const cut *k, size_t w)
{
    const size_t s = k->c->stride;
    const size_t rest = w % s;
    size_t place = w / s;
    for (size_t r = 0; r < rest; r++) {
        place += (k->c->width - 1 - r) / s + 1;
    }
    return place;
}

/* `count` numbers, of which a copy has room for INPUTS. */
static inline void copy_inputs(size_t count, bool room, const eg_real *restrict from,
                               eg_real *restrict to)
{
    if (room) {
        memcpy(to, from, INPUTS * sizeof *to);
    } else {
        memcpy(to, from, count * sizeof *to);
    }
}

/* Channels of blocks from `first` on, `blocks` of them, of `images` images. */
static void copy_channels(const cut *k, size_t images, size_t first, size_t blocks,
                          const eg_real *x, eg_real *out)
{
    const eg_convolution *c = k->c;
    for (size_t b = 0; b < images; b++) {
        for (size_t h = 0; h < c->height; h++) {
            for (size_t w = 0; w < c->width; w++) {
                const size_t place = ((h * c->width + column_place(k, w)) * images + b) * INPUTS;
                for (size_t n = 0; n < blocks; n++) {
                    const size_t begin = first_input(k, first + n);
                    const size_t count = first_input(k, first + n + 1) - begin;
                    copy_inputs(count, begin + INPUTS <= c->channels, x + begin,
                                out + n * k->x_size + place);
                }
                x += c->channels;
            }
        }
    }
}

/* The numbers under a row of the kernel, from number `begin` on, `count` of them; outside: 0. */
static void copy_edge(const cut *k, size_t j, size_t begin, size_t count, const eg_real *row,
                      eg_real *out)
{
    const eg_convolution *c = k->c;
    for (size_t i = 0; i < count; i++) {
        const size_t column = j * c->stride + (begin + i) / c->channels;
        const bool inside = column >= c->padding && column < c->width + c->padding;
        out[i] = inside ? row[(column - c->padding) * c->channels + (begin + i) % c->channels] : 0;
    }
}

static void copy_merged(const cut *k, size_t images, size_t first, size_t blocks, const eg_real *x,
                        eg_real *out)
{
    const eg_convolution *c = k->c;
    const size_t row_size = c->width * c->channels;
    for (size_t b = 0; b < images; b++) {
        for (size_t h = 0; h < c->height; h++) {
            for (size_t j = 0; j < c->out_width; j++) {
                const size_t place = ((h * c->out_width + j) * images + b) * INPUTS;
                const size_t column = j * c->stride;
                const bool inside =
                    column >= c->padding && column + c->kernel_width <= c->width + c->padding;
                for (size_t n = 0; n < blocks; n++) {
                    const size_t begin = first_input(k, first + n);
                    const size_t count = first_input(k, first + n + 1) - begin;
                    const size_t at = (column - c->padding) * c->channels + begin;
                    if (inside) {
                        copy_inputs(count, at + INPUTS <= row_size, x + at,
                                    out + n * k->x_size + place);
                    } else {
                        copy_edge(k, j, begin, count, x, out + n * k->x_size + place);
                    }
                }
            }
            x += row_size;
        }
    }
}

/* A panel of dy; lanes without a filter become 0. */
static void copy_panel(const cut *k, size_t images, size_t panel, const eg_real *dy, eg_real *out)
{
    const eg_convolution *c = k->c;
    const size_t places = c->out_height * c->out_width;
    const size_t filters = smaller(c->lanes, c->filters - panel * c->lanes);
    dy += panel * c->lanes;
    for (size_t b = 0; b < images; b++) {
        for (size_t i = 0; i < places; i++) {
            eg_real *to = out + (i * images + b) * c->lanes;
            if (filters == EG_CONVOLVE_LANES_MAX) {
                memcpy(to, dy, EG_CONVOLVE_LANES_MAX * sizeof *to);
            } else {
                memcpy(to, dy, filters * sizeof *to);
                memset(to + filters, 0, (c->lanes - filters) * sizeof *to);
            }
            dy += c->filters;
        }
    }
}

/* What a tile reads of dy: a copied panel, or dy itself. */
typedef struct lanes_of_dy {
    const eg_real *first;
    size_t pixel;
} lanes_of_dy;

/* All blocks of inputs under tap (u, v), for one panel. */
static void make_tap(const eg_convolve_kernels *kernels, const cut *k, size_t images, size_t u,
                     size_t v, size_t first, size_t blocks, const eg_real *x, lanes_of_dy dy,
                     bool add, eg_real *dw)
{
    const eg_convolution *c = k->c;
    size_t row = 0;
    size_t rows = 0;
    for (size_t i = 0; i < c->out_height; i++) {
        const size_t h = i * c->stride + u;
        const bool inside = h >= c->padding && h < c->height + c->padding;
        row = inside && rows == 0 ? i : row;
        rows += inside ? 1 : 0;
    }
    size_t column = 0;
    size_t columns = 0;
    for (size_t j = 0; j < c->out_width; j++) {
        const size_t w = j * c->stride + v;
        const bool inside = k->merged || (w >= c->padding && w < c->width + c->padding);
        column = inside && columns == 0 ? j : column;
        columns += inside ? 1 : 0;
    }
    if (rows == 0 || columns == 0) {
        rows = 0;
        columns = 0;
    }
    const size_t h = rows > 0 ? row * c->stride + u - c->padding : 0;
    const size_t w = columns == 0 ? 0
                     : k->merged  ? column
                                  : column_place(k, column * c->stride + v - c->padding);
    eg_outer_tile t = {
        .rows = rows,
        .count = columns * images,
        .x_row = c->stride * k->columns * images * INPUTS,
        .dy = dy.first + (row * c->out_width + column) * images * dy.pixel,
        .dy_row = c->out_width * images * dy.pixel,
        .dy_pixel = dy.pixel,
        .lanes = c->lanes,
        .add = add,
    };
    for (size_t n = 0; n < blocks; n++) {
        const size_t input = first_input(k, first + n);
        t.inputs = first_input(k, first + n + 1) - input;
        t.x = x + n * k->x_size + (h * k->columns + w) * images * INPUTS;
        t.dw = dw + ((u * k->taps_wide + v) * k->inputs + input) * c->lanes;
        kernels->outer(&t);
    }
}

/* One block of images: adds to dw, or begins it. */
static void make_block(const eg_convolve_kernels *kernels, const cut *k, size_t images,
                       const eg_real *x, const eg_real *dy, bool add, eg_real *scratch, eg_real *dw)
{
    const eg_convolution *c = k->c;
    const size_t panels = eg_convolve_panels(c);
    const size_t panel_size = c->kernel_height * k->taps_wide * k->inputs * c->lanes;
    const bool copies = images > 1 || c->filters % c->lanes != 0;
    eg_real *copied = scratch + smaller(k->blocks, BLOCKS) * k->x_size;
    for (size_t p = 0; p < panels; p += PANELS) {
        const size_t last = smaller(panels, p + PANELS);
        for (size_t q = p; copies && q < last; q++) {
            copy_panel(k, images, q, dy, copied + (q - p) * k->dy_size);
        }
        for (size_t n = 0; n < k->blocks; n += BLOCKS) {
            const size_t some = smaller(BLOCKS, k->blocks - n);
            (k->merged ? copy_merged : copy_channels)(k, images, n, some, x, scratch);
            for (size_t q = p; q < last; q++) {
                const lanes_of_dy lanes = {.first = copies ? copied + (q - p) * k->dy_size
                                                           : dy + q * c->lanes,
                                           .pixel = copies ? c->lanes : c->filters};
                for (size_t tap = 0; tap < c->kernel_height * k->taps_wide; tap++) {
                    make_tap(kernels, k, images, tap / k->taps_wide, tap % k->taps_wide, n, some,
                             scratch, lanes, add, dw + q * panel_size);
                }
            }
        }
    }
}

void eg_convolve_weights_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c,
                               size_t batch, const eg_real *x, const eg_real *dy, eg_real *scratch,
                               eg_real *dw)
{
    const cut k = cut_of(c);
    const size_t rounds = (batch + k.images - 1) / k.images;
    for (size_t r = 0; r < rounds; r++) {
        const size_t b = r * batch / rounds;
        const size_t images = (r + 1) * batch / rounds - b;
        make_block(kernels, &k, images, x + b * c->height * c->width * c->channels,
                   dy + b * c->out_height * c->out_width * c->filters, r > 0, scratch, dw);
    }
}
