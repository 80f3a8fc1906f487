"""The decomposition of the variance against hand, least squares and pandas; its approximation for samples."""

import itertools
import unittest

import numpy as np
import pandas
import scipy.stats

from engram_results import statistics as st


def grid(levels, seeds, value):
    """A frame of a full grid: a column per setting, seed, y."""
    rows = [(*point, seed) for point in itertools.product(*levels.values()) for seed in range(seeds)]
    frame = pandas.DataFrame(rows, columns=[*levels, "seed"])
    frame["y"] = [value(row) for row in frame.to_dict("records")]
    return frame


def decomposed(frame, *names, **options):
    return st.decompose({name: frame[name].tolist() for name in names}, frame["y"], frame["seed"], **options)


def squares(decomposition):
    return {(term.factors, term.within): term.squares for term in decomposition.terms}


def residual(frame, columns):
    """Sum of squares that dummies of the joint values of several sets of columns leave."""
    dummies = [np.ones((len(frame), 1))]
    dummies += [pandas.get_dummies(frame[list(c)].astype(str).agg("|".join, axis=1)).to_numpy(float) for c in columns]
    design = np.concatenate(dummies, axis=1)
    y = frame["y"].to_numpy()
    return float(np.sum((y - design @ np.linalg.lstsq(design, y, rcond=None)[0]) ** 2))


class Exact(unittest.TestCase):
    def assert_sums_to_one(self, d):
        self.assertAlmostEqual(sum(t.share for t in d.terms) + d.seed_share + d.noise_share, 1, places=12)

    def test_by_hand(self):
        # y = 10 + 3 a + b + 2 a b + seed/2 + c·seed/2 with all of them ±1: 16 values, a coefficient k has the sum of
        # squares 16 k². a: 144, b: 16, ab: 64, seeds: 4, noise: 4 with (8 - 1)(2 - 1) = 7 degrees. Total 232.
        frame = grid({"a": (-1, 1), "b": (-1, 1), "c": (-1, 1)}, 2, lambda r:
                     10 + 3 * r["a"] + r["b"] + 2 * r["a"] * r["b"] + (2 * r["seed"] - 1) * (1 + r["c"]) / 2)
        d = decomposed(frame, "a", "b", "c")
        self.assertAlmostEqual(d.total, 232, places=10)
        for factors, want in ((("a",), 144), (("b",), 16), (("a", "b"), 64), (("c",), 0), (("a", "b", "c"), 0)):
            self.assertAlmostEqual(squares(d)[factors, ()], want, places=10)
        self.assertAlmostEqual(d.seed_share, 4 / 232, places=12)
        self.assertAlmostEqual(d.noise_share, 4 / 232, places=12)
        self.assertEqual((d.noise_freedom, d.points, d.seeds, d.paired, d.left_out, d.nested_in),
                         (7, 8, 2, True, 0, ()))
        first = d.terms[0]
        self.assertEqual((first.factors, first.freedom), (("a",), 1))
        self.assertAlmostEqual(first.f, 144 / (4 / 7), places=8)
        self.assertAlmostEqual(first.p, scipy.stats.f.sf(252, 1, 7), places=12)
        alone, everything = st.factor_shares(d)["a"]
        self.assertAlmostEqual(alone, 144 / 232, places=12)
        self.assertAlmostEqual(everything, 208 / 232, places=12)
        self.assert_sums_to_one(d)

    def test_three_factors_by_brute_force(self):
        rng = np.random.default_rng(2)
        levels = {"lr": (0.1, 0.01, 0.001), "model": ("relu", "ash"), "width": (8, 16, 32, 64)}
        frame = grid(levels, 3, lambda r: rng.normal() + r["lr"] * r["width"])
        frame = frame.sample(frac=1, random_state=1)
        d = decomposed(frame, *levels)
        self.assert_sums_to_one(d)
        self.assertEqual(len(d.terms), 7)
        for size in (1, 2, 3):
            for names in itertools.combinations(levels, size):
                lower = [c for k in range(1, size) for c in itertools.combinations(names, k)]
                # What the joint dummies explain beyond all smaller sets, by least squares …
                want = residual(frame, lower) - residual(frame, lower + [names])
                self.assertAlmostEqual(squares(d)[names, ()], want, places=9)
                # … and the effects by means of pandas.
                effect = sum((-1) ** (size - k) * (frame.groupby(list(c))["y"].transform("mean") if c
                                                   else frame["y"].mean())
                             for k in range(size + 1) for c in itertools.combinations(names, k))
                self.assertAlmostEqual(squares(d)[names, ()], float(np.sum(effect ** 2)), places=9)
        self.assertAlmostEqual(d.seed_share * d.total,
                               float(len(frame) / 3 * frame.groupby("seed")["y"].mean().var(ddof=0) * 3), places=9)
        self.assertAlmostEqual(d.total, float(frame["y"].var(ddof=0) * len(frame)), places=9)

    def test_settings_under_one_value_are_decomposed_within_it(self):
        rng = np.random.default_rng(3)
        rows = [(lr, act, alpha, opt, beta, seed, rng.normal() + (alpha if act == "ash" else 0) + lr)
                for lr in (1, 2) for act in ("relu", "ash")
                for alpha in ((2.0, 3.0, 4.0) if act == "ash" else (np.nan,))
                for opt in ("sgd", "adam") for beta in ((0.9, 0.99) if opt == "adam" else (np.nan,))
                for seed in range(2)]
        frame = pandas.DataFrame(rows, columns=["lr", "act", "act.alpha", "opt", "opt.beta", "seed", "y"])
        d = decomposed(frame, "lr", "act", "act.alpha", "opt", "opt.beta")
        self.assert_sums_to_one(d)
        self.assertEqual(sum(t.freedom for t in d.terms), d.points - 1)
        got = squares(d)
        # Between activations, and strengths within ash, by means of their groups.
        means = frame.groupby("act")["y"].agg(["mean", "size"])
        self.assertAlmostEqual(got[("act",), ()], float(np.sum(means["size"] * (means["mean"] - frame["y"].mean()) ** 2)),
                               places=9)
        ash = frame[frame["act"] == "ash"]
        means = ash.groupby("act.alpha")["y"].agg(["mean", "size"])
        self.assertAlmostEqual(got[("act.alpha",), (("act", "ash"),)],
                               float(np.sum(means["size"] * (means["mean"] - ash["y"].mean()) ** 2)), places=9)
        # All terms with alpha are what knowing it explains beyond all the others, by least squares.
        others = residual(frame, [("lr", "act", "opt", "opt.beta")])
        everything = residual(frame, [("lr", "act", "act.alpha", "opt", "opt.beta")])
        with_alpha = sum(v for (names, _), v in got.items() if "act.alpha" in names)
        self.assertAlmostEqual(with_alpha, others - everything, places=9)
        self.assertIn((("lr", "act.alpha", "opt.beta"), (("act", "ash"), ("opt", "adam"))), got)

    def test_grids_that_differ_between_methods_are_nested(self):
        rng = np.random.default_rng(4)
        rows = [(opt, lr, width, seed, rng.normal()) for opt, rates in (("sgd", (1, 2)), ("adam", (3, 4, 5)))
                for lr in rates for width in (8, 16) for seed in range(3)]
        frame = pandas.DataFrame(rows, columns=["opt", "lr", "width", "seed", "y"])
        d = decomposed(frame, "lr", "width", "opt")
        self.assert_sums_to_one(d)
        got = squares(d)
        adam = frame[frame["opt"] == "adam"]
        want = residual(adam, []) - residual(adam, [("lr",)])
        self.assertAlmostEqual(got[("lr",), (("opt", "adam"),)], want, places=9)
        self.assertIn((("opt",), ()), got)
        self.assertEqual(d.nested_in, ("opt",))

    def test_deep_nesting_and_absence_as_a_value(self):
        rng = np.random.default_rng(5)
        rows = [(a, b, c, x) for a, b, c in (("p", None, None), ("q", "u", None), ("q", "v", 1), ("q", "v", 2))
                for x in (None, 7)]
        d = st.decompose({"a": [r[0] for r in rows], "b": [r[1] for r in rows], "c": [r[2] for r in rows],
                          "x": [r[3] for r in rows]}, rng.normal(size=8))
        self.assertEqual({(t.factors, t.within) for t in d.terms},
                         {(("a",), ()), (("b",), (("a", "q"),)), (("c",), (("a", "q"), ("b", "v"))), (("x",), ()),
                          (("a", "x"), ()), (("b", "x"), (("a", "q"),)), (("c", "x"), (("a", "q"), ("b", "v")))})
        self.assert_sums_to_one(d)
        self.assertTrue(all(np.isnan(t.f) for t in d.terms))  # one seed each: there is no noise to compare with

    def test_settings_that_change_together_are_one(self):
        frame = grid({"w": (1, 2, 3), "b": ("x", "y")}, 2, lambda r: r["w"] + 0.1 * r["seed"] * (r["b"] == "x"))
        frame["lr"] = frame["w"] * 10
        self.assertIn((("w & lr", "b"), ()), squares(decomposed(frame, "w", "lr", "b")))

    def test_seeds_that_some_point_lacks_are_left_out(self):
        frame = grid({"a": (1, 2), "b": (1, 2)}, 3, lambda r: r["a"] * r["b"] + 0.1 * r["seed"] * r["a"])
        partial = frame.drop(index=2)
        partial.loc[0, "y"] = np.nan
        d = decomposed(partial, "a", "b")
        self.assertEqual((d.seeds, d.left_out), (1, 6))
        unpaired = frame.assign(seed=range(len(frame)))
        d = decomposed(unpaired, "a", "b")
        self.assertEqual((d.paired, d.seed_share, d.noise_freedom), (False, 0.0, 8))
        self.assertAlmostEqual(d.noise_share * d.total, residual(frame, [("a", "b")]), places=10)
        self.assert_sums_to_one(d)

    def test_what_is_no_grid_says_so(self):
        rng = np.random.default_rng(6)
        sample = {"lr": rng.uniform(size=20), "decay": rng.uniform(size=20)}
        with self.assertRaisesRegex(st.NotFactorial, "its own lr and decay"):
            st.decompose(sample, rng.normal(size=20))
        with self.assertRaisesRegex(st.NotFactorial, "no full grid over a, b, c"):
            st.decompose({"a": [0, 1, 1, 0, 1], "b": [0, 1, 0, 1, 1], "c": [0, 0, 1, 1, 1]}, rng.normal(size=5))
        with self.assertRaisesRegex(st.NotFactorial, "same seed twice"):
            st.decompose({"a": [1, 1, 2]}, [1, 2, 3])
        with self.assertRaisesRegex(st.NotFactorial, "different numbers of seeds"):
            st.decompose({"a": [1, 1, 2]}, [1, 2, 3], [1, 2, 3])
        with self.assertRaisesRegex(st.NotFactorial, "two points"):
            st.decompose({"a": [1, 1]}, [1, 2], [1, 2])


class Sampled(unittest.TestCase):
    def sample(self, count, seed=7):
        rng = np.random.default_rng(seed)
        factors = {"lr": 10 ** rng.uniform(-4, -1, count), "decay": rng.uniform(0, 1, count),
                   "opt": rng.choice(["sgd", "adam"], count)}
        factors["beta"] = np.where(factors["opt"] == "adam", rng.uniform(0, 1, count), np.nan)
        return rng, factors

    def test_shares_sum_to_one_and_find_what_matters(self):
        rng, factors = self.sample(80)
        y = -(np.log10(factors["lr"]) + 2.5) ** 2 + 0.5 * (factors["opt"] == "adam") + rng.normal(size=80) * 0.1
        got = st.approximate(factors, y)
        self.assertAlmostEqual(sum(got.shares.values()) + got.unexplained + got.noise, 1, places=10)
        self.assertAlmostEqual(sum(got.shares.values()), got.r2, places=10)
        self.assertEqual(next(iter(got.shares)), "lr")
        self.assertEqual((got.logarithmic, got.noise, got.points), (("lr",), 0, 80))
        self.assertGreater(got.r2, 0.95)
        self.assertTrue(0.9 < got.r2_left_out < got.r2)

    def test_nothing_is_learned_from_noise(self):
        found = []
        for seed in range(7):
            rng, factors = self.sample(16, seed)
            found.append(st.approximate(factors, rng.normal(size=16)))
        # Eight coefficients for 16 points explain half of any noise, and predict nothing.
        self.assertGreater(np.median([got.r2 for got in found]), 0.4)
        self.assertLess(np.median([got.r2_left_out for got in found]), 0)

    def test_on_an_additive_grid_it_is_the_exact_one(self):
        rng = np.random.default_rng(8)
        frame = grid({"a": ("x", "y", "z"), "b": ("u", "v")}, 3,
                     lambda r: "xyz".index(r["a"]) ** 2 + 2 * "uv".index(r["b"]) + 0.1 * rng.normal())
        exact = decomposed(frame, "a", "b")
        got = st.approximate({name: frame[name] for name in "ab"}, frame["y"])
        want = {t.factors[0]: t.share for t in exact.terms if len(t.factors) == 1}
        for name in "ab":
            self.assertAlmostEqual(got.shares[name], want[name], places=10)
        self.assertAlmostEqual(got.noise, exact.seed_share + exact.noise_share, places=10)
        self.assertAlmostEqual(got.unexplained, squares(exact)[("a", "b"), ()] / exact.total, places=10)

    def test_shares_are_averages_over_all_orders(self):
        _, factors = self.sample(30)
        factors = {"lr": np.log(factors["lr"]), "decay": factors["decay"]}
        factors["decay"] = factors["decay"] + 0.2 * factors["lr"]  # correlated, so that the order matters
        y = factors["lr"] + factors["decay"]

        def explained(*names):
            columns = [np.ones(30)] + [factors[n] ** power for n in names for power in (1, 2)]
            design = np.stack(columns, axis=1)
            left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
            return 1 - np.sum(left ** 2) / np.sum((y - y.mean()) ** 2)

        both = explained("lr", "decay")
        got = st.approximate(factors, y)
        self.assertAlmostEqual(got.shares["lr"], (explained("lr") + both - explained("decay")) / 2, places=8)
        self.assertAlmostEqual(got.shares["decay"], (explained("decay") + both - explained("lr")) / 2, places=8)

    def test_left_out_points_are_predicted_from_the_others(self):
        rng = np.random.default_rng(9)
        x = rng.uniform(size=8)
        y = x + rng.normal(size=8)
        errors = []
        for i in range(8):
            rest = np.arange(8) != i
            errors.append(y[i] - np.polyval(np.polyfit(x[rest], y[rest], 2), x[i]))
        want = 1 - np.sum(np.square(errors)) / np.sum((y - y.mean()) ** 2)
        self.assertAlmostEqual(st.approximate({"x": x}, y).r2_left_out, want, places=8)


if __name__ == "__main__":
    unittest.main()
