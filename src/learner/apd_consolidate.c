/** Hierarchical knowledge consolidation: tasks whose tau are alike in a part share what is alike in
 *  it. For every part on its own, with A_j = tau_j + sigma_g(j):
 *
 *      1. K = centroids * tasks / every clusters of the A_j (learner/kmeans.h); first those of last
 *         time, the others begin at tasks drawn at random;
 *      2. a cluster of several tasks becomes a group: where max A_j - min A_j <= beta in it,
 *         sigma_g is the centre of these and tau_j is 0; elsewhere sigma_g is 0 and tau_j is A_j.
 *         A task that is alone has tau_j = A_j and no group.
 *
 *  The means of the A_j are kept: the next clusters begin there. */
#include "engram/memory.h"
#include "learner/apd_chunk.h"
#include "learner/kmeans.h"

#include <math.h>
#include <string.h>

enum { ITERATIONS = 100 };

eg_status eg_apd_groups_init(eg_apd_groups *out, size_t phases)
{
    EG_TRY(eg_alloc(&out->shared, phases, sizeof *out->shared));
    return eg_alloc(&out->centroid, phases, sizeof *out->centroid);
}

void eg_apd_groups_clear(eg_apd_groups *groups, size_t phases)
{
    for (size_t g = 0; g < phases; g++) {
        eg_free(groups->shared != NULL ? groups->shared[g] : NULL);
        eg_free(groups->centroid != NULL ? groups->centroid[g] : NULL);
    }
    eg_free(groups->shared);
    eg_free(groups->centroid);
    *groups = (eg_apd_groups){.shared = NULL};
}

/* The consolidation of a part. */
typedef struct work {
    eg_apd *self;
    size_t part;
    size_t count;          /* known tasks */
    size_t *task;          /* [count] these */
    size_t kept;           /* centroids of last time */
    eg_real *room;         /* [count + kept][EG_APD_CHUNK] */
    const eg_real **piece; /* [count + kept] of the A_j, then of these centroids */
    double *gram;          /* [count + kept]^2 */
    size_t *start;         /* [clusters] */
    eg_kmeans kmeans;
    eg_apd_groups made; /* owned until they are put in place */
} work;

/* A_j and kept centroids from number i of the part on. */
static void look(const work *w, size_t i, size_t n)
{
    const eg_apd *self = w->self;
    size_t at = self->layout.parts[w->part].at + i;
    for (size_t k = 0; k < w->count; k++) {
        eg_real *a = w->room + k * EG_APD_CHUNK;
        const eg_real *tau = eg_apd_tau(self, w->task[k], at, n, a);
        const eg_real *shared = eg_apd_shared(self, w->task[k], w->part, i);
        for (size_t e = 0; e < n; e++) {
            a[e] = tau[e] + (shared != NULL ? shared[e] : 0);
        }
        w->piece[k] = a;
    }
    for (size_t c = 0; c < w->kept; c++) {
        w->piece[w->count + c] = self->groups[w->part].centroid[c] + i;
    }
}

static size_t next_chunk(size_t i, size_t count)
{
    return count - i < EG_APD_CHUNK ? count - i : EG_APD_CHUNK;
}

/* Centroids that were kept, then distinct tasks. */
static eg_status choose_starts(work *w, size_t clusters, size_t arrived)
{
    uint32_t *order = NULL;
    EG_TRY(eg_alloc(&order, w->count, sizeof *order));
    for (size_t k = 0; k < w->count; k++) {
        order[k] = (uint32_t)k;
    }
    const eg_apd *self = w->self;
    eg_rng rng =
        eg_rng_make(self->seed, EG_PURPOSE_CLUSTER, arrived * self->layout.part_count + w->part);
    eg_rng_shuffle(&rng, w->count, order);
    for (size_t c = 0; c < clusters; c++) {
        w->start[c] = c < w->kept ? w->count + c : order[c - w->kept];
    }
    eg_free(order);
    return eg_ok();
}

static eg_status cluster(work *w, size_t clusters, size_t arrived)
{
    size_t count = w->self->layout.parts[w->part].block->count;
    size_t vectors = w->count + w->kept;
    EG_TRY(eg_alloc(&w->gram, vectors * vectors, sizeof *w->gram));
    EG_TRY(eg_alloc(&w->start, clusters, sizeof *w->start));
    EG_TRY(choose_starts(w, clusters, arrived));
    for (size_t i = 0; i < count; i += EG_APD_CHUNK) {
        look(w, i, next_chunk(i, count));
        eg_kmeans_gram(vectors, next_chunk(i, count), w->piece, w->gram);
    }
    EG_TRY(eg_kmeans_init(&w->kmeans, w->count, vectors, w->gram, clusters, w->start));
    eg_kmeans_run(&w->kmeans, ITERATIONS);
    return eg_ok();
}

static void place_centroid(const work *w, size_t c, size_t i, size_t n)
{
    const double *weight = w->kmeans.weight + c * w->kmeans.vectors;
    for (size_t e = 0; e < n; e++) {
        double sum = 0;
        for (size_t k = 0; k < w->kmeans.vectors; k++) {
            sum += weight[k] != 0 ? weight[k] * (double)w->piece[k][e] : 0;
        }
        w->made.centroid[c][i + e] = (eg_real)sum;
    }
}

/* sigma_g of a number that all members share; NaN: they do not. */
static double centre_of(const work *w, size_t c, size_t e)
{
    double low = (double)INFINITY;
    double high = -(double)INFINITY;
    double sum = 0;
    for (size_t k = 0; k < w->count; k++) {
        if (w->kmeans.of[k] == c) {
            double a = (double)w->piece[k][e];
            low = a < low ? a : low;
            high = a > high ? a : high;
            sum += a;
        }
    }
    double middle = w->self->settings.centre == EG_APD_MIDPOINT
                        ? (low + high) / 2
                        : sum / (double)w->kmeans.members[c];
    return high - low <= w->self->settings.beta ? middle : (double)NAN;
}

static eg_real *tau_of(const work *w, size_t k, size_t i)
{
    const eg_apd *self = w->self;
    return eg_apd_plane(self, self->task[w->task[k]].plane) + self->layout.parts[w->part].at + i;
}

static void place_cluster(const work *w, size_t c, size_t i, size_t n)
{
    eg_real *shared = w->made.shared[c];
    for (size_t e = 0; e < n; e++) {
        double centre = shared != NULL ? centre_of(w, c, e) : (double)NAN;
        if (shared != NULL) {
            shared[i + e] = isnan(centre) ? 0 : (eg_real)centre;
        }
        for (size_t k = 0; k < w->count; k++) {
            if (w->kmeans.of[k] == c) {
                tau_of(w, k, i)[e] = isnan(centre) ? w->piece[k][e] : 0;
            }
        }
    }
}

static eg_status make_groups(work *w)
{
    eg_apd *self = w->self;
    size_t count = self->layout.parts[w->part].block->count;
    EG_TRY(eg_apd_groups_init(&w->made, self->phases));
    for (size_t c = 0; c < w->kmeans.clusters; c++) {
        EG_TRY(eg_alloc(&w->made.centroid[c], count, sizeof(eg_real)));
        if (w->kmeans.members[c] > 1) {
            EG_TRY(eg_alloc(&w->made.shared[c], count, sizeof(eg_real)));
        }
    }
    for (size_t i = 0; i < count; i += EG_APD_CHUNK) {
        look(w, i, next_chunk(i, count));
        for (size_t c = 0; c < w->kmeans.clusters; c++) {
            place_centroid(w, c, i, next_chunk(i, count));
            place_cluster(w, c, i, next_chunk(i, count));
        }
    }
    for (size_t k = 0; k < w->count; k++) {
        size_t c = w->kmeans.of[k];
        self->task[w->task[k]].group[w->part] = w->kmeans.members[c] > 1 ? c : EG_APD_NONE;
    }
    /* What there was goes with w. */
    eg_apd_groups before = self->groups[w->part];
    self->groups[w->part] = w->made;
    w->made = before;
    return eg_ok();
}

static void clear(work *w)
{
    eg_apd_groups_clear(&w->made, w->self->phases);
    eg_free(w->room);
    eg_free((void *)w->piece);
    eg_free(w->gram);
    eg_free(w->start);
    eg_kmeans_clear(&w->kmeans);
}

static eg_status consolidate_part(eg_apd *self, size_t part, size_t *task, size_t count,
                                  size_t clusters, size_t arrived)
{
    work w = {.self = self, .part = part, .count = count, .task = task};
    eg_status status = eg_ok();
    while (w.kept < clusters && self->groups[part].centroid[w.kept] != NULL) {
        w.kept++;
    }
    size_t vectors = count + w.kept;
    EG_TRY_DONE(status, eg_alloc(&w.room, vectors * EG_APD_CHUNK, sizeof *w.room));
    EG_TRY_DONE(status, eg_alloc(&w.piece, vectors, sizeof *w.piece));
    EG_TRY_DONE(status, cluster(&w, clusters, arrived));
    EG_TRY_DONE(status, make_groups(&w));
done:
    clear(&w);
    return status;
}

eg_status eg_apd_consolidate(eg_apd *self)
{
    size_t *task = NULL;
    size_t count = 0;
    size_t arrived = self->current + 1;
    EG_TRY(eg_alloc(&task, self->phases, sizeof *task));
    for (size_t t = 0; t < self->phases; t++) {
        if (self->task[t].known) {
            task[count++] = t;
        }
    }
    size_t clusters = self->settings.centroids * arrived / self->settings.every;
    clusters = clusters < count ? clusters : count;
    eg_status status = eg_ok();
    self->deleted = eg_apd_shared_kept(self);
    for (size_t p = 0; p < self->layout.part_count && status.code == EG_OK; p++) {
        status = consolidate_part(self, p, task, count, clusters, arrived);
    }
    eg_free(task);
    self->shown = EG_APD_NONE;
    return status;
}
