/** Rows of pixels of which many numbers are 0, for one width of vector registers; see
 *  eg_skipping_row in math/convolve_kernel.h.
 *
 *  Included once by the file of an instruction set, after math/convolve_tiles.h, with what that
 *  one needs and
 *      NONZERO(n, p)       a bit for each of the first n numbers, up to WIDE, that is not 0; NaN is
 *                          not. Others are not read
 *      ROW_VECTORS         registers of a panel that are worked on together */

enum { MASK = 64 }; /* numbers of a pixel that are looked at together */

INLINE uint64_t nonzero_mask(size_t n, const eg_real *x)
{
    uint64_t mask = 0;
    for (size_t k = 0; k < n; k += WIDE) {
        mask |= (uint64_t)NONZERO(n - k < WIDE ? n - k : WIDE, x + k) << k;
    }
    return mask;
}

/* The numbers of a pixel from `first` on. */
INLINE uint64_t mask_of(const eg_skipping_row *t, const eg_real *x, size_t first)
{
    const size_t left = t->count - first;
    return nonzero_mask(left < MASK ? left : MASK, x + first);
}

/* The sums of three neighbouring pixels are registers: those that one pixel reaches. The first of
 * them is complete when it has been added. What would be outside of the row is loaded from, and
 * stored to, a place inside of it, which is overwritten later: branches would cost registers. Which
 * numbers come next is looked up before these are added, so that it is known in time. */
INLINE void skipping_lanes(const size_t vectors, const size_t rows, const size_t lanes,
                           const eg_skipping_row *t, size_t lane)
{
    VECTOR sum[EG_TAPS][EG_TAPS][ROW_VECTORS];
    const eg_real *x = t->x;
    uint64_t next = mask_of(t, x, 0);
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < vectors; i++) {
            sum[r][0][i] = ZERO();
            sum[r][1][i] = LOAD(t->from[r] + lane + i * WIDE);
        }
    }
    for (size_t j = 0; j < t->columns; j++) {
        const size_t after = j + 1 < t->columns ? j + 1 : j;
        const size_t before = j > 0 ? j - 1 : 0;
        for (size_t r = 0; r < rows; r++) {
            const eg_real *from = t->from[r] + after * t->from_pixel[r] + lane;
            for (size_t i = 0; i < vectors; i++) {
                sum[r][2][i] = LOAD(from + i * WIDE);
            }
        }
        for (size_t first = 0; first < t->count; first += MASK) {
            uint64_t there = next;
            next = first + MASK < t->count ? mask_of(t, x, first + MASK)
                                           : mask_of(t, t->x + after * t->count, 0);
            while (there != 0) {
                const size_t k = first + (size_t)__builtin_ctzll(there);
                const VECTOR value = SET(x[k]);
                const eg_real *w = t->w + k * t->w_number + lane;
                there &= there - 1;
                for (size_t r = 0; r < rows; r++) {
                    for (size_t v = 0; v < EG_TAPS; v++) {
                        for (size_t i = 0; i < vectors; i++) {
                            const VECTOR weight = LOAD(w + (r * EG_TAPS + v) * lanes + i * WIDE);
                            sum[r][v][i] = MULTIPLY_ADD(value, weight, sum[r][v][i]);
                        }
                    }
                }
            }
        }
        x += t->count;
        for (size_t r = 0; r < rows; r++) {
            eg_real *to = t->to[r] + before * t->to_pixel + lane;
            for (size_t i = 0; i < vectors; i++) {
                STORE(to + i * WIDE, sum[r][0][i]);
                sum[r][0][i] = sum[r][1][i];
                sum[r][1][i] = sum[r][2][i];
            }
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < vectors; i++) {
            STORE(t->to[r] + (t->columns - 1) * t->to_pixel + lane + i * WIDE, sum[r][0][i]);
        }
    }
}

INLINE void skipping_rows(const size_t vectors, const size_t lanes, const eg_skipping_row *t)
{
    for (size_t lane = 0; lane < lanes; lane += vectors * WIDE) {
        switch (t->rows) {
        case 1:
            skipping_lanes(vectors, 1, lanes, t, lane);
            break;
        case 2:
            skipping_lanes(vectors, 2, lanes, t, lane);
            break;
        default:
            skipping_lanes(vectors, EG_TAPS, lanes, t, lane);
            break;
        }
    }
}

INLINE void whole_row(const eg_skipping_row *t)
{
    enum { NARROW = 16, LARGE = 32 };
    if (t->lanes == NARROW) {
        skipping_rows(NARROW / WIDE < ROW_VECTORS ? NARROW / WIDE : ROW_VECTORS, NARROW, t);
    } else {
        skipping_rows(ROW_VECTORS, LARGE, t);
    }
}
