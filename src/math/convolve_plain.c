/** Convolutions written down as they are defined: the reference of the kernels, what runs where
 *  there are none, and what gradients are checked with in double. Loops run over the lanes of a
 *  panel, so they vectorise and give the same bits for every instruction set. */
#include "math/convolve_kernel.h"

#include "math/shared/clones.h"

#include <string.h>

enum { LANES_MAX = EG_CONVOLVE_LANES_MAX };

/* Filters of a panel. */
static size_t filters_in(const eg_convolution *c, size_t panel)
{
    const size_t left = c->filters - panel * c->lanes;
    return left < c->lanes ? left : c->lanes;
}

/* A place of the output: what it is made of. */
typedef struct place {
    size_t output;      /* number of the first filter, in y */
    size_t row, column; /* of the image, of tap 0, plus padding */
    size_t image;       /* number of the first pixel, in x */
    eg_taps rows, columns;
} place;

static place place_of(const eg_convolution *c, size_t b, size_t i, size_t j)
{
    return (place){.output = ((b * c->out_height + i) * c->out_width + j) * c->filters,
                   .row = i * c->stride,
                   .column = j * c->stride,
                   .image = b * c->height * c->width * c->channels,
                   .rows = eg_taps_of(c, i, c->kernel_height, c->height),
                   .columns = eg_taps_of(c, j, c->kernel_width, c->width)};
}

/* Where the channels under tap (u, v) stand in x. */
static size_t pixel(const eg_convolution *c, const place *p, size_t u, size_t v)
{
    const size_t row = p->row + u - c->padding;
    const size_t column = p->column + v - c->padding;
    return p->image + (row * c->width + column) * c->channels;
}

/* Where the weights of tap (u, v) stand in w. */
static size_t tap(const eg_convolution *c, size_t panel, size_t u, size_t v)
{
    const size_t taps = c->kernel_height * c->kernel_width;
    return (panel * taps + u * c->kernel_width + v) * c->channels * c->lanes;
}

/* sum += x[n] W[n, lanes] */
EG_CLONES static void add_products(size_t n, size_t lanes, const eg_real *restrict x,
                                   const eg_real *restrict w, eg_real *restrict sum)
{
    for (size_t k = 0; k < n; k++) {
        const eg_real factor = x[k];
        for (size_t l = 0; l < lanes; l++) {
            sum[l] += factor * w[k * lanes + l];
        }
    }
}

/* x[n] += W[n, lanes] d[lanes] */
EG_CLONES static void add_dots(size_t n, size_t lanes, const eg_real *restrict d,
                               const eg_real *restrict w, eg_real *restrict x)
{
    for (size_t k = 0; k < n; k++) {
        eg_real sum = 0;
        for (size_t l = 0; l < lanes; l++) {
            sum += d[l] * w[k * lanes + l];
        }
        x[k] += sum;
    }
}

/* W[n, lanes] += x[n] d[lanes] */
EG_CLONES static void add_outer(size_t n, size_t lanes, const eg_real *restrict x,
                                const eg_real *restrict d, eg_real *restrict w)
{
    for (size_t k = 0; k < n; k++) {
        const eg_real factor = x[k];
        for (size_t l = 0; l < lanes; l++) {
            w[k * lanes + l] += factor * d[l];
        }
    }
}

/* One panel at one place. */
static void forward_at(const eg_convolution *c, const place *p, size_t panel, const eg_real *x,
                       const eg_real *w, const eg_real *bias, eg_real *y)
{
    eg_real sum[LANES_MAX] = {0};
    if (bias != NULL) {
        memcpy(sum, bias + panel * c->lanes, c->lanes * sizeof *sum);
    }
    for (size_t u = p->rows.begin; u < p->rows.end; u++) {
        for (size_t v = p->columns.begin; v < p->columns.end; v++) {
            add_products(c->channels, c->lanes, x + pixel(c, p, u, v), w + tap(c, panel, u, v),
                         sum);
        }
    }
    memcpy(y + p->output + panel * c->lanes, sum, filters_in(c, panel) * sizeof *sum);
}

/* The lanes of dy; those without a filter are 0. */
static void lanes_of(const eg_convolution *c, const place *p, size_t panel, const eg_real *dy,
                     eg_real *d)
{
    memset(d, 0, LANES_MAX * sizeof *d);
    memcpy(d, dy + p->output + panel * c->lanes, filters_in(c, panel) * sizeof *d);
}

static void input_at(const eg_convolution *c, const place *p, size_t panel, const eg_real *dy,
                     const eg_real *w, eg_real *dx)
{
    eg_real d[LANES_MAX];
    lanes_of(c, p, panel, dy, d);
    for (size_t u = p->rows.begin; u < p->rows.end; u++) {
        for (size_t v = p->columns.begin; v < p->columns.end; v++) {
            add_dots(c->channels, c->lanes, d, w + tap(c, panel, u, v), dx + pixel(c, p, u, v));
        }
    }
}

static void weights_at(const eg_convolution *c, const place *p, size_t panel, const eg_real *x,
                       const eg_real *dy, eg_real *dw)
{
    eg_real d[LANES_MAX];
    lanes_of(c, p, panel, dy, d);
    for (size_t u = p->rows.begin; u < p->rows.end; u++) {
        for (size_t v = p->columns.begin; v < p->columns.end; v++) {
            add_outer(c->channels, c->lanes, x + pixel(c, p, u, v), d, dw + tap(c, panel, u, v));
        }
    }
}

/* Every panel at every place, one after the other. */
#define EACH_PLACE(c, batch, body)                                                                 \
    for (size_t b = 0; b < (batch); b++) {                                                         \
        for (size_t i = 0; i < (c)->out_height; i++) {                                             \
            for (size_t j = 0; j < (c)->out_width; j++) {                                          \
                const place p = place_of(c, b, i, j);                                              \
                for (size_t panel = 0; panel < eg_convolve_panels(c); panel++) {                   \
                    body;                                                                          \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

void eg_convolve_plain(const eg_convolution *c, size_t batch, const eg_real *x, const eg_real *w,
                       const eg_real *bias, eg_real *y)
{
    EACH_PLACE(c, batch, forward_at(c, &p, panel, x, w, bias, y))
}

void eg_convolve_input_plain(const eg_convolution *c, size_t batch, const eg_real *dy,
                             const eg_real *w, eg_real *dx)
{
    memset(dx, 0, batch * c->height * c->width * c->channels * sizeof *dx);
    EACH_PLACE(c, batch, input_at(c, &p, panel, dy, w, dx))
}

void eg_convolve_weights_plain(const eg_convolution *c, size_t batch, const eg_real *x,
                               const eg_real *dy, eg_real *dw)
{
    memset(dw, 0, tap(c, eg_convolve_panels(c), 0, 0) * sizeof *dw);
    EACH_PLACE(c, batch, weights_at(c, &p, panel, x, dy, dw))
}
