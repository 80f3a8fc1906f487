"""Intervals, aggregates, paired comparisons, ranks and tuning curves against scipy, closed forms and counting."""

import itertools
import math
import unittest

import numpy as np
import pandas
import scipy.stats

from engram_results import statistics as st

RNG = np.random.default_rng
VALUES = RNG(1).normal(0.7, 0.1, 12)


class Intervals(unittest.TestCase):
    def test_student_is_that_of_scipy_and_pandas(self):
        for n in (2, 3, 5, 12):
            values = VALUES[:n]
            got = st.student(np.append(values, np.nan))
            low, high = scipy.stats.t.interval(0.95, n - 1, values.mean(), scipy.stats.sem(values))
            np.testing.assert_allclose(got[:3], [pandas.Series(values).mean(), low, high], rtol=0, atol=1e-9)
            self.assertEqual(got.n, n)
            self.assertEqual(st.mean_interval(values), st.student(values))
        # t(0.975, 1) = tan(0.475 π)
        self.assertAlmostEqual(st.student([0, 2]).half, math.tan(0.475 * math.pi), places=12)
        for n in range(2, 120):
            t = st.student(np.arange(n)).half / scipy.stats.sem(np.arange(n))
            self.assertAlmostEqual(scipy.stats.t.sf(t, n - 1), 0.025, places=13)

    def test_one_value_has_no_interval(self):
        for kind in ("student", "paper", "bootstrap", "bca"):
            got = st.mean_interval([0.5, np.nan], kind)
            self.assertEqual((got.estimate, got.n), (0.5, 1))
            self.assertTrue(math.isnan(got.low) and math.isnan(got.high))
            self.assertEqual(st.mean_interval([], kind).n, 0)
        with self.assertRaisesRegex(ValueError, "no interval called `normal`"):
            st.mean_interval([1, 2], "normal")

    def test_default_covers_what_it_claims(self):
        rng = RNG(20)
        for n, papers in ((2, 2 / math.pi * math.atan(1.96 / math.sqrt(2))),
                          (3, 1.96 / math.sqrt(3 + 1.96 ** 2)), (5, None), (10, None)):
            samples = rng.normal(0.8, 0.05, (4000, n))
            rates = {kind: np.mean([low <= 0.8 <= high for _, low, high, _ in
                                    (st.mean_interval(sample, kind) for sample in samples)])
                     for kind in ("student", "paper")}
            self.assertTrue(0.93 <= rates["student"] <= 0.97, (n, rates))
            # The paper's has fewer, and as many as its closed form says (four standard errors).
            self.assertLess(rates["paper"], 0.93 if n < 10 else 0.95)
            if papers is not None:
                self.assertAlmostEqual(rates["paper"], papers, delta=4 * math.sqrt(0.25 / 4000))

    def test_paper_has_divisor_n(self):
        got = st.paper(VALUES)
        self.assertAlmostEqual(got.half, 1.96 * pandas.Series(VALUES).std(ddof=0) / math.sqrt(12), places=14)

    def test_bootstrap_of_one_stratum_is_that_of_scipy(self):
        for method in ("percentile", "bca"):
            for statistic in (np.mean, st.interquartile_mean):
                got = st.bootstrap(VALUES, statistic, method=method, resamples=999, seed=3)
                want = scipy.stats.bootstrap((VALUES,), statistic, n_resamples=999, method=method,
                                             random_state=RNG(3)).confidence_interval
                np.testing.assert_allclose(got[1:3], want, rtol=0, atol=1e-12)
                self.assertTrue(got.low < got.estimate < got.high)

    def test_strata_keep_their_sizes(self):
        # Two tasks far apart with little noise: resampled together, the mean would wander between them.
        labels = np.repeat(["easy", "hard"], 6)
        values = np.where(labels == "easy", 1.0, 0.0) + VALUES / 100
        together, apart = (st.bootstrap(values, strata=strata, resamples=999).half for strata in (None, labels))
        self.assertLess(apart, together / 20)
        # The standard error of a stratified mean: sqrt(Σ_h (n_h / n)² s_h² / n_h), s_h with divisor n_h.
        error = math.sqrt(sum(0.25 * np.var(values[labels == one]) / 6 for one in ("easy", "hard")))
        self.assertAlmostEqual(apart / (1.96 * error), 1, delta=0.1)
        self.assertEqual(st.bootstrap([2, 2, 3, 3], strata=[0, 0, 1, 1])[:3], (2.5, 2.5, 2.5))
        self.assertTrue(math.isnan(st.bootstrap([1, 2, 3], strata=[0, 0, 1]).low))


class Aggregates(unittest.TestCase):
    def test_probability_of_improvement_is_mann_whitneys(self):
        first, second = VALUES[:7], np.append(VALUES[7:], VALUES[:2])
        u = scipy.stats.mannwhitneyu(first, second).statistic
        self.assertAlmostEqual(st.probability_of_improvement(first, second), u / 49, places=12)
        self.assertAlmostEqual(st.probability_of_improvement(first, second, maximise=False), 1 - u / 49, places=12)
        self.assertEqual(st.probability_of_improvement([1, 1], [1]), 0.5)
        self.assertTrue(math.isnan(st.probability_of_improvement([], [1])))

    def test_interquartile_mean_cuts_a_quarter_at_each_end(self):
        self.assertEqual(st.interquartile_mean([100, 1, 2, 3, 4, 5, 6, -50]), 3.5)
        self.assertEqual(st.interquartile_mean([1, 2, 6]), 3)

    def test_profile_counts_runs_beyond(self):
        profile = st.performance_profile([1, 2, 3, 4], thresholds=[0, 2, 2.5, 4], strata=[0, 0, 1, 1])
        np.testing.assert_array_equal(profile.share, [1, 0.5, 0.5, 0])
        # At 3.5 a resample of {3, 4} has 0, 1 or 2 runs beyond, with probabilities 1/4, 1/2, 1/4.
        edge = st.performance_profile([1, 2, 3, 4], thresholds=[3.5], strata=[0, 0, 1, 1])
        self.assertEqual((edge.share[0], edge.low[0], edge.high[0]), (0.25, 0, 0.5))
        down = st.performance_profile([1, 2, 3, 4], thresholds=[2.5], maximise=False)
        self.assertEqual(down.share[0], 0.5)
        self.assertTrue(np.all(profile.low <= profile.share) and np.all(profile.share <= profile.high))


class Paired(unittest.TestCase):
    def test_without_ties_it_is_scipys_exact_test(self):
        for n in (1, 2, 5, 6, 9, 12):
            differences = RNG(n).normal(0.3, 1, n)
            self.assertAlmostEqual(st.wilcoxon(differences),
                                   scipy.stats.wilcoxon(differences, mode="exact").pvalue, places=12)

    def test_ties_and_zeros_are_counted_over_all_signs(self):
        differences = np.array([0, 1, -1, 2, 2, -2, 3, 0, 5, 5])
        d = differences[differences != 0]
        ranks = scipy.stats.rankdata(np.abs(d))
        sums = np.array([np.dot(signs, ranks) for signs in itertools.product((0, 1), repeat=len(d))])
        w = ranks[d > 0].sum()
        want = min(1, 2 * min(np.mean(sums <= w), np.mean(sums >= w)))
        self.assertAlmostEqual(st.wilcoxon(differences), want, places=12)
        self.assertEqual(st.wilcoxon([0, 0]), 1)
        self.assertTrue(math.isnan(st.wilcoxon([np.nan])))
        self.assertEqual(st.wilcoxon(np.arange(1, 6)), 0.0625)

    def test_large_samples_meet_the_normal_approximation(self):
        differences = RNG(7).normal(0.05, 1, 1200)
        approximate = scipy.stats.wilcoxon(differences, mode="approx").pvalue
        self.assertAlmostEqual(st.wilcoxon(differences), approximate, places=12)
        exact = st.wilcoxon(differences[:400])
        self.assertAlmostEqual(exact, scipy.stats.wilcoxon(differences[:400], mode="approx").pvalue, delta=2e-3)

    def test_comparison_pairs_seed_by_seed(self):
        first, second = VALUES[:6], VALUES[6:] - 0.05
        got = st.compare(np.append(first, [np.nan, 1]), np.append(second, [0, np.nan]))
        self.assertEqual(got.n, 6)
        self.assertEqual(got.difference, st.student(first - second))
        self.assertAlmostEqual(got.student, scipy.stats.ttest_rel(first, second).pvalue, places=12)
        self.assertEqual((got.wins, got.ties, got.losses),
                         (np.sum(first > second), 0, np.sum(first < second)))
        other = st.compare(first, second, maximise=False)
        self.assertEqual((other.wins, other.losses), (got.losses, got.wins))
        for one, other in (([1, 2], [1, 2]), ([1, 2], [0, 1]), ([1], [0])):
            self.assertTrue(math.isnan(st.compare(one, other).student))
        with self.assertRaisesRegex(ValueError, "are no pairs"):
            st.compare([1, 2], [1])

    def test_holm_by_hand(self):
        # 0.01·4, 0.02·3 (0.06), 0.03·2 (0.06), 0.04·1 -> never below the one before
        np.testing.assert_allclose(st.holm([0.04, 0.01, np.nan, 0.03, 0.02]), [0.06, 0.04, np.nan, 0.06, 0.06])
        np.testing.assert_allclose(st.holm([0.9, 0.8]), [1, 1])
        self.assertEqual(len(st.holm([])), 0)


class Ranks(unittest.TestCase):
    def test_critical_values_are_those_of_demsars_table(self):
        for methods, q in ((2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (10, 3.164)):
            got = st.critical_difference(methods, 14)
            self.assertAlmostEqual(got / math.sqrt(methods * (methods + 1) / (6 * 14)), q, delta=1e-3)

    def test_ranks_and_cliques_by_hand(self):
        # Three blocks agree: method 2 first, then 0, then 1; CD = 2.343 sqrt(12 / 18) = 1.913.
        ranks = st.compare_ranks([[2, 1, 3], [20, 10, 30], [0.2, 0.1, 0.3]])
        np.testing.assert_allclose(ranks.ranks, [2, 3, 1])
        self.assertEqual(ranks.cliques, [(2, 0), (0, 1)])
        self.assertAlmostEqual(ranks.friedman, math.exp(-3), places=12)  # χ² = 6 with 2 degrees of freedom
        self.assertEqual(st.compare_ranks([[2, 1, 3]] * 2, maximise=False).cliques, [(1, 0, 2)])

    def test_friedman_is_scipys_and_ties_share_ranks(self):
        values = RNG(3).normal(size=(6, 4))
        ranks = st.compare_ranks(values)
        self.assertAlmostEqual(ranks.friedman, scipy.stats.friedmanchisquare(*values.T).pvalue, places=12)
        frame = pandas.DataFrame(values).rank(axis=1, ascending=False).mean()
        np.testing.assert_allclose(ranks.ranks, frame, atol=1e-12)
        self.assertEqual(st.compare_ranks([[1, 1]]).ranks.tolist(), [1.5, 1.5])
        with self.assertRaisesRegex(ValueError, "every method on every block"):
            st.compare_ranks([[1, np.nan]])


class Tuning(unittest.TestCase):
    def test_expected_best_counts_all_draws(self):
        selected, reported = np.array([0.3, 0.9, 0.5, 0.9]), np.array([1.0, 2.0, 4.0, 8.0])
        for maximise in (True, False):
            for k in (1, 2, 3):
                draws = itertools.product(range(4), repeat=k)
                worth = selected if maximise else -selected
                want = np.mean([np.mean(reported[worth == worth[list(draw)].max()]) for draw in draws])
                self.assertAlmostEqual(st.expected_best(selected, k, reported, maximise), want, places=12)

    def test_curve_begins_at_the_mean_and_leaves_out_what_has_no_value(self):
        curve = st.tuning_curve(np.append(VALUES, np.nan))
        self.assertEqual(len(curve), 12)
        self.assertAlmostEqual(curve[0], VALUES.mean(), places=12)
        self.assertTrue(np.all(np.diff(curve) > 0) and curve[-1] < VALUES.max())
        with self.assertRaises(ValueError):
            st.expected_best([1, 2], 0)


if __name__ == "__main__":
    unittest.main()
