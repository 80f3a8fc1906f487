/** Tiles of small products for one width of vector registers. Included once by the file of an
 *  instruction set, which defines before:
 *      INLINE              how its inlined functions are declared
 *      VECTOR, WIDE        the type of a register, and numbers in it
 *      ZERO() SET(a) LOAD(p) STORE(p, v) ADD(a, b) MULTIPLY_ADD(a, b, sum)
 *      ROWS                rows of C whose sums fit into the registers
 *
 *  Called with constant `rows`, so that the sums are registers. */

enum { PARTS = EG_SMALL_PRODUCT_LANES / WIDE };

INLINE void tile(const size_t rows, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                 bool add, eg_real *c, size_t c_row)
{
    VECTOR sum[ROWS][PARTS];
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < PARTS; i++) {
            sum[r][i] = ZERO();
        }
    }
    for (size_t p = 0; p < k; p++) {
        VECTOR weight[PARTS];
        const eg_real *value = a.first + p * a.column;
        for (size_t i = 0; i < PARTS; i++) {
            weight[i] = LOAD(b + p * b_row + i * WIDE);
        }
        for (size_t r = 0; r < rows; r++) {
            const VECTOR x = SET(value[r * a.row]);
            for (size_t i = 0; i < PARTS; i++) {
                sum[r][i] = MULTIPLY_ADD(x, weight[i], sum[r][i]);
            }
        }
    }
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < PARTS; i++) {
            eg_real *to = c + r * c_row + i * WIDE;
            STORE(to, add ? ADD(LOAD(to), sum[r][i]) : sum[r][i]);
        }
    }
}

INLINE void all_tiles(size_t m, size_t n, size_t k, eg_strided a, const eg_real *b, size_t b_row,
                      bool add, eg_real *c, size_t c_row)
{
    for (size_t j = 0; j + EG_SMALL_PRODUCT_LANES <= n; j += EG_SMALL_PRODUCT_LANES) {
        eg_strided left = a;
        size_t i = 0;
        for (; i + ROWS <= m; i += ROWS) {
            tile(ROWS, k, left, b + j, b_row, add, c + i * c_row + j, c_row);
            left.first += ROWS * a.row;
        }
        for (; i < m; i++) {
            tile(1, k, left, b + j, b_row, add, c + i * c_row + j, c_row);
            left.first += a.row;
        }
    }
}
