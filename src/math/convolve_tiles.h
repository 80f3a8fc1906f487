/** Tiles of convolutions for one width of vector registers; see math/convolve_kernel.h.
 *
 *  Included once by the file of an instruction set, which defines before:
 *      INLINE              how its inlined functions are declared
 *      VECTOR              the type of a register
 *      WIDE                numbers in it
 *      ZERO() SET(a) LOAD(p) STORE(p, v)
 *      STORE_PART(p, n, v) the first n numbers
 *      ADD(a, b) MULTIPLY_ADD(a, b, sum)
 *      VECTORS_MAX         registers of a panel
 *
 *  Functions are called with constant `vectors`, `images`, `from`, `to`, so that the sums are
 *  registers. */

enum { TILE = EG_TILE_IMAGES * EG_TILE_PIXELS };

typedef struct sums {
    VECTOR of[TILE][VECTORS_MAX];
} sums;

/* sum += w[n, lanes] x for pixels from … to-1 of all images. */
INLINE void add_run(const size_t vectors, const size_t images, const size_t from, const size_t to,
                    const eg_tile *t, ptrdiff_t at, const eg_real *w, size_t n, sums *sum)
{
    const size_t step = t->stride * t->channels;
    const size_t lanes = t->lanes;
    const eg_real *x0 = t->x + at + (ptrdiff_t)(from * step);
    const eg_real *x1 = x0 + t->x_image;
    const eg_real *x2 = x1 + t->x_image;
    for (size_t k = 0; k < n; k++) {
        VECTOR weight[VECTORS_MAX];
        for (size_t i = 0; i < vectors; i++) {
            weight[i] = LOAD(w + i * WIDE);
        }
        for (size_t g = 0; g < images; g++) {
            const eg_real *x = g == 0 ? x0 : g == 1 ? x1 : x2;
            for (size_t p = from; p < to; p++) {
                const VECTOR value = SET(x[(p - from) * step]);
                VECTOR *s = sum->of[g * EG_TILE_PIXELS + p];
                for (size_t i = 0; i < vectors; i++) {
                    s[i] = MULTIPLY_ADD(value, weight[i], s[i]);
                }
            }
        }
        w += lanes;
        x0++;
        x1++;
        x2++;
    }
}

/* Pixels from … to-1 are inside of the image at this tap. */
INLINE void add_tap(const size_t vectors, const size_t images, size_t from, size_t to,
                    const eg_tile *t, ptrdiff_t at, const eg_real *w, sums *sum)
{
    const size_t n = t->channels;
    switch (from * (EG_TILE_PIXELS + 1) + to) {
    case 0 * 5 + 1:
        add_run(vectors, images, 0, 1, t, at, w, n, sum);
        break;
    case 0 * 5 + 2:
        add_run(vectors, images, 0, 2, t, at, w, n, sum);
        break;
    case 0 * 5 + 3:
        add_run(vectors, images, 0, 3, t, at, w, n, sum);
        break;
    case 0 * 5 + 4:
        add_run(vectors, images, 0, 4, t, at, w, n, sum);
        break;
    case 1 * 5 + 2:
        add_run(vectors, images, 1, 2, t, at, w, n, sum);
        break;
    case 1 * 5 + 3:
        add_run(vectors, images, 1, 3, t, at, w, n, sum);
        break;
    case 1 * 5 + 4:
        add_run(vectors, images, 1, 4, t, at, w, n, sum);
        break;
    case 2 * 5 + 3:
        add_run(vectors, images, 2, 3, t, at, w, n, sum);
        break;
    case 2 * 5 + 4:
        add_run(vectors, images, 2, 4, t, at, w, n, sum);
        break;
    case 3 * 5 + 4:
        add_run(vectors, images, 3, 4, t, at, w, n, sum);
        break;
    default:
        break;
    }
}

/* A row of taps at the edge of the image. */
INLINE void add_edge(const size_t vectors, const size_t images, const eg_tile *t, ptrdiff_t at,
                     const eg_real *w, sums *sum)
{
    const ptrdiff_t width = (ptrdiff_t)t->width;
    const ptrdiff_t stride = (ptrdiff_t)t->stride;
    for (size_t v = 0; v < t->columns; v++) {
        const ptrdiff_t column = t->column + (ptrdiff_t)v;
        size_t from = 0;
        size_t to = t->pixels;
        while (from < to && column + (ptrdiff_t)from * stride < 0) {
            from++;
        }
        while (to > from && column + (ptrdiff_t)(to - 1) * stride >= width) {
            to--;
        }
        add_tap(vectors, images, from, to, t, at + (ptrdiff_t)(v * t->channels),
                w + v * t->channels * t->lanes, sum);
    }
}

INLINE void begin_sums(const size_t vectors, const size_t images, const eg_tile *t, sums *sum)
{
    for (size_t i = 0; i < vectors; i++) {
        const VECTOR bias = t->bias != NULL ? LOAD(t->bias + i * WIDE) : ZERO();
        for (size_t p = 0; p < images * EG_TILE_PIXELS; p++) {
            sum->of[p][i] = bias;
        }
    }
}

INLINE void store_sums(const size_t vectors, const size_t images, const eg_tile *t, sums *sum)
{
    for (size_t g = 0; g < images; g++) {
        for (size_t p = 0; p < EG_TILE_PIXELS; p++) {
            eg_real *y = t->y + g * t->y_image + p * t->y_pixel;
            for (size_t i = 0; p < t->pixels && i < vectors; i++) {
                const VECTOR value = sum->of[g * EG_TILE_PIXELS + p][i];
                if ((i + 1) * WIDE <= t->filters) {
                    STORE(y + i * WIDE, value);
                } else {
                    STORE_PART(y + i * WIDE, t->filters - i * WIDE, value);
                }
            }
        }
    }
}

INLINE void whole_tile(const size_t vectors, const size_t images, const eg_tile *t)
{
    const size_t run = t->columns * t->channels;
    const ptrdiff_t last = t->column + (ptrdiff_t)((EG_TILE_PIXELS - 1) * t->stride + t->columns);
    const bool inside =
        t->pixels == EG_TILE_PIXELS && t->column >= 0 && last <= (ptrdiff_t)t->width;
    sums sum;
    begin_sums(vectors, images, t, &sum);
    ptrdiff_t at = t->first;
    const eg_real *w = t->w;
    if (inside) {
        for (size_t u = 0; u < t->rows; u++) {
            add_run(vectors, images, 0, EG_TILE_PIXELS, t, at, w, run, &sum);
            at += (ptrdiff_t)t->x_row;
            w += run * t->lanes;
        }
    } else {
        for (size_t u = 0; u < t->rows; u++) {
            add_edge(vectors, images, t, at, w, &sum);
            at += (ptrdiff_t)t->x_row;
            w += run * t->lanes;
        }
    }
    store_sums(vectors, images, t, &sum);
}

INLINE void tile_of_images(const size_t vectors, const eg_tile *t)
{
    switch (t->images) {
    case 1:
        whole_tile(vectors, 1, t);
        break;
    case 2:
        whole_tile(vectors, 2, t);
        break;
    default:
        whole_tile(vectors, 3, t);
        break;
    }
}

INLINE void add_outer(const size_t vectors, const size_t inputs, const eg_outer_tile *t)
{
    VECTOR sum[EG_TILE_INPUTS][VECTORS_MAX];
    for (size_t k = 0; k < inputs; k++) {
        for (size_t i = 0; i < vectors; i++) {
            sum[k][i] = ZERO();
        }
    }
    for (size_t r = 0; r < t->rows; r++) {
        const eg_real *x = t->x + r * t->x_row;
        const eg_real *dy = t->dy + r * t->dy_row;
        for (size_t n = 0; n < t->count; n++) {
            VECTOR d[VECTORS_MAX];
            for (size_t i = 0; i < vectors; i++) {
                d[i] = LOAD(dy + i * WIDE);
            }
            for (size_t k = 0; k < inputs; k++) {
                const VECTOR value = SET(x[k]);
                for (size_t i = 0; i < vectors; i++) {
                    sum[k][i] = MULTIPLY_ADD(value, d[i], sum[k][i]);
                }
            }
            x += EG_TILE_INPUTS;
            dy += t->dy_pixel;
        }
    }
    for (size_t k = 0; k < inputs; k++) {
        for (size_t i = 0; i < vectors; i++) {
            eg_real *dw = t->dw + k * t->lanes + i * WIDE;
            STORE(dw, t->add ? ADD(LOAD(dw), sum[k][i]) : sum[k][i]);
        }
    }
}

INLINE void outer_of_inputs(const size_t vectors, const eg_outer_tile *t)
{
    switch (t->inputs) {
    case 1:
        add_outer(vectors, 1, t);
        break;
    case 2:
        add_outer(vectors, 2, t);
        break;
    case 3:
        add_outer(vectors, 3, t);
        break;
    case 4:
        add_outer(vectors, 4, t);
        break;
    case 5:
        add_outer(vectors, 5, t);
        break;
    case 6:
        add_outer(vectors, 6, t);
        break;
    case 7:
        add_outer(vectors, 7, t);
        break;
    case 8:
        add_outer(vectors, 8, t);
        break;
    case 9:
        add_outer(vectors, 9, t);
        break;
    case 10:
        add_outer(vectors, 10, t);
        break;
    case 11:
        add_outer(vectors, 11, t);
        break;
    default:
        add_outer(vectors, EG_TILE_INPUTS, t);
        break;
    }
}
