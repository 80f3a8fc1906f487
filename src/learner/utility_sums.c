/** Sums over minibatches; see learner/utility_sums.h. */
#include "learner/utility_sums.h"

#include "math/shared/clones.h"
#include "math/shared/elementary.h"

#include <assert.h>
#include <string.h>

EG_CLONES static void add_values(size_t rows, size_t n, const eg_real *restrict y,
                                 eg_real *restrict sum)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            sum[i] += y[r * n + i];
        }
    }
}

EG_CLONES static void add_sizes(size_t rows, size_t n, const eg_real *restrict y,
                                eg_real *restrict sum)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            sum[i] += eg_abs(y[r * n + i]);
        }
    }
}

EG_CLONES static void add_distances(size_t rows, size_t n, const eg_real *restrict y,
                                    const eg_real *restrict centre, eg_real *restrict sum)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            sum[i] += eg_abs(y[r * n + i] - centre[i]);
        }
    }
}

EG_CLONES static void add_both(size_t rows, size_t n, const eg_real *restrict y,
                               eg_real *restrict sum, eg_real *restrict size)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < n; i++) {
            sum[i] += y[r * n + i];
            size[i] += eg_abs(y[r * n + i]);
        }
    }
}

static void add_rows(size_t rows, size_t n, const eg_real *y, const eg_real *centre, eg_real *mean,
                     eg_real *spread)
{
    if (centre != NULL) {
        add_distances(rows, n, y, centre, spread);
    } else if (mean != NULL && spread != NULL) {
        add_both(rows, n, y, mean, spread);
    } else if (mean != NULL) {
        add_values(rows, n, y, mean);
    } else if (spread != NULL) {
        add_sizes(rows, n, y, spread);
    }
}

static void clear(size_t n, eg_real *x)
{
    if (x != NULL) {
        memset(x, 0, n * sizeof *x);
    }
}

static void add_to(size_t n, const eg_real *part, eg_real *x)
{
    for (size_t i = 0; x != NULL && i < n; i++) {
        x[i] += part[i];
    }
}

static void divide(size_t n, size_t rows, eg_real *x)
{
    for (size_t i = 0; x != NULL && rows > 1 && i < n; i++) {
        x[i] /= (eg_real)rows;
    }
}

void eg_utility_means(const eg_utility_map *map, const eg_real *centre, eg_real *mean,
                      eg_real *spread)
{
    size_t n = map->units;
    size_t of_example = map->positions * map->parts;
    size_t rows = map->batch * of_example;
    assert(centre == NULL || mean == NULL);
    clear(n, mean);
    clear(n, spread);
    if (map->positions == 1) {
        add_rows(rows, n, map->y, centre, mean, spread);
    } else {
        eg_real *of_mean = mean != NULL ? map->scratch : NULL;
        eg_real *of_spread = spread != NULL ? map->scratch + n : NULL;
        for (size_t b = 0; b < map->batch; b++) {
            clear(n, of_mean);
            clear(n, of_spread);
            add_rows(of_example, n, map->y + b * of_example * n, centre, of_mean, of_spread);
            add_to(n, of_mean, mean);
            add_to(n, of_spread, spread);
        }
    }
    divide(n, rows, mean);
    divide(n, rows, spread);
}

/* sum [units] of |y - centre| at one position. */
static void add_position(const eg_utility_map *map, size_t p, const eg_real *centre, eg_real *sum)
{
    size_t n = map->units;
    clear(n, sum);
    for (size_t b = 0; b < map->batch; b++) {
        const eg_real *y = map->y + (b * map->positions + p) * map->parts * n;
        add_rows(map->parts, n, y, centre, NULL, sum);
    }
    divide(n, map->batch * map->parts, sum);
}

void eg_utility_uses(const eg_utility_map *map, size_t units, size_t positions,
                     const eg_real *centre, const eg_real *out, eg_real *x)
{
    clear(units, x);
    for (size_t p = 0; p < positions; p++) {
        if (map != NULL) {
            add_position(map, p, centre, map->scratch);
        }
        for (size_t i = 0; i < units; i++) {
            eg_real weight = out[i * positions + p];
            x[i] += map != NULL ? weight * map->scratch[i] : weight;
        }
    }
    divide(units, positions, x);
}
