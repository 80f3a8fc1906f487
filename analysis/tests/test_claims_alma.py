"""Claims about anytime learning: every verdict both ways, from files with known errors and costs."""

import unittest

import numpy as np

import engram_results
from engram_results import alma, alma_cost, claims, frontier
from engram_results.alma_cases import waits_of
from engram_results.alma_waiting import decided_signs
from engram_results.verdict import FAILS, HOLDS, NOT_TESTED
from case import ResultsCase
import alma_files
import plasticity_files
from alma_files import Vision


class Small(Vision):
    """Directions in 20 mega-batches of 10,000 images; of the methods without a grower but gens."""

    chunks = 20
    sizes = (4, 16)
    waits = (1, 2, 20)
    seeds = (0, 1)

    def __init__(self):
        super().__init__()
        self.level, self.slowness = {4: 0.4, 16: 0.1}, {4: 2.0, 16: 1.8}
        self.above, self.slower = {1: 0.1, 2: 0.01, 20: 0.0}, {1: 0.3, 2: 1.0, 20: 0.0}
        self.methods, self.with_replay = ("sm", "ens", "gens"), ()
        self.more = {"stream_subset": 10000.0, "stream_epochs": 10.0}


class Digits(Vision):
    """V4 at full size: the best w is 10 of the smallest network, 1 of the largest."""

    chunks, net = 500, "mlp"
    waits = (1, 2, 5, 10, 25, 50, 100, 500)
    best = {4: 10, 8: 5, 16: 5, 32: 2, 64: 1}

    def __init__(self):
        super().__init__()
        self.methods, self.with_replay = ("sm", "ens"), ()

    def errors(self, method, size, wait, replay, seed):
        level = 0.1 + 0.02 * abs(np.log(wait / self.best[size])) + 0.01 * seed
        return np.full(-(-self.chunks // wait), level)


class Point:
    """A configuration as far as frontiers ask."""

    def __init__(self, budget, *cer):
        self.budget, self.cer, self.seeds = np.full(len(cer), float(budget)), np.array(cer, dtype=float), list(range(len(cer)))


def line(*points):
    return frontier.frontier([Point(*point) for point in points], lambda one: one.budget)


class Frontiers(unittest.TestCase):
    """By hand: budgets are powers of ten, so that log10 are whole numbers."""

    def test_a_dearer_point_that_is_not_better_is_not_on_it(self):
        found = line((100, 20), (10, 30), (1000, 25), (1000, 10), (1e4, 10))
        np.testing.assert_allclose(found.budgets, [1, 2, 3])
        self.assertEqual([member.cer[0] for member in found.members], [30, 20, 10])
        self.assertAlmostEqual(found.at(1.5), 25)
        self.assertAlmostEqual(found.at(3.5), 10)   # level behind the last, up to the dearest
        self.assertEqual([found.covers(at) for at in (0.9, 1, 3.9, 4, 4.1)], [False, True, True, True, False])

    def test_one_beats_another_at_four_of_five_points(self):
        first = line((10, 30), (1e5, 10))     # 30, 25, 20, 15, 10 at log10 1 to 5
        for cers, share, beats in (((31, 26, 21, 16, 9), 0.8, True), ((31, 26, 21, 14, 9), 0.6, False),
                                   ((31, 26, 21, 16, 11), 1.0, True)):
            comparison = frontier.compare(first, line(*zip((10, 100, 1e3, 1e4, 1e5), cers)))
            self.assertAlmostEqual(comparison.share, share)
            self.assertEqual(comparison.beats, beats)
        np.testing.assert_allclose(comparison.gains, 1)

    def test_only_common_budgets_count(self):
        first = line((100, 20), (1000, 10))
        comparison = frontier.compare(first, line((10, 40), (100, 19), (1000, 11), (1e4, 1)))
        np.testing.assert_allclose(comparison.budgets, [2, 3])   # not 10, not 10,000
        np.testing.assert_allclose(comparison.gains, [-1, 1])
        self.assertFalse(comparison.beats)

    def test_spread_over_seeds_stands_beside(self):
        first = line((10, 30, 32), (1000, 10, 16))
        other = line((100, 25, 24))
        comparison = frontier.compare(first, other)
        np.testing.assert_allclose(comparison.gains, [24.5 - 22])
        np.testing.assert_allclose(comparison.by_seed, [25 - 20, 24 - 24])
        self.assertEqual(alma.difference_text(comparison.by_seed), "2.50 ± 3.54 (1 of 2 seeds)")
        self.assertFalse(frontier.compare(line((1, 5)), line((10, 9))).beats)   # nothing in common

    def test_of_one_seed(self):
        points = [Point(10, 30, 10), Point(100, 20, 20)]
        self.assertEqual(frontier.frontier(points, lambda one: one.budget, 1).members, points[:1])
        self.assertEqual(frontier.frontier(points, lambda one: one.budget, 0).members, points)


class Rules(ResultsCase):
    def test_methods_inside_each_other(self):
        for settings, method in (
                ({"learner": "plain"}, "sm"), ({"learner": "early_stopping", "learner.of": "plain"}, "sm"),
                ({"learner": "early_stopping", "learner.of": "ensemble", "learner.of.of": "plain"}, "ens"),
                ({"learner": "ensemble", "learner.of": "early_stopping", "learner.of.of": "plain"}, "ens"),
                ({"learner": "ensemble", "learner.average": "votes", "learner.of": "early_stopping"}, "ens votes"),
                ({"learner": "early_stopping", "learner.of": "ensemble", "learner.of.average": "scores"}, "ens scores"),
                ({"learner": "growing_ensemble", "learner.start": "warm", "learner.of": "early_stopping"}, "gens"),
                ({"learner": "early_stopping", "learner.of": "growing_ensemble", "learner.of.start": "scratch"}, "gens scratch"),
                ({"learner": "early_stopping", "learner.of": "growing_mixture", "learner.of.gate": "soft"}, "gmoe"),
                ({"learner": "growing_mixture", "learner.gate": "hard", "learner.start": "copies"}, "gmoe hard"),
                ({"learner": "early_stopping", "learner.of": "firefly"}, "ff"),
                ({"learner": "early_stopping", "learner.of": "plain", "model": "umix", "model.combine": "mean"}, "umix"),
                ({"learner": "plain", "model": "umix", "model.combine": "sum"}, "umix sum"),
                ({"learner": "ensemble", "learner.of": "plain", "model": "umix"}, "ens of umix"),
                ({"learner": "early_stopping", "learner.of": "ewc"}, "ewc")):
            self.assertEqual(alma.method_of(settings.get), method)

    def test_cumulative_error_in_closed_form(self):
        rows = [alma_files.alma(seed, "sm", 4, 5, [0.2, 0.1], "mlp", 10) for seed in (0, 1)]
        path = plasticity_files.write(self.folder / "alma.h5", rows)
        with engram_results.load(path) as ds:
            closed = (5 - 1) * 0.9 + 5 * 0.2 + 0.1
            self.assertAlmostEqual(closed, 4.7)
            np.testing.assert_allclose(ds["cer"].values, closed)
            np.testing.assert_allclose(ds["anytime_error"].values[0], [0.9] * 5 + [0.2] * 5 + [0.1])
            one = alma.problems_of([ds])[0].configurations[0]
            np.testing.assert_allclose(one.cer, closed)
            np.testing.assert_allclose(alma.cumulative_error(one.error), closed)
            self.assertEqual((one.size, one.wait, one.replay, one.members, one.n), (4, 5, False, 1, 2))
            np.testing.assert_allclose(one.memory, 11 * 1000)   # mega-batches 0 to 10
            np.testing.assert_allclose(one.compute, 1e9)

    def test_a_sum_that_is_another_one_is_refused(self):
        rows = [alma_files.alma(seed, "sm", 4, 5, [0.2, 0.1], "mlp", 10) for seed in (0, 1)]
        rows[1]["cer"] += 0.9   # with mega-batch 0
        with self.assertRaisesRegex(engram_results.ResultError, "`cer` is not the sum"):
            claims.judge([plasticity_files.dataset(rows)])

    def test_means_need_two_thirds_of_the_seeds(self):
        self.assertTrue(alma.agreed([1, 1, -0.5]))
        self.assertFalse(alma.agreed([9, -1, -1]))
        self.assertFalse(alma.agreed([1, 1, -3]))
        self.assertFalse(alma.agreed([3, -1]))
        self.assertFalse(alma.agreed([0, 0, 0]))
        self.assertFalse(alma.agreed([]))
        # Means are 2.5 apart, deviations 1.4 and 2.1; 1.4 and 0.7.
        self.assertTrue(alma.overlap([1, 3], [3, 6]))
        self.assertFalse(alma.overlap([1, 3], [4, 5]))

    def test_signs_only_where_seeds_agree(self):
        differences = np.array([[9, -1, -1, 1, 2, 1], [9, 3, -1, -3, 1, 1], [9, -1, -1, 1, 3, 1]])
        self.assertEqual(decided_signs(differences, 1), ([2, 4, 5], [-1, 1, 1]))

    def test_waiting_times_of_smaller_problems(self):
        for chunks, waits, wanted in ((100, (1, 2, 5, 10, 20, 50, 100), (2, 10, 100)), (20, (1, 2, 4, 10, 20), (1, 2, 20)),
                                      (50, (1, 5, 25, 50), (1, 5, 50)), (500, (1, 5, 10, 25), (10, 25, None)),
                                      (10, (10,), (None, None, 10))):
            rows = [alma_files.alma(seed, "sm", 4, wait, [0.5] * -(-chunks // wait), "mlp", chunks)
                    for wait in waits for seed in (0, 1)]
            self.assertEqual(waits_of(alma.problems_of([plasticity_files.dataset(rows)])[0]), wanted)

    def test_sizes_members_and_variants(self):
        rows = [alma_files.alma(seed, "umix", 8, 5, [0.3, 0.2], "mlp", 10) for seed in (0, 1)]
        rows += [alma_files.alma(seed, "ens", 16, wait, [0.3] * (10 // wait), "mlp", 10, learner_patience=patience)
                 for seed in (0, 1) for wait, patience in ((5, 25.0), (5, 100.0), (10, 100.0))]
        problem, = alma.problems_of([plasticity_files.dataset(rows)])
        self.assertEqual(problem.methods(), ["ens", "umix"])
        self.assertEqual([(one.size, one.members) for one in problem.of("umix")], [(8, 3)])
        chosen = problem.chosen("ens")
        self.assertEqual(sorted(chosen), [(16, 5), (16, 10)])
        self.assertEqual({one.point.get("learner.patience") for one in chosen.values()}, {100})
        self.assertEqual(problem.chosen("ens", members=2), {})
        self.assertEqual(problem.choice("ens", chosen.values()), "ens with patience=100")
        self.assertEqual(problem.choice("ens", problem.of("ens")), "")

    def test_a_setting_that_an_older_program_did_not_have(self):
        older = [alma_files.alma(seed, "sm", 4, 5, [0.3, 0.2], "mlp", 10) for seed in (0, 1)]
        newer = [alma_files.alma(seed, "sm", 16, 5, [0.3, 0.2], "mlp", 10, learner_last=0.0) for seed in (0, 1)]
        changed = [alma_files.alma(seed, "sm", 16, 5, [0.4, 0.3], "mlp", 10, learner_last=5.0) for seed in (0, 1)]
        files = [plasticity_files.dataset(older), plasticity_files.dataset(newer)]
        problem, = alma.problems_of(files)
        self.assertEqual(sorted(problem.chosen("sm")), [(4, 5), (16, 5)])
        problem, = alma.problems_of([*files, plasticity_files.dataset(changed)])
        self.assertEqual(len(problem.chosen("sm")), 1)

    def test_cost_of_points(self):
        digits = next(grid for grid in alma_cost.GRIDS if grid.label == "MNIST")
        vision = next(grid for grid in alma_cost.GRIDS if grid.label == "CIFAR-10")
        self.assertEqual(alma_cost.example_macs("mlp", 4), 3192 + 3248)
        self.assertEqual(alma_cost.example_macs("mlp", 64), 54912 + 59648)
        self.assertEqual(alma_cost.example_macs("vgg", 8), 3 * 1345872 - 27 * 8 * 1024)
        once = 100 * 54000 * 2 * 6440
        for method, wait, replay, times in (("sm", 500, False, 1), ("sm", 50, False, 1), ("ens", 10, False, 3),
                                            ("umix", 10, False, 3), ("gens", 1, False, 1), ("sm", 50, True, 5.5),
                                            ("sm", 500, True, 1), ("gmoe", 500, False, 1), ("gmoe", 250, False, 1.5)):
            self.assertAlmostEqual(alma_cost.training_flop(digits, method, 4, wait, replay) / once, times)
        self.assertAlmostEqual(alma_cost.training_flop(vision, "ff", 8, 50, False)
                               / alma_cost.training_flop(vision, "sm", 8, 50, False), (1 + 1.6 ** 2) / 2)


class AlmaClaims(ResultsCase):
    def verdicts(self, files):
        return {v.claim: v for v in claims.judge([plasticity_files.dataset(files.rows())])}

    def assert_verdict(self, files, claim, verdict, words=""):
        found = self.verdicts(files)[claim]
        self.assertEqual(found.verdict, verdict, (claim, found.numbers))
        self.assertIn(words, "\n".join(found.numbers))

    def test_as_published(self):
        verdicts = self.verdicts(Vision())
        for claim in ("V1", "V2", "V3", *(f"V{k} (CIFAR-10)" for k in range(5, 13))):
            self.assertEqual(verdicts[claim].verdict, HOLDS, (claim, verdicts[claim].numbers))
            self.assertEqual(verdicts[claim].runs, "3")
        for claim in ("V4", *(f"V{k} (MNIST)" for k in range(5, 13))):
            self.assertEqual(verdicts[claim].verdict, NOT_TESTED)
        self.assertEqual(len(verdicts), 20)
        self.assertIn("cross at t = 30", " ".join(verdicts["V2"].numbers))

    def otherwise(self, claim, words, name=None, /, **change):
        files = Vision()
        files.seeds = (0, 1)
        for attribute, values in change.items():
            if isinstance(values, dict):
                getattr(files, attribute).update(values)
            else:
                setattr(files, attribute, values)
        self.assert_verdict(files, name or f"{claim} (CIFAR-10)", FAILS, words)

    def test_waiting_otherwise(self):
        self.otherwise("V1", "not so: sm of size 4, CER: w = 10", "V1", above={2: -0.05})
        self.otherwise("V2", "do not cross, the greedy one above at first", "V2", above={2: 0.5})
        self.otherwise("V2", "do not cross, the greedy one below at first", "V2", above={2: 0.0})
        self.otherwise("V3", "not so: sm of size 4, error at the end, %: w = 10 ends", "V3", above={10: 0.06, 2: 0.09})
        self.otherwise("V3", "not so: sm of size 4, error at the end, %: w = 100", "V3", above={100: 0.03})
        self.otherwise("V5", "not so: sm at w = 10, CER: size 32", level={32: 0.5})
        self.otherwise("V5", "not so: ens at w = 10, error, %: size 64 after 10", slowness={64: 12})

    def test_methods_otherwise(self):
        self.otherwise("V6", "not so: equal compute: sm lower at 0 of", offset={"gmoe": -0.2})
        self.otherwise("V6", "not so: equal memory: sm lower at", offset={"ff": -0.2})
        self.otherwise("V7", "not so: equal compute: gens lower at", offset={"gmoe": -0.2})
        self.otherwise("V7", "not so: equal memory: ff lower at", offset={"ff": 0.3})
        self.otherwise("V8", "not so: equal compute: gens lower", offset={"ens": -0.2})
        self.otherwise("V8", "not so: equal memory: ens lower", offset={"ens": 0.3})
        self.otherwise("V8", "not so: a prediction of gens", prediction={"gens": 1})
        self.otherwise("V9", "not so: size 64", umix={64: -0.01})
        self.otherwise("V9", "not so: size 4", umix={4: 0.01})
        self.otherwise("V10", "0 of 2 seeds", offset={"ens": 0.05})

    def test_replay_and_votes_otherwise(self):
        self.otherwise("V11", "not so: sm at w = 10, error at the end", replayed={4: -0.9, 8: 0, 16: 0, 32: 0, 64: 0})
        self.otherwise("V11", "within the standard deviations of both at 0 of",
                       replayed=dict.fromkeys(Vision.sizes, 0.0), replay_cost=50.0)
        self.otherwise("V11", "not so: error at the end, %: replay gains more for sm", offset={"gens": 0.02})
        self.otherwise("V12", "not so: mean CER of 15 configurations", offset={"ens votes": 0.1})

    def test_prose_ensembles_stand_beside(self):
        files = Vision()
        rows = files.rows()
        rows += [dict(row, learner_of_start="scratch") for row in rows if row["learner_of"] == "growing_ensemble"]
        verdicts = {v.claim: v for v in claims.judge([plasticity_files.dataset(rows)])}
        self.assertIn("not judged: equal memory: ens lower at 5 of 5 frontier points of gens scratch",
                      " ".join(verdicts["V8 (CIFAR-10)"].numbers))

    def test_a_part_of_the_grid_is_named_with_its_cost(self):
        files = Vision()
        files.sizes = (4, 8, 16, 32)
        files.seeds = (0, 1)
        verdicts = self.verdicts(files)
        self.assertEqual(verdicts["V1"].verdict, NOT_TESTED)
        flop = 3 * (3 + 3 * 3) * 2 * 100 * 45000 * (3 * 71150208 - 27 * 64 * 1024)
        self.assertEqual(verdicts["V1"].numbers, [
            "missing 6 of 12 points of the full grid (method ens, sm; size 64; w 2, 10, 100): 18 runs, at most "
            f"{flop:.1e} operations of training, {flop / 3.6e13:,.0f} core hours at 10 Gflop/s"])
        self.assertIn("with replay", verdicts["V11 (CIFAR-10)"].numbers[0])
        self.assertIn("missing 6 of 30 points", verdicts["V12 (CIFAR-10)"].numbers[0])

    def test_one_seed_tells_nothing(self):
        files = Vision()
        files.seeds = (1,)
        self.assertEqual({v.verdict for v in self.verdicts(files).values()}, {NOT_TESTED})

    def test_small_digit_networks_wait(self):
        self.assert_verdict(Digits(), "V4", HOLDS, "sm: least CER at w = 10 of size 4, w = 5 of size 8")
        files = Digits()
        files.best = dict.fromkeys(files.best, 5)
        self.assert_verdict(files, "V4", FAILS, "not so: sm: least CER at w = 5 of size 4")
        files.best = {**files.best, 4: 1, 64: 10}
        self.assert_verdict(files, "V4", FAILS)

    def test_smaller_problems_have_rows_of_their_own(self):
        verdicts = self.verdicts(Small())
        name = "(cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs)"
        for claim in ("V1", "V2", "V3", "V5", "V8", "V10"):
            verdict = verdicts[f"{claim} {name}"]
            self.assertEqual(verdict.verdict, HOLDS, (claim, verdict.numbers))
            self.assertIn("cut: cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs (paper CIFAR-10, 100 mega-batches, "
                          "50000 images, at most 100 epochs); sizes 4, 16 (4, 8, 16, 32, 64); w = 1, 2, 20 (2, 10, 100); "
                          "methods sm, ens, gens", verdict.numbers[-1])
        self.assertIn("20 mega-batches are few", " ".join(verdicts[f"V1 {name}"].numbers))
        for claim, why in (("V6", "method gmoe; method ff"), ("V7", "method gmoe; method ff"), ("V9", "two sizes of umix"),
                           ("V11", "a method with and without replay"), ("V12", "average = votes")):
            verdict = verdicts[f"{claim} {name}"]
            self.assertEqual(verdict.verdict, NOT_TESTED)
            self.assertIn(why, verdict.numbers[0])
        self.assertNotIn(f"V4 {name}", verdicts)
        self.assertEqual({verdicts[claim].verdict for claim in ("V1", "V2", "V3", "V4")}, {NOT_TESTED})
        files = Small()
        files.above[1] = -0.2
        self.assert_verdict(files, f"V1 {name}", FAILS)
        self.assert_verdict(files, f"V2 {name}", FAILS)

    def test_replay_at_another_waiting_time(self):
        files = Small()
        files.with_replay, files.replay_wait = ("sm", "gens"), 2
        found = self.verdicts(files)["V11 (cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs)"]
        self.assertIn("sm at w = 2, error at the end, %: with replay lower by", "\n".join(found.numbers))
        rows = files.rows() + [dict(row, stream_replay=1.0) for row in files.rows()
                               if (row["learner_of"], row["stream_wait"]) == ("plain", 1)]
        found = {v.claim: v for v in claims.judge([plasticity_files.dataset(rows)])}[found.claim]
        self.assertIn("sm of size 16 with replay, CER: w = 1 ", "\n".join(found.numbers))
        files.replay_cost = 500.0   # no compute is that of a run without
        found = self.verdicts(files)[found.claim]
        self.assertEqual((found.verdict, found.numbers), (NOT_TESTED, [
            "not in the files: a compute that sm with and without replay share; a compute that gens with and without replay "
            "share; a compute that sm and gens with and without replay share"]))

    def test_replay_at_the_compute_of_another_method(self):
        files = Small()
        files.with_replay, files.replay_wait = ("sm", "ens"), 2
        files.replay_cost = 20.0   # sm with replay costs as much as ens without
        found = self.verdicts(files)["V11 (cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs)"]
        words = "\n".join(found.numbers)
        self.assertIn("equal compute: sm and ens with replay lower at 0 of 1 frontier points of sm and ens without", words)
        self.assertIn("a compute that sm with and without replay share; a compute that ens with and without replay share", words)
        self.assertNotIn("equal compute: sm with replay", words)

    def test_missing_methods_and_diverged_runs_are_named(self):
        files = Small()
        files.methods = ("sm", "gmoe", "gens")
        rows = files.rows()
        rows.append(dict(rows[0], seed=7, status="diverged"))
        verdicts = {v.claim: v for v in claims.judge([plasticity_files.dataset(rows)])}
        numbers = " ".join(verdicts["V6 (cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs)"].numbers)
        self.assertIn("not in the files: method ff", numbers)
        self.assertIn("1 runs that diverged are left out", numbers)

    def test_small_problems_of_digits_have_no_v1(self):
        files = Digits()
        files.more = {"stream_epochs": 20.0}
        verdicts = self.verdicts(files)
        name = "(mnist, mlp, 500 mega-batches, 20 epochs)"
        self.assertEqual(verdicts[f"V4 {name}"].verdict, HOLDS)
        self.assertNotIn(f"V1 {name}", verdicts)
        self.assertEqual(verdicts["V4"].verdict, NOT_TESTED)

    def test_files_of_both_papers(self):
        rows = Small().rows()
        path = plasticity_files.write(self.folder / "alma.h5", rows)
        other = plasticity_files.write(self.folder / "opm.h5", [plasticity_files.opm(seed, [91.0, 92.0]) for seed in (0, 1)])
        code, out, err = self.command("claims", path)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"V1 \(cifar10, vgg, 20 mega-batches, 10000 images, 10 epochs\) +holds +2 +an intermediate")
        self.assertNotIn("Loss of plasticity", out)
        code, out, err = self.command("claims", path, other)
        self.assertEqual((code, err), (0, ""))
        self.assertLess(out.index("Loss of plasticity"), out.index("Anytime learning"))
        code, out, _ = self.command("claims", path, "--csv")
        self.assertEqual(len(out.splitlines()), 1 + 20 + 11)


if __name__ == "__main__":
    unittest.main()
