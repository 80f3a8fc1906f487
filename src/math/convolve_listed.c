/** The gradients of a convolution where most of dy is 0, as behind max pooling: only what is not 0
 *  is multiplied; see math/convolve_kernel.h.
 *
 *  A number of dy at one place, for filter f, meets the same window of x (or of dx) as all others
 *  of that place: the rows of the kernel, each of which is a run of kernel_width*channels
 *  neighbours. Rows are cut into pieces of EG_PIECE numbers.
 *
 *      weights   for every filter a list of (dy, where its window begins) over a few images, and a
 *                sum of windows
 *      input     for every place a list of (dy, filter), and a sum of the filters' weights
 *
 *  Images are copied with their padding, and room for the last piece to reach behind a row. */
#include "math/convolve_kernel.h"
#include "math/shared/clones.h"

#include <assert.h>
#include <string.h>

enum {
    BLOCK = 12 * 1024,      /* numbers of images whose entries are listed together */
    NEAR = 7 * 1024,        /* numbers of a first-level cache */
    SAMPLE = 8,             /* dy is counted in one of so many images */
    PIECES = EG_PIECE_ROWS, /* of a window, at most */
    OVERHEAD = 3,           /* of an entry, in pieces */
    PLACE = 60              /* of a place, in pieces of a tile */
};

/* The pieces of a window. */
typedef struct pieces {
    size_t count;
    size_t pitch, size; /* of a filter's weights, in pieces: a row, and all of them */
    size_t image[PIECES], filter[PIECES]; /* where a piece begins, in an image and in a filter */
} pieces;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t row_of(const eg_convolution *c)
{
    return c->kernel_width * c->channels;
}

static size_t pieces_of_row(const eg_convolution *c)
{
    return (row_of(c) + EG_PIECE - 1) / EG_PIECE;
}

/* From one row of a copied image to the next. */
static size_t copied_row(const eg_convolution *c)
{
    return (c->width + 2 * c->padding) * c->channels;
}

static size_t copied_size(const eg_convolution *c)
{
    return (c->height + 2 * c->padding) * copied_row(c);
}

static size_t filter_size(const eg_convolution *c)
{
    return c->kernel_height * pieces_of_row(c) * EG_PIECE;
}

static size_t images_at_once(const eg_convolution *c)
{
    const size_t images = BLOCK / copied_size(c);
    return images > 0 ? images : 1;
}

static pieces pieces_of(const eg_convolution *c)
{
    const size_t row = pieces_of_row(c);
    pieces out = {.pitch = row * EG_PIECE, .size = filter_size(c)};
    for (size_t u = 0; u < c->kernel_height; u++) {
        for (size_t k = 0; k < row; k++) {
            out.image[out.count] = u * copied_row(c) + k * EG_PIECE;
            out.filter[out.count++] = u * out.pitch + k * EG_PIECE;
        }
    }
    return out;
}

static size_t places_of(const eg_convolution *c)
{
    return c->out_height * c->out_width;
}

/* Scratch is cut into arrays; an integer takes the room of a number. */
typedef struct room {
    eg_real *next;
} room;

static eg_real *numbers(room *r, size_t count)
{
    eg_real *out = r->next;
    r->next += count;
    return out;
}

static uint32_t *integers(room *r, size_t count)
{
    return (uint32_t *)(void *)numbers(r, count);
}

static eg_entries entries(room *r, size_t count)
{
    eg_entries out = {.value = numbers(r, count)};
    out.at = integers(r, count);
    return out;
}

static size_t weights_scratch(const eg_convolution *c)
{
    const size_t images = images_at_once(c);
    const size_t listed = c->filters * places_of(c) * images;
    return c->filters * (filter_size(c) + 1) + images * copied_size(c) + EG_PIECE +
           2 * (listed + c->filters + EG_PIECE);
}

static size_t input_scratch(const eg_convolution *c)
{
    return c->filters * filter_size(c) + copied_size(c) + EG_PIECE + places_of(c) +
           2 * (c->filters * places_of(c) + EG_PIECE);
}

static bool fits(const eg_convolution *c)
{
    return c->kernel_height * pieces_of_row(c) <= PIECES;
}

size_t eg_convolve_listed_scratch(const eg_convolution *c)
{
    const size_t weights = weights_scratch(c);
    const size_t input = input_scratch(c);
    return !fits(c) ? 0 : weights > input ? weights : input;
}

EG_CLONES static size_t count_nonzero(size_t n, const eg_real *x)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        count += x[i] != 0;
    }
    return count;
}

/* An entry costs as much as its pieces and a little more, and makes half as good use of the
 * processor as a tile; a place has a cost of its own, which few filters do not outweigh. */
bool eg_convolve_listed_pays(const eg_convolution *c, size_t batch, const eg_real *dy)
{
    const size_t numbers = places_of(c) * c->filters;
    size_t counted = 0;
    size_t entries = 0;
    if (!fits(c)) {
        return false;
    }
    for (size_t b = 0; b < batch; b += SAMPLE) {
        entries += count_nonzero(numbers, dy + b * numbers);
        counted += numbers;
    }
    const double each = 2.0 * (double)(c->kernel_height * pieces_of_row(c) + OVERHEAD);
    const double place = (double)PLACE / (double)c->filters;
    const double dense = (double)(c->kernel_height * row_of(c)) / EG_PIECE;
    return (double)entries * each < (double)counted * (dense - place);
}

/* x [height][width][channels] into a copy, whose padding is 0 already. */
static void copy_image(const eg_convolution *c, const eg_real *x, eg_real *to)
{
    const size_t row = c->width * c->channels;
    to += c->padding * (copied_row(c) + c->channels);
    for (size_t i = 0; i < c->height; i++) {
        memcpy(to + i * copied_row(c), x + i * row, row * sizeof *x);
    }
}

/* Where the window of a place begins in a copy. */
static size_t window_at(const eg_convolution *c, size_t place)
{
    const size_t i = place / c->out_width;
    const size_t j = place % c->out_width;
    return c->stride * (i * copied_row(c) + j * c->channels);
}

/* The gradient of the weights. */

/* Entries by filter. */
typedef struct lists {
    eg_entries entry; /* [filters][most] */
    size_t most;
    eg_entries found; /* [filters] of one place */
    uint32_t *length; /* [filters] */
} lists;

/* One image, copied to `image` of its block. */
static void list_image(const eg_convolve_kernels *kernels, const eg_convolution *c,
                       const eg_real *dy, size_t image, lists *l)
{
    for (size_t place = 0; place < places_of(c); place++) {
        const size_t n = kernels->nonzero(c->filters, dy + place * c->filters, &l->found);
        const uint32_t at = (uint32_t)(image + window_at(c, place));
        for (size_t k = 0; k < n; k++) {
            const size_t f = l->found.at[k];
            const size_t end = f * l->most + l->length[f]++;
            l->entry.value[end] = l->found.value[k];
            l->entry.at[end] = at;
        }
    }
}

/* sums [filters][size] += the windows that the lists name. */
static void add_windows(const eg_convolve_kernels *kernels, const eg_convolution *c,
                        const pieces *p, const eg_real *x, const lists *l, eg_real *sums)
{
    for (size_t f = 0; f < c->filters; f++) {
        for (size_t k = 0; k < p->count; k += EG_PIECES_MAX) {
            const eg_listed_tile t = {
                .pieces = smaller(EG_PIECES_MAX, p->count - k),
                .from = x,
                .from_at = p->image + k,
                .count = l->length[f],
                .entry = {l->entry.value + f * l->most, l->entry.at + f * l->most},
                .to = sums + f * p->size,
                .to_at = p->filter + k};
            kernels->listed(&t);
        }
    }
}

/* dw from sums [filters][size]. */
static void store_weights(const eg_convolution *c, const pieces *p, const eg_real *sums,
                          eg_real *dw)
{
    const size_t row = row_of(c);
    for (size_t panel = 0; panel < eg_convolve_panels(c); panel++) {
        const eg_real *from = sums + panel * c->lanes * p->size;
        const size_t filters = smaller(c->lanes, c->filters - panel * c->lanes);
        for (size_t u = 0; u < c->kernel_height; u++) {
            for (size_t k = 0; k < row; k++, dw += c->lanes) {
                for (size_t l = 0; l < c->lanes; l++) {
                    dw[l] = l < filters ? from[l * p->size + u * p->pitch + k] : 0;
                }
            }
        }
    }
}

void eg_convolve_weights_listed(const eg_convolve_kernels *kernels, const eg_convolution *c,
                                size_t batch, const eg_real *x, const eg_real *dy, eg_real *scratch,
                                eg_real *dw)
{
    const pieces p = pieces_of(c);
    const size_t some = images_at_once(c);
    const size_t size = copied_size(c);
    room r = {scratch};
    eg_real *sums = numbers(&r, c->filters * p.size);
    eg_real *copies = numbers(&r, some * size + EG_PIECE);
    lists l = {.most = places_of(c) * some};
    l.entry = entries(&r, c->filters * l.most);
    l.found = entries(&r, c->filters + EG_PIECE);
    l.length = integers(&r, c->filters);
    memset(sums, 0, c->filters * p.size * sizeof *sums);
    memset(copies, 0, (some * size + EG_PIECE) * sizeof *copies);
    for (size_t b = 0; b < batch; b += some) {
        memset(l.length, 0, c->filters * sizeof *l.length);
        for (size_t g = 0; g < smaller(some, batch - b); g++) {
            copy_image(c, x + (b + g) * c->height * c->width * c->channels, copies + g * size);
            list_image(kernels, c, dy + (b + g) * places_of(c) * c->filters, g * size, &l);
        }
        add_windows(kernels, c, &p, copies, &l, sums);
    }
    store_weights(c, &p, sums, dw);
}

/* The gradient of the input. */

/* out [filters][size] from w; what a row lacks to whole pieces is 0. */
static void take_weights(const eg_convolution *c, const pieces *p, const eg_real *w, eg_real *out)
{
    const size_t row = row_of(c);
    memset(out, 0, c->filters * p->size * sizeof *out);
    for (size_t panel = 0; panel < eg_convolve_panels(c); panel++) {
        eg_real *to = out + panel * c->lanes * p->size;
        const size_t filters = smaller(c->lanes, c->filters - panel * c->lanes);
        for (size_t u = 0; u < c->kernel_height; u++) {
            for (size_t k = 0; k < row; k++, w += c->lanes) {
                for (size_t l = 0; l < filters; l++) {
                    to[l * p->size + u * p->pitch + k] = w[l];
                }
            }
        }
    }
}

/* Pieces of all filters that are looked at together: they stay in the first-level cache. */
static size_t pieces_at_once(const eg_convolution *c, const pieces *p)
{
    assert(p->count > 0);
    const size_t near = NEAR / (c->filters * EG_PIECE);
    const size_t most = smaller(near < 2 ? 2 : near, EG_PIECES_MAX);
    const size_t passes = (p->count + most - 1) / most;
    return (p->count + passes - 1) / passes;
}

/* Entries by place. */
typedef struct places {
    eg_entries entry;
    uint32_t *length; /* [places] */
} places;

static void list_places(const eg_convolve_kernels *kernels, const eg_convolution *c,
                        const pieces *p, const eg_real *dy, places *l)
{
    eg_entries next = l->entry;
    for (size_t place = 0; place < places_of(c); place++) {
        const size_t n = kernels->nonzero(c->filters, dy + place * c->filters, &next);
        for (size_t k = 0; k < n; k++) {
            next.at[k] *= (uint32_t)p->size;
        }
        l->length[place] = (uint32_t)n;
        next.value += n;
        next.at += n;
    }
}

/* dx, a copy that is 0, from the weights w [filters][size]. */
static void add_filters(const eg_convolve_kernels *kernels, const eg_convolution *c,
                        const pieces *p, const eg_real *w, const places *l, eg_real *dx)
{
    const size_t some = pieces_at_once(c, p);
    for (size_t k = 0; k < p->count; k += some) {
        eg_entries next = l->entry;
        for (size_t place = 0; place < places_of(c); place++) {
            const eg_listed_tile t = {.pieces = smaller(some, p->count - k),
                                      .from = w,
                                      .from_at = p->filter + k,
                                      .count = l->length[place],
                                      .entry = next,
                                      .to = dx + window_at(c, place),
                                      .to_at = p->image + k};
            if (t.count > 0) {
                kernels->listed(&t);
            }
            next.value += t.count;
            next.at += t.count;
        }
    }
}

void eg_convolve_input_listed(const eg_convolve_kernels *kernels, const eg_convolution *c,
                              size_t batch, const eg_real *dy, const eg_real *w, eg_real *scratch,
                              eg_real *dx)
{
    const pieces p = pieces_of(c);
    const size_t row = c->width * c->channels;
    room r = {scratch};
    eg_real *weights = numbers(&r, c->filters * p.size);
    eg_real *copy = numbers(&r, copied_size(c) + EG_PIECE);
    places l = {.entry = entries(&r, c->filters * places_of(c) + EG_PIECE)};
    l.length = integers(&r, places_of(c));
    take_weights(c, &p, w, weights);
    for (size_t b = 0; b < batch; b++) {
        memset(copy, 0, (copied_size(c) + EG_PIECE) * sizeof *copy);
        list_places(kernels, c, &p, dy + b * places_of(c) * c->filters, &l);
        add_filters(kernels, c, &p, weights, &l, copy);
        const eg_real *inside = copy + c->padding * (copied_row(c) + c->channels);
        for (size_t i = 0; i < c->height; i++, dx += row) {
            memcpy(dx, inside + i * copied_row(c), row * sizeof *dx);
        }
    }
}
