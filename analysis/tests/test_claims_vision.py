"""Claims about loss of plasticity in vision: every verdict both ways, from files with known curves."""

import unittest

import numpy as np

from engram_results import claims, published
from engram_results.plasticity import method_of, rank_correlation
from engram_results.verdict import FAILS, HOLDS, NOT_TESTED
from case import ResultsCase
import plasticity_files
from plasticity_files import cic, cin

SEEDS = range(3)


def through(tasks, **levels):
    """A curve through {task: level}, straight in between; keywords are t1, t50, …"""
    places = sorted((int(name[1:]), value) for name, value in levels.items())
    return np.interp(np.arange(1, tasks + 1), [place for place, _ in places], [value for _, value in places])


class Pairs:
    """The paper's size of claims I1 to I6 as published, of which parts can be changed."""

    full = {"dataset": "images", "dataset_classes": 1000.0}

    def __init__(self):
        self.points = {
            ("bp", 0.01): (through(2000, t1=84.2, t50=84.2, t101=85.3, t150=85.3, t875=81.8, t951=81.5, t1000=81.5,
                                   t1451=78.3, t1500=78.3, t1951=73.9, t2000=73.9), {}, 125),
            ("bp", 0.001): (through(2000, t1=83.3, t50=83.3, t251=78.5, t2000=78.5), {}, 100),
            ("bp", 0.0001): (through(2000, t1=65, t50=65, t251=80.2, t300=80.2, t551=77, t1000=77, t1951=78.3,
                                     t2000=78.3), {}, 200),
            ("linear", 0.01): (np.full(2000, 77.1), {"model": "linear", "model_hidden": ""}, 50),
            ("cbp", 0.01): (through(5000, t1=84.4, t50=84.4, t301=86.5, t4951=90.4, t5000=90.4),
                            {"learner": "continual_backprop"}, 10),
            ("l2", 0.01): (through(5000, t1=85.2, t50=85.2, t301=85.3, t4951=89.2, t5000=89.2),
                           {"optimizer_weight_decay": 3e-6}, 20),
            ("snp", 0.01): (through(5000, t1=84.3, t50=84.3, t301=85.2, t4951=89.2, t5000=89.2),
                            {"learner": "shrink_perturb"}, 20)}

    def rows(self):
        return [cin(seed, curve + 0.01 * seed, step, 250, **self.full, **more,
                    peak_examples=np.full(len(curve), 200.0 * best + seed))
                for (_, step), (curve, more, best) in self.points.items() for seed in SEEDS]


class SmallPairs(Pairs):
    """Directions in 100 tasks of another dataset."""

    full = {}

    def __init__(self):
        self.points = {
            ("bp", 0.01): (through(100, t1=75, t10=82, t20=82, t100=70), {}, 9),
            ("bp", 0.001): (through(100, t1=70, t10=80, t20=80, t100=75), {}, 9),
            ("linear", 0.01): (np.full(100, 72.0), {"model": "linear", "model_hidden": ""}, 5),
            ("cbp", 0.01): (through(100, t1=75, t10=82, t100=86), {"learner": "continual_backprop"}, 4),
            ("l2", 0.01): (through(100, t1=75, t10=82, t100=84), {"optimizer_weight_decay": 1e-3}, 6),
            ("snp", 0.01): (through(100, t1=75, t10=82, t100=83), {"learner": "shrink_perturb"}, 6)}

    def rows(self):
        return [dict(row, stream_epochs=10.0, examples_seen=row["examples_seen"] / 25) for row in super().rows()]


def of_classes(seed, increments, each, slope):
    """[increments, classes]: accuracies of classes in an order of the seed's; each later increment ends `slope` higher."""
    draws = np.random.default_rng(seed)
    classes = increments * each
    introduced = np.repeat(np.arange(increments), each)[draws.permutation(classes)]
    last = 0.5 + slope * introduced + draws.uniform(-0.1, 0.1, classes)
    phase = np.arange(increments)[:, None]
    return np.where(introduced <= phase, last + 0.01 * (increments - 1 - phase), np.nan)


class Classes:
    """Claims C1 to C6 at the paper's size, of which parts can be changed: of every learner the accuracy, dormant units
    and stable rank at the end; of all of them the accuracies of classes."""

    def __init__(self):
        levels = published.loss_of_plasticity()["cic"]
        last = levels["last"]
        retrained = through(20, t1=89.5, t20=last["retrained"])
        self.peak = {"retrained": retrained,
                     "plain": retrained + through(20, t1=0, t3=2.4, t8=0.1, t9=-0.2, t20=last["base"] - 76.1),
                     "head_reset": retrained + through(20, t1=0, t20=-2.4),
                     "shrink_perturb": retrained + through(20, t1=0, t20=-1.55),
                     ("continual_backprop", 1e-5): retrained + 0.03 * through(20, t1=0, t20=1),
                     ("continual_backprop", 1e-4): retrained - 1 * through(20, t1=0, t20=1),
                     ("continual_backprop", 1e-6): retrained - 2 * through(20, t1=0, t20=1)}
        self.dormant = {"retrained": 0.0, "plain": 56.0, "head_reset": 41.0, "shrink_perturb": 7.7,
                        "continual_backprop": 1.4}
        self.rank = {"retrained": 95.0, "plain": 75.0, "head_reset": 89.7, "shrink_perturb": 89.4,
                     "continual_backprop": 92.6}
        self.size = (64, 200)
        self.slope = {}  # of the accuracy of classes over increments; else 0
        self.more = {}

    def rows(self):
        rows = []
        for key, curve in self.peak.items():
            learner, rate = key if isinstance(key, tuple) else (key, None)
            more = {} if rate is None else {"learner_of_replacement_rate": rate, "learner_of_maturity": 1000.0}
            ramp = np.linspace(0, 1, len(curve))
            ramp[-2:] = 1
            for seed in SEEDS:
                rows.append(cic(seed, curve + 0.01 * (seed - 1), learner, *self.size, **more,
                                dormant_percent=self.dormant[learner] * ramp + 0.01 * seed,
                                stable_rank_percent=95.6 + (self.rank[learner] - 95.6) * ramp + 0.01 * seed,
                                class_accuracy=of_classes(seed, len(curve), 5 if self.size[0] == 64 else 2,
                                                          self.slope.get(learner, 0.0))))
                rows[-1].update(self.more)
        return rows


class VisionClaims(ResultsCase):
    def verdicts(self, files):
        return {v.claim: v for v in claims.judge([plasticity_files.dataset(files.rows())])}

    def assert_verdict(self, files, claim, verdict):
        found = self.verdicts(files)[claim]
        self.assertEqual(found.verdict, verdict, (claim, found.numbers))

    def test_methods_inside_a_selection(self):
        net = {"model": "resnet18", "model.norm": "batch", "learner": "early_stopping", "optimizer.weight_decay": 5e-4}
        for inside, method in (("plain", "base"), ("head_reset", "head_reset"), ("retrained", "retrained"),
                               ("continual_backprop", "cbp"), ("shrink_perturb", "snp")):
            self.assertEqual(method_of({**net, "learner.of": inside}.get, "cic"), method)
        self.assertEqual(method_of({"model": "cin_net", "learner": "plain", "model.hidden": "[]"}.get, "cin"), "bp")
        self.assertEqual(method_of({"model": "linear", "learner": "plain"}.get, "cin"), "linear")

    def test_pairs_as_published(self):
        verdicts = self.verdicts(Pairs())
        for claim in ("I1", "I2", "I3", "I4", "I5", "I6"):
            self.assertEqual(verdicts[claim].verdict, HOLDS, (claim, verdicts[claim].numbers))
            self.assertEqual(verdicts[claim].runs, "3")
        self.assertEqual(verdicts["C1"].verdict, NOT_TESTED)
        self.assertEqual(verdicts["I1 (at least 100 tasks of any dataset)"].verdict, NOT_TESTED)

    def test_pairs_otherwise(self):
        for claim, key, curve in (("I1", ("bp", 0.01), np.full(2000, 84.2)),
                                  ("I2", ("bp", 0.001), np.full(2000, 83.3)),
                                  ("I3", ("bp", 0.0001), np.full(2000, 78.0)),
                                  ("I4", ("linear", 0.01), np.full(2000, 75.0)),
                                  ("I5", ("l2", 0.01), np.full(5000, 91.0))):
            files = Pairs()
            files.points[key] = (curve, *files.points[key][1:])
            self.assert_verdict(files, claim, FAILS)
        files = Pairs()
        files.points["cbp", 0.01] = (*files.points["cbp", 0.01][:2], 100)
        self.assert_verdict(files, "I6", FAILS)

    def test_a_shorter_sweep_is_not_the_paper(self):
        files = Pairs()
        files.points = {key: (curve[:1000], *rest) for key, (curve, *rest) in files.points.items()}
        verdicts = self.verdicts(files)
        self.assertEqual({verdicts[claim].verdict for claim in ("I1", "I2", "I3", "I4", "I5", "I6")}, {NOT_TESTED})

    def test_directions_of_pairs(self):
        name = "(cifar100, 10 epochs a task)"
        verdicts = self.verdicts(SmallPairs())
        for claim in ("I1", "I2", "I4", "I5", "I6"):
            verdict = verdicts[f"{claim} {name}"]
            self.assertEqual(verdict.verdict, HOLDS, (claim, verdict.numbers))
            self.assertIn("cut: 10 epochs a task (paper 250)", verdict.numbers[-1])
        self.assertIn("9.0 ", verdicts[f"I6 {name}"].numbers[0])
        for claim, key, curve in (("I1", ("bp", 0.01), through(100, t1=75, t10=82, t100=83)),
                                  ("I2", ("bp", 0.001), np.full(100, 80.0)),
                                  ("I4", ("linear", 0.01), through(100, t1=72, t100=75)),
                                  ("I5", ("cbp", 0.01), through(100, t1=75, t10=82, t100=80)),
                                  ("I5", ("snp", 0.01), through(100, t1=65, t100=65))):
            files = SmallPairs()
            files.points[key] = (curve, *files.points[key][1:])
            self.assert_verdict(files, f"{claim} {name}", FAILS)
        files = SmallPairs()
        files.points["cbp", 0.01] = (*files.points["cbp", 0.01][:2], 10)
        self.assert_verdict(files, f"I6 {name}", FAILS)

    def test_few_tasks_tell_nothing(self):
        files = SmallPairs()
        files.points = {key: (curve[:40], *rest) for key, (curve, *rest) in files.points.items()}
        self.assertEqual({v.verdict for v in self.verdicts(files).values()}, {NOT_TESTED})

    def test_classes_as_published(self):
        verdicts = self.verdicts(Classes())
        for claim in ("C1", "C2", "C3", "C4", "C5", "C6"):
            self.assertEqual(verdicts[claim].verdict, HOLDS, (claim, verdicts[claim].numbers))
        self.assertEqual(verdicts["C5"].runs, "3")
        self.assertEqual(sum("100 classes, 3 runs" in words for words in verdicts["C5"].numbers), 5)
        self.assertIn("more than 2 standard errors from 0", verdicts["C5"].numbers[-1])
        self.assertEqual(verdicts["I1"].verdict, NOT_TESTED)

    def test_classes_otherwise(self):
        def peaks(**change):
            files = Classes()
            files.peak.update(change)
            return files

        self.assert_verdict(peaks(plain=np.full(20, 80.0)), "C1", FAILS)
        self.assert_verdict(peaks(plain=Classes().peak["retrained"] + 1), "C2", FAILS)
        files = Classes()
        files.dormant["plain"] = 20.0
        self.assert_verdict(files, "C3", FAILS)
        files = Classes()
        files.rank["plain"] = 90.0
        self.assert_verdict(files, "C4", FAILS)
        files = Classes()
        files.peak["continual_backprop", 1e-4] = files.peak["retrained"] + 1
        self.assert_verdict(files, "C6", FAILS)
        for slope in (-0.005, 0.005):
            files = Classes()
            files.slope["plain"] = slope
            self.assert_verdict(files, "C5", FAILS)
            self.assertIn("not so: base", self.verdicts(files)["C5"].numbers[0])

    def test_ranks(self):
        self.assertAlmostEqual(rank_correlation([0, 0, 1, 1], [0.5, 0.6, 0.7, 0.9]), 4 / np.sqrt(4 * 5))
        self.assertAlmostEqual(rank_correlation([1, 2, 3], [9, 4, 1]), -1)
        self.assertEqual(rank_correlation([0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]), 0)

    def test_order_of_classes_needs_their_accuracy(self):
        for more in ({"eval_tasks": "current"}, {"eval_tasks": "all"}, {"class_accuracy": np.full((20, 100), np.nan)}):
            files = Classes()
            files.more = more
            self.assert_verdict(files, "C5", NOT_TESTED)
        rows = files.rows()
        for row in rows:
            del row["class_accuracy"]
        verdicts = {v.claim: v for v in claims.judge([plasticity_files.dataset(rows)])}
        self.assertEqual([verdicts[claim].verdict for claim in ("C1", "C5")], [HOLDS, NOT_TESTED])
        self.assertIn("class_accuracy", verdicts["C5"].numbers[0])

    def small(self):
        files = Classes()
        files.size = (16, 20)
        files.peak = {key: curve[:10] for key, curve in files.peak.items()}
        return files

    def test_directions_of_classes(self):
        name = "(10 increments, 2 classes each, 20 epochs, 16 filters at first)"
        verdicts = self.verdicts(self.small())
        for claim in ("C3", "C4", "C5"):
            verdict = verdicts[f"{claim} {name}"]
            self.assertEqual(verdict.verdict, HOLDS, verdict.numbers)
            self.assertIn("cut: 10 increments", verdict.numbers[-1])
        self.assertIn("20 classes, 3 runs", " ".join(verdicts[f"C5 {name}"].numbers))
        for claim in ("C1", "C2", "C3", "C4", "C5", "C6"):
            self.assertEqual(verdicts[claim].verdict, NOT_TESTED)
        files = self.small()
        files.dormant["plain"] = 30.0
        self.assert_verdict(files, f"C3 {name}", FAILS)
        files = self.small()
        files.rank["continual_backprop"] = 80.0
        self.assert_verdict(files, f"C4 {name}", FAILS)
        files = self.small()
        files.slope["head_reset"] = -0.02
        self.assert_verdict(files, f"C5 {name}", FAILS)


if __name__ == "__main__":
    unittest.main()
