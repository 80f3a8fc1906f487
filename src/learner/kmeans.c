/** K-means from inner products; see learner/kmeans.h. */
#include "learner/kmeans.h"

#include "engram/memory.h"
#include "math/shared/clones.h"

#include <math.h>

enum { LANES = 8 };

EG_CLONES static double dot(size_t n, const eg_real *restrict x, const eg_real *restrict y)
{
    double lanes[LANES] = {0};
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t l = 0; l < LANES; l++) {
            lanes[l] += (double)x[i + l] * (double)y[i + l];
        }
    }
    double sum = 0;
    for (size_t l = 0; l < LANES; l++) {
        sum += lanes[l];
    }
    for (size_t i = whole; i < n; i++) {
        sum += (double)x[i] * (double)y[i];
    }
    return sum;
}

void eg_kmeans_gram(size_t n, size_t count, const eg_real *const *vectors, double *gram)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double product = dot(count, vectors[i], vectors[j]);
            gram[i * n + j] += product;
            gram[j * n + i] += i == j ? 0 : product;
        }
    }
}

eg_status eg_kmeans_init(eg_kmeans *out, size_t points, size_t vectors, const double *gram,
                         size_t clusters, const size_t *start)
{
    *out = (eg_kmeans){.points = points, .vectors = vectors, .clusters = clusters, .gram = gram};
    EG_TRY(eg_alloc(&out->weight, clusters * vectors, sizeof *out->weight));
    EG_TRY(eg_alloc(&out->of, points, sizeof *out->of));
    EG_TRY(eg_alloc(&out->members, clusters, sizeof *out->members));
    for (size_t c = 0; c < clusters; c++) {
        out->weight[c * vectors + start[c]] = 1;
    }
    for (size_t j = 0; j < points; j++) {
        out->of[j] = clusters; /* none */
    }
    return eg_ok();
}

void eg_kmeans_clear(eg_kmeans *kmeans)
{
    eg_free(kmeans->weight);
    eg_free(kmeans->of);
    eg_free(kmeans->members);
    *kmeans = (eg_kmeans){.points = 0};
}

static double distance(const eg_kmeans *kmeans, size_t j, const double *w)
{
    size_t n = kmeans->vectors;
    double own = 0;
    double cross = 0;
    for (size_t k = 0; k < n; k++) {
        double row = 0;
        for (size_t l = 0; w[k] != 0 && l < n; l++) {
            row += w[l] * kmeans->gram[k * n + l];
        }
        own += w[k] * row;
        cross += w[k] * kmeans->gram[j * n + k];
    }
    return kmeans->gram[j * n + j] - 2 * cross + own;
}

bool eg_kmeans_assign(eg_kmeans *kmeans)
{
    bool changed = false;
    kmeans->objective = 0;
    for (size_t c = 0; c < kmeans->clusters; c++) {
        kmeans->members[c] = 0;
    }
    for (size_t j = 0; j < kmeans->points; j++) {
        size_t best = 0;
        double least = (double)INFINITY;
        for (size_t c = 0; c < kmeans->clusters; c++) {
            double d = distance(kmeans, j, kmeans->weight + c * kmeans->vectors);
            best = d < least ? c : best;
            least = d < least ? d : least;
        }
        changed = changed || kmeans->of[j] != best;
        kmeans->of[j] = best;
        kmeans->members[best]++;
        kmeans->objective += least;
    }
    return changed;
}

void eg_kmeans_move(eg_kmeans *kmeans)
{
    for (size_t c = 0; c < kmeans->clusters; c++) {
        double *w = kmeans->weight + c * kmeans->vectors;
        for (size_t k = 0; kmeans->members[c] > 0 && k < kmeans->vectors; k++) {
            bool is_member = k < kmeans->points && kmeans->of[k] == c;
            w[k] = is_member ? 1 / (double)kmeans->members[c] : 0;
        }
    }
}

void eg_kmeans_run(eg_kmeans *kmeans, size_t iterations)
{
    for (size_t i = 0; i < iterations && eg_kmeans_assign(kmeans); i++) {
        eg_kmeans_move(kmeans);
    }
}
