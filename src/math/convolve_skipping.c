/** Convolutions, and the gradient of their inputs, where much of what they read is 0, as behind a
 *  rectifier; see eg_skipping_row in math/convolve_kernel.h. For kernels of 3x3 with a stride and a
 *  padding of 1, in registers of AVX-512 at their best.
 *
 *  Sums grow in the outputs, or where a panel has lanes without a filter in scratch: row after row
 *  of x is added to the rows that it reaches, so numbers are added in the same order as by tiles. A
 *  row is added to three rows of outputs at a time where the weights of a panel stay in the
 *  first-level cache, else to one, and a pass over some images is made for each.
 *
 *  Weights are copied panel by panel: w [numbers of a pixel][row reached][column reached][lanes] */
#include "math/convolve_kernel.h"
#include "math/shared/clones.h"

#include <string.h>

enum {
    TAPS = EG_TAPS,
    NARROW = 16,
    LANES = EG_CONVOLVE_LANES_MAX,
    NEAR = 6 * 1024, /* numbers of weights for which all rows are reached at once */
    PLACES = 1024,   /* of the images of a pass */
    SAMPLE = 8       /* what is 0 is counted in one of so many images */
};

static const double tiles_waste = 1.1; /* what tiles take over their multiply-adds */
static const double overhead = 3.5;    /* of a number, in multiply-adds */
static const double part_max = 0.7;

/* Which of the two products: x is read forward, dy for the gradient. */
typedef struct product {
    const eg_convolution *c;
    bool back;
    size_t count, filters; /* numbers of a pixel that is read, and of one that is made */
    const eg_real *w, *bias;
} product;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static product product_of(const eg_convolution *c, bool back)
{
    return (product){.c = c,
                     .back = back,
                     .count = back ? c->filters : c->channels,
                     .filters = back ? c->channels : c->filters};
}

static bool fits(const eg_convolution *c)
{
    return c->kernel_height == TAPS && c->kernel_width == TAPS && c->stride == 1 && c->padding == 1;
}

/* Of the panel that begins with filter `first`. */
static size_t lanes_of(const product *p, size_t first)
{
    return p->filters - first > NARROW ? LANES : NARROW;
}

static size_t images_at_once(const eg_convolution *c)
{
    const size_t places = c->height * c->width;
    return places < PLACES ? PLACES / places : 1;
}

static size_t weights_size(const product *p)
{
    return p->count * TAPS * TAPS * lanes_of(p, 0);
}

size_t eg_convolve_skipping_scratch(const eg_convolution *c)
{
    if (!fits(c)) {
        return 0;
    }
    const product forward = product_of(c, false);
    const product back = product_of(c, true);
    const size_t a = weights_size(&forward);
    const size_t b = weights_size(&back);
    return (a > b ? a : b) + images_at_once(c) * c->height * c->width * LANES;
}

EG_CLONES static size_t count_nonzero(size_t n, const eg_real *x)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += x[i] != 0;
    }
    return count;
}

/* Rows of outputs that a row is added to at a time. */
static size_t rows_at_once(const product *p, size_t lanes)
{
    return p->count * TAPS * TAPS * lanes <= NEAR ? TAPS : 1;
}

/* Part of the numbers that may be left for this to be as fast as tiles, from registers of weights:
 * each of them is a multiply-add of a register here as there. */
static double break_even(const product *p)
{
    double here = 0;
    double tiles = 0;
    for (size_t first = 0; first < p->filters; first += lanes_of(p, first)) {
        const size_t lanes = lanes_of(p, first);
        const double registers = (double)(lanes * TAPS * TAPS) / NARROW;
        tiles += registers * tiles_waste;
        here += registers + overhead * TAPS / (double)rows_at_once(p, lanes);
    }
    return tiles / here < part_max ? tiles / here : part_max;
}

static bool pays(const product *p, size_t batch, const eg_real *x)
{
    const size_t numbers = p->c->height * p->c->width * p->count;
    size_t counted = 0;
    size_t left = 0;
    if (!fits(p->c) || p->filters <= NARROW / 2 || p->count < NARROW / 2) {
        return false;
    }
    for (size_t b = 0; b < batch; b += SAMPLE) {
        left += count_nonzero(numbers, x + b * numbers);
        counted += numbers;
    }
    return (double)left < break_even(p) * (double)counted;
}

bool eg_convolve_skipping_pays(const eg_convolution *c, size_t batch, const eg_real *x)
{
    const product forward = product_of(c, false);
    return pays(&forward, batch, x);
}

bool eg_convolve_input_skipping_pays(const eg_convolution *c, size_t batch, const eg_real *dy)
{
    const product back = product_of(c, true);
    return pays(&back, batch, dy);
}

/* Weights of tap (u, v) of the convolution, from channel 0 and the panel of filter f on. */
static const eg_real *tap_of(const product *p, size_t f, size_t u, size_t v)
{
    const eg_convolution *c = p->c;
    const size_t panel = f / c->lanes;
    return p->w + ((panel * TAPS + u) * TAPS + v) * c->channels * c->lanes;
}

/* Under tap (u, v) a row reaches the one that lies 1 - u after it. */
static void take_forward(const product *p, size_t first, size_t lanes, eg_real *out)
{
    const eg_convolution *c = p->c;
    const size_t filters = smaller(smaller(lanes, c->lanes), p->filters - first);
    for (size_t u = 0; u < TAPS; u++) {
        for (size_t v = 0; v < TAPS; v++) {
            const eg_real *from = tap_of(p, first, u, v) + first % c->lanes;
            eg_real *to = out + ((TAPS - 1 - u) * TAPS + TAPS - 1 - v) * lanes;
            for (size_t k = 0; k < c->channels; k++) {
                memcpy(to, from, filters * sizeof *to);
                memset(to + filters, 0, (lanes - filters) * sizeof *to);
                from += c->lanes;
                to += lanes * TAPS * TAPS;
            }
        }
    }
}

/* A row of dy reaches the one of dx that lies u - 1 after it. */
static void take_back(const product *p, size_t first, size_t lanes, eg_real *out)
{
    const eg_convolution *c = p->c;
    const size_t channels = smaller(lanes, c->channels - first);
    memset(out, 0, c->filters * TAPS * TAPS * lanes * sizeof *out);
    for (size_t f = 0; f < c->filters; f++) {
        for (size_t u = 0; u < TAPS; u++) {
            for (size_t v = 0; v < TAPS; v++, out += lanes) {
                const eg_real *from = tap_of(p, f, u, v) + first * c->lanes + f % c->lanes;
                for (size_t l = 0; l < channels; l++) {
                    out[l] = from[l * c->lanes];
                }
            }
        }
    }
}

/* One panel of one image. */
typedef struct panel {
    const product *p;
    size_t lanes;
    const eg_real *w;
    eg_real start[LANES]; /* biases, or 0 */
    eg_real *sums;        /* of the image's first pixel */
    size_t pixel;         /* from one pixel's sums to the next */
} panel;

/* Adds row h of x to rows a … a+rows-1 of those that it reaches, of which the first, 0, is h - 1.
 * A row of sums begins with the first row of x that reaches it. */
static void add_row(const eg_convolve_kernels *kernels, const panel *at, const eg_real *x, size_t h,
                    size_t a, size_t rows)
{
    const product *p = at->p;
    const size_t width = p->c->width;
    eg_skipping_row t = {.rows = rows,
                         .columns = width,
                         .count = p->count,
                         .x = x + h * width * p->count,
                         .w = at->w + a * TAPS * at->lanes,
                         .w_number = at->lanes * TAPS * TAPS,
                         .lanes = at->lanes,
                         .to_pixel = at->pixel};
    for (size_t r = 0; r < rows; r++) {
        const bool begins = a + r == TAPS - 1 || (h == 0 && a + r == 1);
        t.to[r] = at->sums + (h + a + r - 1) * width * at->pixel;
        t.from[r] = begins ? at->start : t.to[r];
        t.from_pixel[r] = begins ? 0 : at->pixel;
    }
    kernels->skipping(&t);
}

/* Adds all rows to those that they reach as rows first … last of 0 … 2. */
static void add_image(const eg_convolve_kernels *kernels, const panel *at, const eg_real *x,
                      size_t first, size_t last)
{
    const size_t height = at->p->c->height;
    for (size_t h = 0; h < height; h++) {
        const size_t a = h == 0 && first == 0 ? 1 : first;
        const size_t end = h + 1 == height && last == TAPS - 1 ? last : last + 1;
        if (a < end) {
            add_row(kernels, at, x, h, a, end - a);
        }
    }
}

/* Sums of a panel of which not all lanes have a filter. */
static void store_sums(const panel *at, size_t filters, size_t count, const eg_real *sums,
                       eg_real *y)
{
    for (size_t i = 0; i < count; i++) {
        memcpy(y + i * at->p->filters, sums + i * at->lanes, filters * sizeof *y);
    }
}

static void make_panel(const eg_convolve_kernels *kernels, panel *at, size_t first, size_t batch,
                       const eg_real *x, eg_real *scratch, eg_real *y)
{
    const product *p = at->p;
    const size_t places = p->c->height * p->c->width;
    const size_t filters = smaller(at->lanes, p->filters - first);
    const bool direct = filters == at->lanes;
    const size_t rows = rows_at_once(p, at->lanes);
    const size_t some = images_at_once(p->c);
    at->pixel = direct ? p->filters : at->lanes;
    for (size_t b = 0; b < batch; b += some) {
        const size_t images = smaller(some, batch - b);
        eg_real *made = y + b * places * p->filters + first;
        for (size_t end = TAPS; end > 0; end -= rows) {
            for (size_t g = 0; g < images; g++) {
                at->sums = (direct ? made : scratch) + g * places * at->pixel;
                add_image(kernels, at, x + (b + g) * places * p->count, end - rows, end - 1);
            }
        }
        if (!direct) {
            store_sums(at, filters, images * places, scratch, made);
        }
    }
}

static void make(const eg_convolve_kernels *kernels, const product *p, size_t batch,
                 const eg_real *x, eg_real *scratch, eg_real *y)
{
    eg_real *sums = scratch + weights_size(p);
    for (size_t first = 0; first < p->filters;) {
        panel at = {.p = p, .lanes = lanes_of(p, first), .w = scratch};
        const size_t filters = smaller(at.lanes, p->filters - first);
        if (p->bias != NULL) {
            memcpy(at.start, p->bias + first, filters * sizeof *at.start);
        }
        (p->back ? take_back : take_forward)(p, first, at.lanes, scratch);
        make_panel(kernels, &at, first, batch, x, sums, y);
        first += at.lanes;
    }
}

void eg_convolve_skipping(const eg_convolve_kernels *kernels, const eg_convolution *c, size_t batch,
                          const eg_real *x, const eg_real *w, const eg_real *bias, eg_real *scratch,
                          eg_real *y)
{
    product forward = product_of(c, false);
    forward.w = w;
    forward.bias = bias;
    make(kernels, &forward, batch, x, scratch, y);
}

void eg_convolve_input_skipping(const eg_convolve_kernels *kernels, const eg_convolution *c,
                                size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                                eg_real *dx)
{
    product back = product_of(c, true);
    back.w = w;
    make(kernels, &back, batch, dy, scratch, dx);
}
