/** Consolidation of additive parameter decomposition, and the k-means under it; in double. */
#include "apd_scene.h"

#include "learner/kmeans.h"

#include <math.h>

static double random_of(eg_rng *rng)
{
    return eg_rng_normal(rng);
}

enum { POINTS = 9, LENGTH = 37, CLUSTERS = 3 };

typedef struct cloud {
    eg_real x[POINTS][LENGTH];
    double gram[POINTS * POINTS];
} cloud;

static void make_cloud(cloud *c, uint64_t seed)
{
    const eg_real *vectors[POINTS];
    eg_rng rng = eg_rng_make(seed, EG_PURPOSE_TEST, 3);
    *c = (cloud){.gram = {0}};
    for (size_t j = 0; j < POINTS; j++) {
        for (size_t i = 0; i < LENGTH; i++) {
            c->x[j][i] = (eg_real)(random_of(&rng) + (double)(j % CLUSTERS) * 0.3);
        }
        vectors[j] = c->x[j];
    }
    /* In two pieces. */
    eg_kmeans_gram(POINTS, 20, vectors, c->gram);
    for (size_t j = 0; j < POINTS; j++) {
        vectors[j] += 20;
    }
    eg_kmeans_gram(POINTS, LENGTH - 20, vectors, c->gram);
}

/* The distance to a centroid, from the vectors themselves. */
static double distance(const cloud *c, size_t j, const double *weight)
{
    double sum = 0;
    for (size_t i = 0; i < LENGTH; i++) {
        double centroid = 0;
        for (size_t k = 0; k < POINTS; k++) {
            centroid += weight[k] * (double)c->x[k][i];
        }
        sum += pow((double)c->x[j][i] - centroid, 2);
    }
    return sum;
}

static void the_objective_never_increases(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        const size_t start[CLUSTERS] = {0, 4, 7};
        cloud c;
        eg_kmeans kmeans;
        make_cloud(&c, seed);
        assert_ok(eg_kmeans_init(&kmeans, POINTS, POINTS, c.gram, CLUSTERS, start));
        double before = (double)INFINITY;
        bool changed = true;
        for (size_t i = 0; i < 100 && changed; i++) {
            changed = eg_kmeans_assign(&kmeans);
            double direct = 0;
            for (size_t j = 0; j < POINTS; j++) {
                const double *of = kmeans.weight + kmeans.of[j] * POINTS;
                direct += distance(&c, j, of);
                for (size_t k = 0; k < CLUSTERS; k++) {
                    assert_true(distance(&c, j, of) <=
                                distance(&c, j, kmeans.weight + k * POINTS) + 1e-9);
                }
            }
            assert_close(kmeans.objective, direct, 1e-10);
            assert_true(kmeans.objective <= before + 1e-9);
            before = kmeans.objective;
            eg_kmeans_move(&kmeans);
        }
        assert_false(changed);
        eg_kmeans_clear(&kmeans);
    }
}

/* Points 0, 1, 10 on a line and clusters that begin at 0, 1 and 1 again: the last one stays empty, as
 * the first of equal ones wins; 0.5 of 0 and 1 at the same distance goes to the first. */
static void ties_and_empty_clusters(void **state)
{
    (void)state;
    const eg_real x[] = {0, 1, 10};
    const eg_real *vectors[] = {&x[0], &x[1], &x[2]};
    const size_t start[] = {0, 1, 1};
    double gram[9] = {0};
    eg_kmeans kmeans;
    eg_kmeans_gram(3, 1, vectors, gram);
    assert_ok(eg_kmeans_init(&kmeans, 3, 3, gram, 3, start));
    assert_true(eg_kmeans_assign(&kmeans));
    assert_int_equal(kmeans.of[1], 1);
    assert_int_equal(kmeans.of[2], 1);
    assert_int_equal(kmeans.members[2], 0);
    eg_kmeans_move(&kmeans);
    assert_true(kmeans.weight[2 * 3 + 1] == 1); /* where it was */
    eg_kmeans_run(&kmeans, 100);
    /* The empty one was at 1, nearer than 5.5. */
    assert_int_equal(kmeans.of[0], 0);
    assert_int_equal(kmeans.of[2], 1);
    eg_kmeans_clear(&kmeans);
}

/* --- Consolidation of four tasks. --- */

typedef struct taken {
    eg_real *theta[APD_TASKS];
    size_t weights;
} taken;

static taken take(const learner_scene *s)
{
    taken t = {.weights = apd_of(s)->layout.weights};
    for (size_t j = 0; j < APD_TASKS; j++) {
        assert_ok(eg_alloc(&t.theta[j], t.weights, sizeof *t.theta[j]));
        eg_apd_theta(apd_of(s), j, true, t.theta[j]);
    }
    return t;
}

static void clear_taken(taken *t)
{
    for (size_t j = 0; j < APD_TASKS; j++) {
        eg_free(t->theta[j]);
    }
}

/* Four tasks, never consolidated yet, with K clusters and this beta from now on. */
static eg_apd *open_apd(learner_scene *s, size_t clusters, double beta)
{
    apd_scene_open(s, SCENE("learner.lambda1", "0.01", "learner.consolidate_every", "9"));
    for (size_t t = 0; t < APD_TASKS; t++) {
        apd_learn(s, t);
    }
    eg_apd *self = apd_of(s);
    self->settings.every = APD_TASKS;
    self->settings.centroids = clusters;
    self->settings.beta = beta;
    return self;
}

static void theta_moves_by_half_of_beta(void **state)
{
    (void)state;
    const double beta = 0.15;
    for (size_t clusters = 1; clusters <= 3; clusters++) {
        learner_scene s;
        eg_apd *self = open_apd(&s, clusters, beta);
        taken before = take(&s);
        assert_ok(eg_apd_consolidate(self));
        taken after = take(&s);
        double most = 0;
        for (size_t j = 0; j < APD_TASKS; j++) {
            for (size_t k = 0; k < before.weights; k++) {
                most = fmax(most, fabs((double)(after.theta[j][k] - before.theta[j][k])));
            }
        }
        assert_true(most > 0 && most <= beta / 2 + 1e-12);
        clear_taken(&before);
        clear_taken(&after);
        scene_close(&s);
    }
}

/* Members of a group have their zeros in the same places: where sigma_g is. */
static void members_share_zeros(void **state)
{
    (void)state;
    learner_scene s;
    eg_apd *self = open_apd(&s, 2, 0.2);
    size_t shared_numbers = 0;
    assert_ok(eg_apd_consolidate(self));
    for (size_t p = 0; p < self->layout.part_count; p++) {
        const eg_apd_part *part = &self->layout.parts[p];
        for (size_t j = 0; j < APD_TASKS; j++) {
            const eg_real *shared = eg_apd_shared(self, j, p, 0);
            const eg_real *tau = eg_apd_plane(self, self->task[j].plane) + part->at;
            for (size_t k = 0; shared != NULL && k < part->block->count; k++) {
                assert_true(shared[k] == 0 || tau[k] == 0);
                shared_numbers += shared[k] != 0 ? 1 : 0;
                for (size_t i = 0; i < APD_TASKS; i++) {
                    const eg_real *other = eg_apd_plane(self, self->task[i].plane) + part->at;
                    bool together = self->task[i].group[p] == self->task[j].group[p];
                    assert_true(!together || (other[k] == 0) == (tau[k] == 0));
                }
            }
        }
    }
    assert_true(shared_numbers > 0);
    scene_close(&s);
}

static void beta_of_0_and_of_infinity(void **state)
{
    (void)state;
    for (size_t all = 0; all < 2; all++) {
        learner_scene s;
        eg_apd *self = open_apd(&s, 1, all == 1 ? (double)INFINITY : 0);
        taken before = take(&s);
        assert_ok(eg_apd_consolidate(self));
        taken after = take(&s);
        for (size_t p = 0; p < self->layout.part_count; p++) {
            const eg_apd_part *part = &self->layout.parts[p];
            for (size_t k = 0; k < part->block->count; k++) {
                bool padding = eg_parameter_unit(part->block, k) >= part->block->units;
                eg_real shared = eg_apd_shared(self, 0, p, 0)[k];
                for (size_t j = 0; j < APD_TASKS && !padding; j++) {
                    eg_real tau = eg_apd_plane(self, self->task[j].plane)[part->at + k];
                    assert_true(all == 1 ? tau == 0 && shared != 0 : tau != 0 && shared == 0);
                }
            }
        }
        for (size_t j = 0; j < APD_TASKS && all == 0; j++) {
            assert_memory_equal(before.theta[j], after.theta[j],
                                before.weights * sizeof *before.theta[j]);
        }
        clear_taken(&before);
        clear_taken(&after);
        scene_close(&s);
    }
}

/* With one cluster the assignment is the same: the middle of equal numbers is that number. */
static void twice_in_a_row_changes_nothing(void **state)
{
    (void)state;
    learner_scene s;
    eg_apd *self = open_apd(&s, 1, 0.2);
    assert_ok(eg_apd_consolidate(self));
    taken once = take(&s);
    size_t bytes = self->planes * self->layout.plane * sizeof *self->all;
    eg_real *planes = NULL;
    assert_ok(eg_alloc(&planes, bytes, 1));
    memcpy(planes, eg_apd_plane(self, 0), bytes);
    assert_ok(eg_apd_consolidate(self));
    taken twice = take(&s);
    assert_memory_equal(planes, eg_apd_plane(self, 0), bytes);
    for (size_t j = 0; j < APD_TASKS; j++) {
        assert_memory_equal(once.theta[j], twice.theta[j], once.weights * sizeof *once.theta[j]);
    }
    eg_free(planes);
    clear_taken(&once);
    clear_taken(&twice);
    scene_close(&s);
}

/* Weights 1, 2, 4 of a layer in three tasks, one cluster, beta = 2 and 3. */
static void one_number_by_hand(void **state)
{
    (void)state;
    static const struct {
        double beta;
        eg_apd_centre centre;
        double shared, tau;
    } cases[] = {{2, EG_APD_MIDPOINT, 0, 1},
                 {3, EG_APD_MIDPOINT, 2.5, 0},
                 {3, EG_APD_MEAN, (1 + 2 + 4) / 3.0, 0}};
    for (size_t c = 0; c < EG_COUNT(cases); c++) {
        learner_scene s;
        eg_apd *self = open_apd(&s, 1, cases[c].beta);
        eg_apd_drop(self, 3);
        self->settings.centre = cases[c].centre;
        for (size_t j = 0; j < 3; j++) {
            eg_apd_plane(self, self->task[j].plane)[0] = (eg_real)(1 << j);
        }
        assert_ok(eg_apd_consolidate(self));
        assert_close((double)eg_apd_shared(self, 0, 0, 0)[0], cases[c].shared, 1e-15);
        for (size_t j = 0; j < 3; j++) {
            double tau = (double)eg_apd_plane(self, self->task[j].plane)[0];
            assert_true(tau == cases[c].tau * (double)(1 << j));
        }
        scene_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_objective_never_increases),
        cmocka_unit_test(ties_and_empty_clusters),
        cmocka_unit_test(theta_moves_by_half_of_beta),
        cmocka_unit_test(members_share_zeros),
        cmocka_unit_test(beta_of_0_and_of_infinity),
        cmocka_unit_test(twice_in_a_row_changes_nothing),
        cmocka_unit_test(one_number_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
