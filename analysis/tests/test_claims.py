"""Claims about the loss of plasticity: every verdict both ways, from files with known curves."""

import unittest

import numpy as np

import engram_results
from engram_results import claims, published
from engram_results.claims_scr import ACTIVATIONS, STEPS
from engram_results.plasticity import best_of_each, early, late, method_of, points_of, reference, rise
from engram_results.runs import paired
from engram_results.verdict import FAILS, HOLDS, NOT_TESTED
from case import ResultsCase
import plasticity_files
from plasticity_files import opm, scr

SEEDS = range(3)
SCR_SEEDS = range(10)
BINS = 75


def wander(seed):
    """What all learners of a seed share: the stream is harder at times."""
    return 0.3 * np.sin(np.arange(BINS) / 9 + seed) + 0.1 * seed


def climb(first, last):
    """Falls to `first` within the first tenth, then rises to `last`, which it has in the last tenth."""
    curve = np.interp(np.arange(BINS), [0, 2, 6, 64, 74], [first + 0.2, first, first, last, last])
    curve[0] += 0.2
    return curve


def middle(low, high):
    return low + 0.1 if high is None else (low + high) / 2


class Scr:
    """The files of claims R1 to R8 as published, of which parts can be changed."""

    def __init__(self):
        levels = published.loss_of_plasticity()["scr"]["levels"]
        self.curves = {}
        for activation in ACTIVATIONS:
            for step in STEPS:
                (low, high), (low_end, high_end) = levels[activation][f"{step:g}"]
                last = 0.75 if activation == "elu" else middle(low_end, high_end)
                self.curves["bp", activation, step] = climb(middle(low, high), last)
        for step in STEPS:
            self.curves["linear", "relu", step] = np.full(BINS, 0.8)
            self.curves["adam", "relu", step] = self.curves["bp", "relu", step] + 0.3
        self.curves["cbp", "relu", 0.01] = self.curves["bp", "relu", 0.01] - np.linspace(0, 0.5, BINS)

    def rows(self):
        more = {"linear": {"model_hidden": "[]"}, "adam": {"optimizer": "adam"},
                "cbp": {"learner": "continual_backprop"}}
        return [scr(seed, curve + wander(seed), activation, step, **more.get(method, {}))
                for (method, activation, step), curve in self.curves.items() for seed in SCR_SEEDS]


def published_curve(tasks=100):
    levels = {int(task): value for task, value in
              published.loss_of_plasticity()["opm"]["width"]["100"].items()}
    return np.interp(np.arange(1, tasks + 1), sorted(levels), [levels[task] for task in sorted(levels)])


class Opm:
    """3 × 100 units over 100 tasks as far as the claims say, of which parts can be changed."""

    def __init__(self):
        bp, t = published_curve(), np.linspace(0, 1, 100)
        self.methods = {
            ("bp", 0.003): (bp, {}, 10 * t, 30 - 10 * t, 0.06 + 0.04 * t),
            ("bp", 0.01): (bp - 3 * t, {}, 20 * t, 30 - 15 * t, 0.06 + 0.08 * t),
            ("bp", 0.001): (bp + t, {}, 2 * t, 30 - 5 * t, 0.06 + 0.02 * t),
            ("l2", 0.003): (bp + 1.2 * t, {"optimizer_weight_decay": 1e-4}, 15 * t, 30 - 20 * t, 0.06 + 0 * t),
            ("snp", 0.003): (bp + 1.8 * t, {"learner": "shrink_perturb"}, 9 * t, 30 - 12 * t, 0.06 + 0.001 * t),
            ("cbp", 0.003): (np.full(100, 93.5), {"learner": "continual_backprop"}, 0 * t, 30 + t, 0.07 + 0 * t),
            ("reset_all", 0.003): (np.full(100, 92.0), {"learner": "reset", "learner_what": "network"}, 0 * t, 30 + 0 * t, 0.06 + 0 * t),
            ("dropout 0.03", 0.003): (bp - 0.2, {"model_dropout": 0.03}, 9 * t, 30 - 8 * t, 0.06 + 0.03 * t),
            ("dropout 0.1", 0.003): (bp - 2 * t, {"model_dropout": 0.1}, 9 * t, 30 - 7 * t, 0.06 + 0.03 * t),
        }
        self.fast = published_curve() - 5

    def rows(self):
        rows = []
        for (_, lr), (accuracy, more, dead, rank, weight) in self.methods.items():
            for seed in SEEDS:
                rows.append(opm(seed, accuracy + 0.02 * seed, lr, dead_percent=dead + 0.01 * seed,
                                effective_rank_percent=rank + 0.01 * seed,
                                mean_abs_weight=weight + 1e-5 * seed, **more))
        rows += [opm(seed, self.fast + 0.02 * seed, 0.003, stream_change_after=10000.0,
                     online_examples=10000.0 * np.arange(1, 101)) for seed in SEEDS]
        return rows


class Groups(ResultsCase):
    def test_methods_are_told_from_settings(self):
        plain = {"model.hidden": "[5]", "learner": "plain", "optimizer": "sgd", "optimizer.weight_decay": 0.0}
        for more, method in (({}, "bp"), ({"model.hidden": "[]"}, "linear"),
                             ({"optimizer.weight_decay": 1e-4}, "l2"), ({"optimizer": "adam"}, "adam"),
                             ({"optimizer": "upgd"}, "upgd"), ({"model.dropout": 0.1}, "dropout"),
                             ({"model.norm": "layer"}, "layer_norm"), ({"model.norm": "online"}, "online_norm"),
                             ({"model.activation": "crelu"}, "crelu"), ({"learner": "reset", "learner.what": "network"}, "reset_all"),
                             ({"learner": "reset", "learner.what": "head"}, "reset head"),
                             ({"learner": "l2", "learner.towards": "initial"}, "l2_init"),
                             ({"learner": "l2", "learner.towards": "zero"}, "l2"),
                             ({"learner": "continual_backprop", "optimizer.weight_decay": 1e-4}, "cbp"),
                             ({"learner": "shrink_perturb", "learner.when": "step"}, "snp"),
                             ({"learner": "shrink_perturb", "learner.when": "task"}, "snp at tasks"),
                             ({"learner": "l2_init"}, "l2_init"), ({"learner": "redo"}, "redo")):
            self.assertEqual(method_of({**plain, **more}.get), method)

    def test_points_hold_the_runs_of_their_settings(self):
        rows = [scr(1, [1.0, 2.0]), scr(0, [3.0, 4.0]), scr(0, [5.0, 6.0], lr=0.001),
                scr(2, [np.nan, np.nan], status="diverged"), scr(3, [1.0], status="failed"),
                scr(4, [7.0, np.nan], model_hidden="[]")]
        points = points_of(self.ds(rows))
        by = {(point.method, point.get("optimizer.lr")): point for point in points}
        self.assertEqual(by["bp", 0.01].seeds, [0, 1])
        self.assertEqual(by["bp", 0.01].diverged, 1)
        self.assertEqual(by["bp", 0.01].curve("online_loss").tolist(), [[3, 4], [1, 2]])
        self.assertEqual(by["linear", 0.01].curve("online_loss").tolist(), [[7]])
        self.assertEqual(by["bp", 0.001].label, "bp lr=0.001")
        self.assertFalse(by["bp", 0.001].has("dead_percent"))
        with self.assertRaises(engram_results.ResultError):
            by["bp", 0.001].curve("dead_percent")

    def test_early_late_and_rise_by_hand(self):
        curves = np.array([[9.0, 3, 2, 1, 6] + [5.0] * 43 + [7, 8], [9.0, 3, 2, 1, 6] + [5.0] * 43 + [9, 8]])
        # Five bins are a tenth of 50: the moving averages are 14/3, 2, 3.
        self.assertAlmostEqual(early(curves), 2)
        np.testing.assert_allclose(late(curves), [6, 6.4])
        np.testing.assert_allclose(rise(curves), [4, 4.4])

    def test_learners_are_compared_on_the_same_streams(self):
        rows = [scr(seed, [10.0 * seed, 20.0 * seed]) for seed in (0, 1, 2)]
        rows += [scr(seed, [10.0 * seed - 1, 20.0 * seed - 3], lr=step, model_hidden="[]")
                 for seed in (2, 1, 7) for step in (0.01, 0.003)]
        points = points_of(self.ds(rows))
        bp = next(point for point in points if point.method == "bp")
        linear = reference(points)
        self.assertEqual(linear.get("optimizer.lr"), 0.003)
        self.assertEqual(paired(bp, linear, "online_loss").tolist(), [[1, 3], [1, 3]])

    def test_the_best_point_of_every_method(self):
        rows = [opm(0, [50, 60], 0.01), opm(0, [50, 70], 0.003), opm(0, [10, 10], optimizer="adam")]
        best = best_of_each(points_of(self.ds(rows)))
        self.assertEqual({name: point.get("optimizer.lr") for name, point in best.items()},
                         {"bp": 0.003, "adam": 0.003})

    def ds(self, rows):
        ds = plasticity_files.dataset(rows)
        return [ds]


class Claims(ResultsCase):
    def verdicts(self, *files):
        return {v.claim: v for v in claims.judge([plasticity_files.dataset(rows) for rows in files])}

    def test_regression_as_published(self):
        verdicts = self.verdicts(Scr().rows())
        for claim in ("R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8"):
            self.assertEqual(verdicts[claim].verdict, HOLDS, (claim, verdicts[claim].numbers))
            self.assertEqual(verdicts[claim].runs, "10")
        self.assertEqual(verdicts["R9"].verdict, NOT_TESTED)
        self.assertEqual(verdicts["M1"].verdict, NOT_TESTED)

    def failing(self, claim, *changes):
        """Whether a claim, which holds, no longer does after changes to curves."""
        files = Scr()
        for key, curve in changes:
            files.curves[key] = curve
        verdict = self.verdicts(files.rows())[claim]
        self.assertTrue(verdict.numbers[0].startswith("not so: ") or verdict.verdict == HOLDS)
        return verdict.verdict

    def test_regression_otherwise(self):
        for claim, changes in (
                ("R1", [(("bp", "swish", 0.001), climb(0.8, 0.7))]),
                ("R2", [(("bp", "relu", 0.01), climb(0.65, 0.82))]),
                ("R2", [(("bp", "relu", 0.003), climb(0.6, 1.3))]),
                ("R3", [(("bp", "leaky_relu", 0.01), climb(0.55, 0.6))]),
                ("R4", [(("bp", "sigmoid", 0.001), climb(0.7, 1.2))]),
                ("R5", [(("bp", "elu", step), climb(0.1, 0.9)) for step in STEPS]),
                ("R6", [(("linear", "relu", 0.01), np.linspace(0.6, 1.0, BINS))]),
                ("R7", [(("adam", "relu", step), climb(0.5, 0.5)) for step in STEPS]),
                ("R8", [(("cbp", "relu", 0.01), climb(0.65, 1.4))])):
            self.assertEqual(self.failing(claim, *changes), FAILS, claim)

    def test_a_level_is_judged_beside_the_linear_learner(self):
        files = Scr()
        files.curves = {key: curve + 0.5 for key, curve in files.curves.items()}
        verdicts = self.verdicts(files.rows())
        self.assertEqual([verdicts[claim].verdict for claim in ("R1", "R2", "R6")], [HOLDS] * 3)

    def test_what_is_missing_is_not_tested(self):
        rows = Scr().rows()
        some = [row for row in rows if row["model_activation"] != "swish"]
        verdicts = self.verdicts(some)
        self.assertEqual([verdicts[claim].verdict for claim in ("R1", "R2", "R5")], [NOT_TESTED, HOLDS, NOT_TESTED])
        short = [dict(row, stream_examples=1e5) for row in rows]
        verdicts = self.verdicts(short)
        self.assertEqual({v.verdict for v in verdicts.values()}, {NOT_TESTED})

    def all_bits(self, end):
        def rows(activation, lr, first, last, **more):
            curve = np.interp(np.arange(50), [0, 10, 44, 49], [first, first, last, last])
            return [scr(seed, curve + 0.01 * seed, activation, lr, stream_flips="all", stream_examples=1e6, **more)
                    for seed in SCR_SEEDS]
        return (rows("relu", 0.01, 0.62, end) + rows("relu", 0.003, 0.7, 1.08) + rows("relu", 0.001, 0.84, 0.87)
                + rows("tanh", 0.01, 0.43, 0.9)
                + [dict(row, online_loss=np.full(50, 0.88)) for row in
                   rows("relu", 0.003, 0.88, 0.88, model_hidden="[]")])

    def test_all_bits(self):
        # Levels are judged beside the linear learner, which here does not share what seeds differ by.
        self.assertEqual(self.verdicts(self.all_bits(1.25))["R9"].verdict, HOLDS)
        self.assertEqual(self.verdicts(self.all_bits(0.7))["R9"].verdict, FAILS)
        self.assertEqual(self.verdicts(Scr().rows(), self.all_bits(1.25))["R1"].verdict, HOLDS)

    def test_permuted_as_published(self):
        verdicts = self.verdicts(Opm().rows())
        for claim in ("M4", "M5", "M6", "M7", "M8", "M9", "M10", "M11", "M12"):
            verdict = verdicts[f"{claim} (width 100)"]
            self.assertEqual(verdict.verdict, HOLDS, (claim, verdict.numbers))
        for claim in ("M1", "M2", "M3", "M4 (width 1000)", "M5", "M6", "M7", "M8", "M9", "M10", "M11", "M12"):
            self.assertEqual(verdicts[claim].verdict, NOT_TESTED)

    def test_permuted_otherwise(self):
        t = np.linspace(0, 1, 100)

        def with_(key, **changes):
            names = ("accuracy", "more", "dead", "rank", "weight")
            files = Opm()
            parts = dict(zip(names, files.methods[key]), **changes)
            files.methods[key] = tuple(parts[name] for name in names)
            return files

        flat = Opm()
        flat.fast = np.full(100, 87.0)
        for claim, files in (
                ("M4", with_(("bp", 0.003), accuracy=published_curve() - 1.5)),
                ("M5", flat),
                ("M6", with_(("bp", 0.01), dead=5 - t)), ("M6", with_(("bp", 0.001), rank=30 + t)),
                ("M7", with_(("cbp", 0.003), accuracy=published_curve() + 1.4)),
                ("M7", with_(("l2", 0.003), accuracy=published_curve() - 0.5)),
                ("M8", with_(("cbp", 0.003), dead=5 * t)), ("M9", with_(("cbp", 0.003), rank=30 - 15 * t)),
                ("M10", with_(("l2", 0.003), weight=0.06 + 0.03 * t)),
                ("M11", with_(("reset_all", 0.003), accuracy=np.full(100, 94.0))),
                ("M12", with_(("dropout 0.1", 0.003), accuracy=published_curve() + 1))):
            verdict = self.verdicts(files.rows())[f"{claim} (width 100)"]
            self.assertEqual(verdict.verdict, FAILS, (claim, verdict.numbers))

    def test_full_width(self):
        levels = published.loss_of_plasticity()["opm"]["2000"]
        rows = []
        for step, known in levels.items():
            tasks = sorted(int(task) for task in known)
            curve = np.interp(np.arange(1, 801), tasks, [known[str(task)] for task in tasks])
            rows += [opm(seed, curve + 0.01 * seed, float(step), model_hidden="[2000, 2000, 2000]")
                     for seed in SEEDS]
        verdicts = self.verdicts(rows)
        self.assertEqual([verdicts[claim].verdict for claim in ("M1", "M2", "M3")], [HOLDS] * 3)
        few = [dict(row, online_accuracy=row["online_accuracy"][:4], online_examples=row["online_examples"][:4])
               for row in rows]
        verdicts = self.verdicts(few)
        self.assertEqual(verdicts["M1"].verdict, NOT_TESTED)
        self.assertIn("task 1: 94.11 ± 0.01 (published 94.1)", verdicts["M1"].numbers[0])

    def test_few_runs_are_not_enough(self):
        rows = [row for row in Scr().rows() if row["seed"] < 9]
        self.assertEqual({v.verdict for v in self.verdicts(rows).values()}, {NOT_TESTED})
        one = [row for row in Opm().rows() if row["seed"] == 0]
        self.assertEqual({v.verdict for v in self.verdicts(one).values()}, {NOT_TESTED})
        with self.assertRaises(engram_results.ResultError):
            claims.judge([plasticity_files.dataset([dict(rows[0], stream="split")])])

    def test_the_command_prints_the_table(self):
        path = plasticity_files.write(self.folder / "scr.h5", Scr().rows())
        code, out, err = self.command("claims", path)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"R1 +holds +10 +BP's error rises")
        self.assertRegex(out, r"M1 +not tested at this size")
        self.assertIn("8 of 51 tested, 8 hold", out)
        code, out, err = self.command("claims", path, "--csv")
        self.assertEqual(len(out.splitlines()), 52)


if __name__ == "__main__":
    unittest.main()
