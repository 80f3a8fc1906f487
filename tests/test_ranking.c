/** Ranking points: what counts, in which order, over which seeds, and paired comparison. */
#include "testing.h"

#include "engram/memory.h"
#include "engram/params.h"
#include "engram/ranking.h"

#include <math.h>

enum { POINTS = 8 };

#define SEED(p, s, how, a, b)                                                                      \
    {                                                                                              \
        .point = (p), .seed = (s), .status = EG_TRIAL_##how, .stage = EG_STAGE_FIRST,              \
        .selected = (a), .reported = (b)                                                           \
    }

static const double none = (double)NAN;

/** Points 0 … POINTS-1 of these trials, sorted. Release with eg_free. */
static eg_ranked_point *rank(const eg_ranking_basis *basis, const eg_scored_trial *trials,
                             size_t count)
{
    eg_ranked_point *points = NULL;
    assert_ok(eg_ranking_create(&points, POINTS));
    for (size_t i = 0; i < count; i++) {
        eg_ranking_add(points, basis, &trials[i]);
    }
    eg_ranking_sort(points, POINTS, basis);
    return points;
}

static void assert_order(const eg_ranked_point *points, const size_t *expected)
{
    for (size_t i = 0; i < POINTS; i++) {
        assert_int_equal(points[i].point, expected[i]);
    }
}

static void better_means_come_first(void **state)
{
    (void)state;
    static const eg_scored_trial trials[] = {
        SEED(0, 0, DONE, 0.4, 0.1),      SEED(0, 1, DONE, 0.6, 0.2),
        SEED(1, 0, PENDING, none, none), SEED(2, 0, DONE, 0.9, 0.3),
        SEED(2, 1, FAILED, none, none),  SEED(3, 0, DONE, 0.5, 0.4),
        SEED(3, 1, SKIPPED, none, none), SEED(4, 0, FAILED, none, none),
    };
    static const size_t highest[] = {2, 0, 3, 4, 1}; /* of point 4 all failed, 1 is not finished */
    static const size_t lowest[] = {0, 3, 2, 4, 1};
    for (int maximise = 0; maximise < 2; maximise++) {
        eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", maximise);
        eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
        for (size_t i = 0; i < 5; i++) {
            assert_int_equal(points[i].point, (maximise ? highest : lowest)[i]);
        }
        assert_int_equal(eg_ranking_best(points, POINTS, &basis)->point, maximise ? 2 : 0);
        eg_free(points);
    }
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
    const eg_stage_sum *first = eg_point_selecting(&points[0]);
    assert_int_equal(first->planned, 2);
    assert_int_equal(first->selected.n, 1);
    assert_int_equal(eg_point_count(&points[0], EG_TRIAL_FAILED), 1);
    assert_close(eg_point_reporting(&points[1])->reported.mean, 0.15, 1e-15);
    assert_null(eg_ranking_best(&points[3], 1, &basis));
    eg_free(points);
}

/** A diverged trial has recorded chance, and steps that it made before: only the former counts. */
static void diverged_trials_count_as_chance_or_not_at_all(void **state)
{
    (void)state;
    static const eg_scored_trial accuracies[] = {
        SEED(0, 0, DONE, 0.7, 0.7),     SEED(0, 1, DIVERGED, 0.1, 0.1),
        SEED(1, 0, DIVERGED, 0.1, 0.1), SEED(1, 1, DIVERGED, 0.1, 0.1),
        SEED(2, 0, DONE, 0.3, 0.3),     SEED(2, 1, DONE, 0.3, 0.3),
    };
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, accuracies, EG_COUNT(accuracies));
    static const size_t by_accuracy[POINTS] = {0, 2, 1, 3, 4, 5, 6, 7};
    assert_order(points, by_accuracy);
    assert_close(eg_point_selecting(&points[0])->selected.mean, 0.4, 1e-15);
    assert_int_equal(eg_point_count(&points[0], EG_TRIAL_DIVERGED), 1);
    eg_free(points);

    static const eg_scored_trial forgetting[] = {
        SEED(0, 0, DONE, 0.1, 0.1),       SEED(0, 1, DIVERGED, none, none),
        SEED(1, 0, DIVERGED, none, none), SEED(1, 1, DIVERGED, none, none),
        SEED(2, 0, DONE, 0.5, 0.5),       SEED(2, 1, DONE, 0.5, 0.5),
        SEED(3, 0, DONE, 0.4, 0.4),       SEED(3, 1, DONE, 0.4, 0.4),
    };
    basis = eg_ranking_by_variable("forgetting");
    assert_false(basis.maximise);
    points = rank(&basis, forgetting, EG_COUNT(forgetting));
    static const size_t by_forgetting[POINTS] = {3, 2, 0, 1, 4, 5, 6, 7};
    assert_order(points, by_forgetting);
    assert_int_equal(eg_point_selecting(&points[2])->selected.n, 1);
    assert_int_equal(eg_point_selecting(&points[3])->selected.n, 0);
    eg_free(points);

    /* Steps of a training that was broken off make no cheap point. */
    static const eg_scored_trial steps[] = {SEED(0, 0, DIVERGED, 3, 3), SEED(1, 0, DONE, 50, 50)};
    basis = eg_ranking_by_variable("steps");
    points = rank(&basis, steps, EG_COUNT(steps));
    assert_int_equal(points[0].point, 1);
    assert_int_equal(eg_point_selecting(&points[1])->selected.n, 0);
    eg_free(points);
}

/** What a rule has left of a weak point are its best seeds. */
static void points_with_stopped_seeds_come_behind(void **state)
{
    (void)state;
    static const eg_scored_trial trials[] = {
        SEED(0, 0, DONE, 0.9, 0.9),
        SEED(0, 1, STOPPED, none, none),
        SEED(1, 0, DONE, 0.6, 0.6),
        SEED(1, 1, DONE, 0.6, 0.6),
    };
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
    assert_int_equal(points[0].point, 1);
    assert_int_equal(points[1].point, 0);
    eg_free(points);
}

static void fresh_seeds_report_what_the_others_chose(void **state)
{
    (void)state;
    eg_scored_trial trials[] = {
        SEED(0, 0, DONE, 0.9, 0.8), SEED(0, 1, DONE, 0.7, 0.6),      SEED(0, 2, DONE, 0.5, 0.3),
        SEED(0, 3, DONE, 0.5, 0.5), SEED(0, 4, PENDING, none, none), SEED(1, 0, DONE, 0.6, 0.7),
        SEED(2, 0, DONE, 1, 1),
    };
    for (size_t i = 2; i < 5; i++) {
        trials[i].stage = EG_STAGE_SECOND;
    }
    trials[6].stage = EG_STAGE_EARLIER; /* an edit removed it */
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
    static const size_t order[POINTS] = {0, 1, 2, 3, 4, 5, 6, 7};
    assert_order(points, order); /* point 2 has the best mean, but not in this sweep */
    assert_true(eg_point_is_fresh(&points[0]));
    assert_close(eg_point_selecting(&points[0])->selected.mean, 0.8, 1e-15);
    assert_close(eg_point_reporting(&points[0])->reported.mean, 0.4, 1e-15);
    assert_int_equal(eg_point_reporting(&points[0])->reported.n, 2);
    assert_int_equal(eg_point_reporting(&points[0])->planned, 3);
    assert_int_equal(eg_point_planned(&points[0]), 5);
    assert_int_equal(eg_point_count(&points[0], EG_TRIAL_DONE), 4);
    assert_false(eg_point_is_fresh(&points[1]));
    assert_close(eg_point_reporting(&points[1])->reported.mean, 0.7, 1e-15);
    assert_true(eg_point_is_stale(&points[2]));
    assert_false(eg_point_is_stale(&points[0]));
    eg_free(points);
}

static void comparisons_are_paired_by_seed(void **state)
{
    (void)state;
    /* Differences of point 1 to point 0 over the seeds 5, 6, 7: -1, -2, -3 tenths. */
    static const eg_scored_trial trials[] = {
        SEED(0, 5, DONE, 0.9, 0.9), SEED(0, 6, DONE, 0.9, 0.9), SEED(0, 7, DONE, 0.9, 0.9),
        SEED(1, 7, DONE, 0.6, 0.6), SEED(1, 5, DONE, 0.8, 0.8), SEED(1, 6, DONE, 0.7, 0.7),
        SEED(1, 8, DONE, 0.2, 0.2), SEED(2, 5, DONE, 0.1, 0.1), SEED(2, 6, FAILED, none, none),
    };
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
    eg_comparison *comparisons = NULL;
    assert_ok(eg_ranking_compare(&comparisons, points, POINTS, &points[0], &basis, trials,
                                 EG_COUNT(trials)));
    assert_int_equal(points[1].point, 1);
    assert_int_equal(comparisons[1].point, 1);
    assert_int_equal(comparisons[1].difference.n, 3);
    assert_close(comparisons[1].difference.mean, -0.2, 1e-15);
    /* t = 2 √3 with 2 degrees of freedom, as in test_statistics.c */
    assert_close(comparisons[1].p, 1 - sqrt(12) / sqrt(14), 1e-12);
    assert_close(comparisons[1].p_holm, comparisons[1].p, 1e-15); /* the only one with a p */
    assert_false(comparisons[1].fresh);
    assert_int_equal(comparisons[0].difference.n, 0);
    assert_int_equal(comparisons[2].difference.n, 1);
    assert_true(isnan(comparisons[2].p) && isnan(comparisons[2].p_holm));
    eg_free(comparisons);
    eg_free(points);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

static void two_points_are_paired_by_seed(void **state)
{
    (void)state;
    eg_scored_trial trials[] = {
        SEED(0, 7, DONE, 0.9, 0.9),     SEED(0, 5, DONE, 0.9, 0.8), SEED(0, 6, FAILED, none, none),
        SEED(1, 5, DIVERGED, 0.1, 0.1), SEED(1, 6, DONE, 0.7, 0.7), SEED(1, 7, DONE, 0.6, 0.6),
        SEED(1, 8, DONE, 0.6, 0.6),     SEED(0, 8, DONE, 0.5, 0.5), SEED(1, 9, DONE, 0.4, 0.4),
    };
    eg_ranking_basis basis = eg_ranking_by_objective("final_accuracy", true);
    eg_ranked_point *points = rank(&basis, trials, EG_COUNT(trials));
    eg_seed_pairs pairs;
    assert_ok(eg_ranking_pair(&pairs, &points[0], &points[1], &basis, trials, EG_COUNT(trials)));
    static const double expected[][3] = {{5, 0.8, 0.1}, {7, 0.9, 0.6}, {8, 0.5, 0.6}};
    assert_int_equal(points[0].point, 0);
    assert_int_equal(pairs.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pairs.items[i].seed, expected[i][0]);
        assert_close(pairs.items[i].first, expected[i][1], 0);
        assert_close(pairs.items[i].second, expected[i][2], 0);
    }
    assert_int_equal(pairs.first_alone, 0);
    assert_int_equal(pairs.second_alone, 2);
    assert_false(pairs.fresh);
    eg_free(pairs.items);
    eg_free(points);

    /* Fresh seeds of both: those alone; of one: not. */
    trials[7].stage = EG_STAGE_SECOND;
    points = rank(&basis, trials, EG_COUNT(trials));
    assert_ok(eg_ranking_pair(&pairs, &points[0], &points[1], &basis, trials, EG_COUNT(trials)));
    assert_int_equal(pairs.count, 2);
    assert_false(pairs.fresh);
    eg_free(pairs.items);
    eg_free(points);
    trials[6].stage = trials[8].stage = EG_STAGE_SECOND;
    points = rank(&basis, trials, EG_COUNT(trials));
    assert_ok(eg_ranking_pair(&pairs, &points[0], &points[1], &basis, trials, EG_COUNT(trials)));
    assert_int_equal(pairs.count, 1);
    assert_int_equal(pairs.items[0].seed, 8);
    assert_int_equal(pairs.second_alone, 1);
    assert_true(pairs.fresh);
    eg_free(pairs.items);
    eg_free(points);
    assert_int_equal(eg_memory_live_blocks(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(better_means_come_first),
        cmocka_unit_test(diverged_trials_count_as_chance_or_not_at_all),
        cmocka_unit_test(points_with_stopped_seeds_come_behind),
        cmocka_unit_test(fresh_seeds_report_what_the_others_chose),
        cmocka_unit_test(comparisons_are_paired_by_seed),
        cmocka_unit_test(two_points_are_paired_by_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
