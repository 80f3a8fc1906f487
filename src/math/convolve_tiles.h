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
 *      WINDOW_VECTORS      registers of a window
 *      INPUTS_MAX(vectors) inputs whose sums fit into the registers, at least half of
 *                          EG_TILE_INPUTS
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

/* Taps that the same pixels are inside at, up to the other end of a row of taps. */
typedef struct run {
    size_t from, to;     /* pixels from … to-1 */
    size_t first, count; /* numbers of the row */
} run;

/* A run begins at tap 0, where a pixel comes in and where one goes out. */
enum { RUNS_MAX = 2 * EG_TILE_PIXELS + 1 };

/* `at` and w: of the row of taps. */
INLINE void add_part(const size_t vectors, const size_t images, const eg_tile *t, const run *part,
                     ptrdiff_t at, const eg_real *w, sums *sum)
{
    const size_t n = part->count;
    at += (ptrdiff_t)part->first;
    w += part->first * t->lanes;
    switch (part->from * (EG_TILE_PIXELS + 1) + part->to) {
    case 1:
        add_run(vectors, images, 0, 1, t, at, w, n, sum);
        break;
    case 2:
        add_run(vectors, images, 0, 2, t, at, w, n, sum);
        break;
    case 3:
        add_run(vectors, images, 0, 3, t, at, w, n, sum);
        break;
    case 4:
        add_run(vectors, images, 0, 4, t, at, w, n, sum);
        break;
    case 1 * (EG_TILE_PIXELS + 1) + 2:
        add_run(vectors, images, 1, 2, t, at, w, n, sum);
        break;
    case 1 * (EG_TILE_PIXELS + 1) + 3:
        add_run(vectors, images, 1, 3, t, at, w, n, sum);
        break;
    case 1 * (EG_TILE_PIXELS + 1) + 4:
        add_run(vectors, images, 1, 4, t, at, w, n, sum);
        break;
    case 2 * (EG_TILE_PIXELS + 1) + 3:
        add_run(vectors, images, 2, 3, t, at, w, n, sum);
        break;
    case 2 * (EG_TILE_PIXELS + 1) + 4:
        add_run(vectors, images, 2, 4, t, at, w, n, sum);
        break;
    case 3 * (EG_TILE_PIXELS + 1) + 4:
        add_run(vectors, images, 3, 4, t, at, w, n, sum);
        break;
    default:
        break;
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

/* The pixels that are inside of the image at tap v: *from … *to-1. */
INLINE void find_range(const eg_tile *t, size_t v, size_t *from, size_t *to)
{
    const ptrdiff_t stride = (ptrdiff_t)t->stride;
    const ptrdiff_t column = t->column + (ptrdiff_t)v;
    const ptrdiff_t width = (ptrdiff_t)t->width;
    *from = 0;
    *to = t->pixels;
    while (*from < *to && column + (ptrdiff_t)*from * stride < 0) {
        (*from)++;
    }
    while (*to > *from && column + (ptrdiff_t)(*to - 1) * stride >= width) {
        (*to)--;
    }
}

/* Whether all pixels are inside at all taps. */
INLINE bool is_inside(const eg_tile *t)
{
    const ptrdiff_t last = t->column + (ptrdiff_t)((EG_TILE_PIXELS - 1) * t->stride + t->columns);
    return t->pixels == EG_TILE_PIXELS && t->column >= 0 && last <= (ptrdiff_t)t->width;
}

INLINE size_t find_runs(const eg_tile *t, run *runs)
{
    size_t count = 0;
    for (size_t v = 0; v < t->columns; v++) {
        size_t from = 0;
        size_t to = 0;
        find_range(t, v, &from, &to);
        if (count == 0 || runs[count - 1].from != from || runs[count - 1].to != to) {
            runs[count++] = (run){.from = from, .to = to, .first = v * t->channels};
        }
        runs[count - 1].count += t->channels;
    }
    return count;
}

/* All rows of two runs: the tiles at the left and at the right edge of most convolutions, which
 * have no need to be looked at row by row. */
INLINE void add_edge(const size_t vectors, const size_t images, const size_t from, const size_t to,
                     const size_t next_from, const size_t next_to, const eg_tile *t,
                     const run *runs, sums *sum)
{
    const size_t row = t->columns * t->channels * t->lanes;
    ptrdiff_t at = t->first;
    const eg_real *w = t->w;
    for (size_t u = 0; u < t->rows; u++) {
        add_run(vectors, images, from, to, t, at, w, runs[0].count, sum);
        add_run(vectors, images, next_from, next_to, t, at + (ptrdiff_t)runs[1].first,
                w + runs[1].first * t->lanes, runs[1].count, sum);
        at += (ptrdiff_t)t->x_row;
        w += row;
    }
}

INLINE bool is_run(const run *part, size_t from, size_t to)
{
    return part->from == from && part->to == to;
}

INLINE void add_runs(const size_t vectors, const size_t images, const eg_tile *t, const run *runs,
                     size_t count, sums *sum)
{
    enum { PIXELS = EG_TILE_PIXELS };
    const size_t row = t->columns * t->channels * t->lanes;
    ptrdiff_t at = t->first;
    const eg_real *w = t->w;
    if (count == 2 && is_run(&runs[0], 1, PIXELS) && is_run(&runs[1], 0, PIXELS)) {
        add_edge(vectors, images, 1, PIXELS, 0, PIXELS, t, runs, sum);
        return;
    }
    if (count == 2 && is_run(&runs[0], 0, PIXELS) && is_run(&runs[1], 0, PIXELS - 1)) {
        add_edge(vectors, images, 0, PIXELS, 0, PIXELS - 1, t, runs, sum);
        return;
    }
    for (size_t u = 0; u < t->rows; u++) {
        for (size_t i = 0; i < count; i++) {
            add_part(vectors, images, t, &runs[i], at, w, sum);
        }
        at += (ptrdiff_t)t->x_row;
        w += row;
    }
}

INLINE void whole_tile(const size_t vectors, const size_t images, const eg_tile *t)
{
    sums sum;
    begin_sums(vectors, images, t, &sum);
    if (is_inside(t)) {
        const size_t row = t->columns * t->channels;
        for (size_t u = 0; u < t->rows; u++) {
            add_run(vectors, images, 0, EG_TILE_PIXELS, t, t->first + (ptrdiff_t)(u * t->x_row),
                    t->w + u * row * t->lanes, row, &sum);
        }
    } else {
        run runs[RUNS_MAX];
        const size_t count = find_runs(t, runs);
        add_runs(vectors, images, t, runs, count, &sum);
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
        add_outer(vectors, 1 <= INPUTS_MAX(vectors) ? 1 : 0, t);
        break;
    case 2:
        add_outer(vectors, 2 <= INPUTS_MAX(vectors) ? 2 : 0, t);
        break;
    case 3:
        add_outer(vectors, 3 <= INPUTS_MAX(vectors) ? 3 : 0, t);
        break;
    case 4:
        add_outer(vectors, 4 <= INPUTS_MAX(vectors) ? 4 : 0, t);
        break;
    case 5:
        add_outer(vectors, 5 <= INPUTS_MAX(vectors) ? 5 : 0, t);
        break;
    case 6:
        add_outer(vectors, 6 <= INPUTS_MAX(vectors) ? 6 : 0, t);
        break;
    case 7:
        add_outer(vectors, 7 <= INPUTS_MAX(vectors) ? 7 : 0, t);
        break;
    case 8:
        add_outer(vectors, 8 <= INPUTS_MAX(vectors) ? 8 : 0, t);
        break;
    case 9:
        add_outer(vectors, 9 <= INPUTS_MAX(vectors) ? 9 : 0, t);
        break;
    case 10:
        add_outer(vectors, 10 <= INPUTS_MAX(vectors) ? 10 : 0, t);
        break;
    case 11:
        add_outer(vectors, 11 <= INPUTS_MAX(vectors) ? 11 : 0, t);
        break;
    case 12:
        add_outer(vectors, 12 <= INPUTS_MAX(vectors) ? 12 : 0, t);
        break;
    case 13:
        add_outer(vectors, 13 <= INPUTS_MAX(vectors) ? 13 : 0, t);
        break;
    case 14:
        add_outer(vectors, 14 <= INPUTS_MAX(vectors) ? 14 : 0, t);
        break;
    case 15:
        add_outer(vectors, 15 <= INPUTS_MAX(vectors) ? 15 : 0, t);
        break;
    case 16:
        add_outer(vectors, 16 <= INPUTS_MAX(vectors) ? 16 : 0, t);
        break;
    default:
        break;
    }
}

/* In halves, if the sums of all inputs are more than there are registers. */
INLINE void whole_outer(const size_t vectors, const eg_outer_tile *t)
{
    if (t->inputs <= INPUTS_MAX(vectors)) {
        outer_of_inputs(vectors, t);
        return;
    }
    const size_t half = t->inputs / 2;
    eg_outer_tile part = *t;
    part.inputs = half;
    outer_of_inputs(vectors, &part);
    part.inputs = t->inputs - half;
    part.x += half;
    part.dw += half * t->lanes;
    outer_of_inputs(vectors, &part);
}

INLINE void add_window(const size_t vectors, const size_t inputs, const eg_window_tile *t)
{
    VECTOR sum[EG_WINDOW_INPUTS][WINDOW_VECTORS];
    for (size_t k = 0; k < inputs; k++) {
        for (size_t i = 0; i < vectors; i++) {
            sum[k][i] = ZERO();
        }
    }
    const size_t pixel = t->x_pixel;
    const size_t lanes = t->lanes;
    for (size_t b = 0; b < t->images; b++) {
        for (size_t r = 0; r < t->rows; r++) {
            const eg_real *x = t->x + b * t->x_image + r * t->x_row;
            const eg_real *dy = t->dy + b * t->dy_image + r * t->dy_row;
            for (size_t n = 0; n < t->count; n++) {
                VECTOR d[WINDOW_VECTORS];
                for (size_t i = 0; i < vectors; i++) {
                    d[i] = LOAD(dy + i * WIDE);
                }
                for (size_t k = 0; k < inputs; k++) {
                    const VECTOR value = SET(x[k]);
                    for (size_t i = 0; i < vectors; i++) {
                        sum[k][i] = MULTIPLY_ADD(value, d[i], sum[k][i]);
                    }
                }
                x += pixel;
                dy += lanes;
            }
        }
    }
    for (size_t k = 0; k < inputs; k++) {
        for (size_t i = 0; i < vectors; i++) {
            STORE(t->sum + k * EG_WINDOW_MAX + i * WIDE, sum[k][i]);
        }
    }
}

INLINE void window_of_inputs(const size_t vectors, const eg_window_tile *t)
{
    switch (t->inputs) {
    case 1:
        add_window(vectors, 1, t);
        break;
    case 2:
        add_window(vectors, 2, t);
        break;
    case 3:
        add_window(vectors, 3, t);
        break;
    case 4:
        add_window(vectors, 4, t);
        break;
    case 5:
        add_window(vectors, 5, t);
        break;
    case 6:
        add_window(vectors, 6, t);
        break;
    case 7:
        add_window(vectors, 7, t);
        break;
    default:
        add_window(vectors, EG_WINDOW_INPUTS, t);
        break;
    }
}

/* Registers first … first+vectors-1 of the pieces. */
INLINE void add_listed(const size_t vectors, const eg_listed_tile *t, size_t first)
{
    enum { PARTS = EG_PIECE / WIDE };
    VECTOR sum[EG_PIECES_MAX];
    const eg_real *from[EG_PIECES_MAX];
    for (size_t i = 0; i < vectors; i++) {
        const size_t piece = (first + i) / PARTS;
        const size_t part = (first + i) % PARTS * WIDE;
        from[i] = t->from + t->from_at[piece] + part;
        sum[i] = LOAD(t->to + t->to_at[piece] + part);
    }
    for (size_t e = 0; e < t->count; e++) {
        const VECTOR value = SET(t->entry.value[e]);
        const size_t at = t->entry.at[e];
        for (size_t i = 0; i < vectors; i++) {
            sum[i] = MULTIPLY_ADD(value, LOAD(from[i] + at), sum[i]);
        }
    }
    for (size_t i = 0; i < vectors; i++) {
        const size_t piece = (first + i) / PARTS;
        STORE(t->to + t->to_at[piece] + (first + i) % PARTS * WIDE, sum[i]);
    }
}

INLINE void listed_vectors(size_t vectors, const eg_listed_tile *t, size_t first)
{
    switch (vectors) {
    case 1:
        add_listed(1, t, first);
        break;
    case 2:
        add_listed(2, t, first);
        break;
    case 3:
        add_listed(3, t, first);
        break;
    case 4:
        add_listed(4, t, first);
        break;
    case 5:
        add_listed(5, t, first);
        break;
    case 6:
        add_listed(6, t, first);
        break;
    case 7:
        add_listed(7, t, first);
        break;
    case 8:
        add_listed(8, t, first);
        break;
    case 9:
        add_listed(9, t, first);
        break;
    case 10:
        add_listed(10, t, first);
        break;
    case 11:
        add_listed(11, t, first);
        break;
    default:
        add_listed(EG_PIECES_MAX, t, first);
        break;
    }
}

INLINE void whole_listed(const eg_listed_tile *t)
{
    const size_t vectors = t->pieces * (EG_PIECE / WIDE);
    for (size_t first = 0; first < vectors; first += EG_PIECES_MAX) {
        const size_t left = vectors - first;
        listed_vectors(left < EG_PIECES_MAX ? left : EG_PIECES_MAX, t, first);
    }
}
