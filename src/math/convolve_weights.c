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
    FEW = 4,             /* channels */
    PLACES = 1536,       /* copied of a block of images, of x or of dy, for a lane of a block */
    ONE_PLACES = 400,    /* the same where the kernel is one tap, which uses a copy only once */
    PANEL_PLACES = 4096, /* copied of dy at a time, of several panels, which are */
    PANELS_MIN = 2,
    PANELS_MAX = 8,
    BLOCKS = 4, /* of inputs, copied at a time */
    WIDE = 16,  /* lanes of which all inputs of a block fit into registers; of more: */
    WIDE_INPUTS = 12,
    INPUTS = EG_TILE_INPUTS
};

/* How the work is cut. */
typedef struct cut {
    const eg_convolution *c;
    bool merged;    /* a row of the kernel is one tap */
    size_t images;  /* of a block */
    size_t panels;  /* copied at a time */
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
    const bool one = c->kernel_height * c->kernel_width == 1;
    const size_t places = c->out_height * c->out_width;
    const size_t copied = one ? places : c->height * c->width;
    const size_t largest = copied > places ? copied : places;
    const size_t most = one ? ONE_PLACES : PLACES;
    const size_t inputs = c->lanes <= WIDE ? INPUTS : WIDE_INPUTS;
    cut out = {.c = c, .merged = c->channels <= FEW && !one};
    out.images = largest < most ? most / largest : 1;
    const size_t panels = PANEL_PLACES / (places * out.images);
    out.panels = panels < PANELS_MIN ? PANELS_MIN : smaller(panels, PANELS_MAX);
    out.panels = smaller(eg_convolve_panels(c), out.panels);
    out.inputs = out.merged ? c->kernel_width * c->channels : c->channels;
    out.columns = out.merged ? c->out_width : c->width;
    out.taps_wide = out.merged ? 1 : c->kernel_width;
    out.blocks = (out.inputs + inputs - 1) / inputs;
    out.x_size = c->height * out.columns * out.images * INPUTS;
    out.dy_size = places * out.images * c->lanes;
    return out;
}

size_t eg_convolve_weights_scratch(const eg_convolution *c)
{
    if (eg_convolve_has_windows(c)) {
        return eg_convolve_windows_scratch(c);
    }
    const cut k = cut_of(c);
    return smaller(k.blocks, BLOCKS) * k.x_size + k.panels * k.dy_size;
}

/* Some inputs. */
typedef struct span {
    size_t first, count;
} span;

/* Those of block n: equal parts, up to one. */
static span inputs_of(const cut *k, size_t n)
{
    const size_t first = n * k->inputs / k->blocks;
    return (span){first, (n + 1) * k->inputs / k->blocks - first};
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

/* Whether a tap of so large a kernel meets rows, or columns, of this rest. */
static bool is_met(const eg_convolution *c, size_t rest, size_t kernel)
{
    return (rest + c->padding) % c->stride < kernel;
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

/* The columns of a row that are `rest` when divided by the stride; `out` is where the first of them
 * goes to. */
static void copy_columns(const cut *k, size_t images, const span *spans, size_t blocks, size_t rest,
                         const eg_real *row, eg_real *out)
{
    const eg_convolution *c = k->c;
    for (size_t w = rest; w < c->width; w += c->stride) {
        const eg_real *x = row + w * c->channels;
        for (size_t n = 0; n < blocks; n++) {
            const span part = spans[n];
            copy_inputs(part.count, part.first + INPUTS <= c->channels, x + part.first,
                        out + n * k->x_size);
        }
        out += images * INPUTS;
    }
}

/* Channels, of `images` images. What no tap meets is left out. */
static void copy_channels(const cut *k, size_t images, const span *spans, size_t blocks,
                          const eg_real *x, eg_real *out)
{
    const eg_convolution *c = k->c;
    for (size_t b = 0; b < images; b++) {
        for (size_t h = 0; h < c->height; h++) {
            const eg_real *row = x + (b * c->height + h) * c->width * c->channels;
            for (size_t rest = 0; is_met(c, h, c->kernel_height) && rest < c->stride; rest++) {
                const size_t place = (h * c->width + column_place(k, rest)) * images + b;
                if (rest < c->width && is_met(c, rest, c->kernel_width)) {
                    copy_columns(k, images, spans, blocks, rest, row, out + place * INPUTS);
                }
            }
        }
    }
}

/* Some of the numbers under a row of the kernel; outside: 0. */
static void copy_edge(const cut *k, size_t j, span part, const eg_real *row, eg_real *out)
{
    const eg_convolution *c = k->c;
    for (size_t i = 0; i < part.count; i++) {
        const size_t column = j * c->stride + (part.first + i) / c->channels;
        const bool inside = column >= c->padding && column < c->width + c->padding;
        out[i] =
            inside ? row[(column - c->padding) * c->channels + (part.first + i) % c->channels] : 0;
    }
}

static void copy_merged(const cut *k, size_t images, const span *spans, size_t blocks,
                        const eg_real *x, eg_real *out)
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
                    const span part = spans[n];
                    const size_t at = (column - c->padding) * c->channels + part.first;
                    if (inside) {
                        copy_inputs(part.count, at + INPUTS <= row_size, x + at,
                                    out + n * k->x_size + place);
                    } else {
                        copy_edge(k, j, part, x, out + n * k->x_size + place);
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
                     size_t v, const span *spans, size_t blocks, const eg_real *x, lanes_of_dy dy,
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
        t.inputs = spans[n].count;
        t.x = x + n * k->x_size + (h * k->columns + w) * images * INPUTS;
        t.dw = dw + ((u * k->taps_wide + v) * k->inputs + spans[n].first) * c->lanes;
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
    for (size_t p = 0; p < panels; p += k->panels) {
        const size_t last = smaller(panels, p + k->panels);
        for (size_t q = p; copies && q < last; q++) {
            copy_panel(k, images, q, dy, copied + (q - p) * k->dy_size);
        }
        for (size_t n = 0; n < k->blocks; n += BLOCKS) {
            const size_t some = smaller(BLOCKS, k->blocks - n);
            span spans[BLOCKS];
            for (size_t i = 0; i < some; i++) {
                spans[i] = inputs_of(k, n + i);
            }
            (k->merged ? copy_merged : copy_channels)(k, images, spans, some, x, scratch);
            for (size_t q = p; q < last; q++) {
                const lanes_of_dy lanes = {.first = copies ? copied + (q - p) * k->dy_size
                                                           : dy + q * c->lanes,
                                           .pixel = copies ? c->lanes : c->filters};
                for (size_t tap = 0; tap < c->kernel_height * k->taps_wide; tap++) {
                    make_tap(kernels, k, images, tap / k->taps_wide, tap % k->taps_wide, spans,
                             some, scratch, lanes, add, dw + q * panel_size);
                }
            }
        }
    }
}

void eg_convolve_weights_tiled(const eg_convolve_kernels *kernels, const eg_convolution *c,
                               size_t batch, const eg_real *x, const eg_real *dy, eg_real *scratch,
                               eg_real *dw)
{
    if (eg_convolve_has_windows(c)) {
        eg_convolve_windows(kernels, c, batch, x, dy, scratch, dw);
        return;
    }
    const cut k = cut_of(c);
    const size_t rounds = (batch + k.images - 1) / k.images;
    for (size_t r = 0; r < rounds; r++) {
        const size_t b = r * batch / rounds;
        const size_t images = (r + 1) * batch / rounds - b;
        make_block(kernels, &k, images, x + b * c->height * c->width * c->channels,
                   dy + b * c->out_height * c->out_width * c->filters, r > 0, scratch, dw);
    }
}
