/** K-means from inner products alone: vectors so long that they are read once.
 *
 *  Centroids are combinations of `vectors` given vectors, the first `points` of which are assigned
 *  to clusters; the others are where clusters may begin. With G [vectors, vectors] the inner
 *  products and w the weights of a centroid, its distance to point j is
 *
 *      G_jj - 2 sum_k w_k G_jk + sum_k,l w_k w_l G_kl.
 *
 *  Source: Lloyd 1982, Least squares quantization in PCM. */
#ifndef ENGRAM_LEARNER_KMEANS_H
#define ENGRAM_LEARNER_KMEANS_H

#include "engram/real.h"
#include "engram/status.h"

#include <stdbool.h>
#include <stddef.h>

/** Adds the inner products of vectors [n] of length `count` to gram [n, n]: product by product in
 *  double. A long vector may come in pieces. */
void eg_kmeans_gram(size_t n, size_t count, const eg_real *const *vectors, double *gram);

/** Begins zero. */
typedef struct eg_kmeans {
    size_t points, vectors, clusters;
    const double *gram; /**< [vectors, vectors] borrowed */
    double *weight;     /**< [clusters, vectors] owned */
    size_t *of;         /**< [points] the cluster of each; owned */
    size_t *members;    /**< [clusters] owned */
    double objective;   /**< sum of squared distances to the centroids, of the last assignment */
} eg_kmeans;

/** Cluster c begins at vector start[c]. On failure the caller still clears it. */
eg_status eg_kmeans_init(eg_kmeans *out, size_t points, size_t vectors, const double *gram,
                         size_t clusters, const size_t *start) EG_WARN_UNUSED;
void eg_kmeans_clear(eg_kmeans *kmeans);
/** Points to their nearest centroids, of equal ones the first; true: an assignment changed. */
bool eg_kmeans_assign(eg_kmeans *kmeans);
/** Centroids to the means of their points; one without points stays. */
void eg_kmeans_move(eg_kmeans *kmeans);
/** So many iterations at most, fewer where they change nothing; centroids are means then. */
void eg_kmeans_run(eg_kmeans *kmeans, size_t iterations);

#endif
