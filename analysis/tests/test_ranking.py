"""Means over seeds, their intervals and the choice of the best."""

import math
import os
import unittest
import unittest.mock

import numpy as np

import engram_results
from engram_results import program, ranking
from case import ResultsCase
from synthetic import trial

NAN = float("nan")


class Interval(unittest.TestCase):
    def test_factors_are_those_of_students_distribution(self):
        student, paper = (program.factors(3, interval) for interval in ("student", "paper"))
        self.assertTrue(math.isnan(student[0]) and math.isnan(student[1]))
        # t(0.975, 1) = tan(0.475 π); s of 0.6, 0.8 is 0.1414, with divisor n 0.1
        self.assertAlmostEqual(student[2], math.tan(0.475 * math.pi) / math.sqrt(2), places=10)
        self.assertAlmostEqual(student[3], 3 ** -0.5 * 4.302652729749463, places=10)
        self.assertAlmostEqual(paper[2] * math.sqrt(0.02), 1.96 * 0.1 / math.sqrt(2), places=12)

    def test_without_the_command_it_is_said_what_is_missing(self):
        with unittest.mock.patch.dict(os.environ, {"ENGRAM": "/nowhere/engram"}):
            with self.assertRaisesRegex(engram_results.ResultError, "ENGRAM=/nowhere/engram is no"):
                program.find()
        with unittest.mock.patch.dict(os.environ, {"ENGRAM": "", "PATH": "/nowhere"}), \
                unittest.mock.patch.object(program, "BUILT", "/nowhere/engram"):
            with self.assertRaisesRegex(engram_results.ResultError, "command `engram`, which was"):
                program.find()


class Points(ResultsCase):
    def test_groups_by_swept_settings_with_missing_ones(self):
        ds = self.open([trial("ash", "sgd", 0.6, model_activation_alpha=3.0),
                        trial("ash", "sgd", 0.8, model_activation_alpha=3.0),
                        trial("ash", "sgd", 0.9, model_activation_alpha=4.0),
                        trial("relu", "sgd", 0.2), trial("relu", "sgd", 0.4)])
        frame = engram_results.points(ds)
        np.testing.assert_allclose(frame["reported"], [0.9, 0.7, 0.3])
        self.assertEqual(frame["n"].tolist(), [1, 2, 2])
        self.assertTrue(math.isnan(frame["model_activation_alpha"][2]))
        half = math.tan(0.475 * math.pi) * math.sqrt(0.02) / math.sqrt(2)
        self.assertAlmostEqual(frame["reported_ci"][1], half, places=10)
        paper = engram_results.points(ds, interval="paper")
        self.assertAlmostEqual(paper["reported_ci"][1], 1.96 * 0.1 / math.sqrt(2), places=12)

    def test_diverged_counts_as_chance_and_skipped_makes_n_smaller(self):
        ds = self.open([trial("ash", "sgd", 0.7), trial("ash", "sgd", 0.1, "diverged"),
                        trial("ash", "sgd", NAN, "skipped"), trial("ash", "sgd", NAN, "failed"),
                        trial("relu", "sgd", NAN, "pending")])
        frame = engram_results.points(ds)
        self.assertAlmostEqual(frame["reported"][0], 0.4)
        counts = ["n", "diverged", "skipped", "planned"]
        self.assertEqual(frame[counts].iloc[0].tolist(), [2, 1, 1, 4])
        self.assertEqual(frame["n"][1], 0)
        self.assertTrue(math.isnan(frame["reported"][1]))

    def test_diverged_has_no_value_of_what_is_no_accuracy(self):
        ds = self.open([trial("ash", "sgd", NAN, "diverged"), trial("ash", "sgd", 0.1),
                        trial("relu", "sgd", 0.5), trial("relu", "sgd", 0.5),
                        trial("swish", "sgd", NAN, "diverged")])
        ds["forgetting"] = ds["objective"].copy()
        ds["objective"].attrs.update(objective="forgetting", goal="minimise")
        frame = engram_results.points(ds)
        # Never 0.100, and a point that has lost seeds is not better for it.
        self.assertEqual(frame["model_activation"].tolist(), ["relu", "ash", "swish"])
        self.assertEqual(frame["n"].tolist(), [2, 1, 0])
        self.assertEqual(frame["diverged"].tolist(), [0, 1, 1])
        self.assertTrue(math.isnan(frame["reported"][2]))

    def test_it_is_said_which_data_a_variable_is_measured_on(self):
        ds = self.open([trial("ash", "sgd", 0.9), trial("relu", "sgd", 0.7)])
        self.assertEqual(engram_results.points(ds)["reported_on"][0], "final_accuracy (as recorded, on test data)")
        # A loss of training is no choice of the protocol's, and it is not of test data.
        ds["late_online_loss"] = ds["objective"].copy()
        ds["objective"].attrs.update(objective="late_online_loss", goal="minimise")
        frame = engram_results.points(ds)
        self.assertEqual(frame["selected_on"][0], "late_online_loss (training)")
        self.assertEqual(frame["reported_on"][0], "late_online_loss (as recorded, on training data)")
        # A file without the variable holds the objective alone.
        frame = engram_results.points(ds.drop_vars("late_online_loss"))
        self.assertEqual(frame["reported_on"][0], "late_online_loss (training)")

    def test_fresh_seeds_report_and_what_was_removed_is_marked(self):
        ds = self.open([trial("ash", "sgd", 0.9), trial("ash", "sgd", 0.7),
                        trial("ash", "sgd", 0.5, stage=2), trial("ash", "sgd", 0.3, stage=2),
                        trial("relu", "sgd", 0.6), trial("swish", "sgd", 1.0, stage=0)])
        frame = engram_results.points(ds)
        self.assertEqual(frame["model_activation"].tolist(), ["ash", "relu", "swish"])
        np.testing.assert_allclose(frame["selected"], [0.8, 0.6, 1.0])
        np.testing.assert_allclose(frame["reported"], [0.4, 0.6, 1.0])
        self.assertEqual(frame["fresh"].tolist(), [True, False, False])
        self.assertEqual(frame["in_sweep"].tolist(), [True, True, False])
        self.assertEqual(frame[["selected_n", "n", "planned"]].iloc[0].tolist(), [2, 2, 2])

    def test_data_are_named(self):
        rows = [trial("ash", "sgd", 0.5, protocol="first_tasks", protocol_k=2.0),
                trial("relu", "sgd", 0.6, protocol="first_tasks", protocol_k=2.0)]
        frame = engram_results.points(self.open(rows))
        self.assertEqual(frame["selected_on"][0], "final_accuracy (first 2 tasks)")
        self.assertEqual(frame["reported_on"][0], "final_accuracy (as recorded, on test data)")

    def test_best_per_setting_chooses_by_mean_not_by_single_runs(self):
        ds = self.open([trial("ash", "sgd", 0.1, optimizer_lr=1.0),
                        trial("ash", "sgd", 0.9, optimizer_lr=1.0),
                        trial("ash", "sgd", 0.6, optimizer_lr=2.0),
                        trial("ash", "sgd", 0.6, optimizer_lr=2.0),
                        trial("relu", "sgd", 0.3, optimizer_lr=1.0)])
        best = engram_results.best_points(ds, by=["model.activation"])
        self.assertEqual(best["model_activation"].tolist(), ["ash", "relu"])
        self.assertEqual(best["optimizer_lr"].tolist(), [2.0, 1.0])
        self.assertEqual(len(engram_results.best_points(ds)), 1)
        pending = self.open([trial("ash", "sgd", NAN, "pending"), trial("relu", "sgd", 0.5)], "b.h5")
        best = engram_results.best_points(pending, by=["model_activation"])
        self.assertEqual(best["model_activation"].tolist(), ["relu"])
        with self.assertRaisesRegex(engram_results.ResultError, "no setting called `momentum`"):
            engram_results.best_points(ds, by=["momentum"])

    def test_small_is_good_when_the_file_says_so(self):
        ds = self.open([trial("ash", "sgd", 0.1), trial("relu", "sgd", 0.9)])
        ds["objective"].attrs["goal"] = "minimise"
        self.assertEqual(engram_results.points(ds)["model_activation"].tolist(), ["ash", "relu"])

    def test_reported_variable_does_not_choose(self):
        ds = self.open([trial("ash", "sgd", 0.5), trial("relu", "sgd", 0.6)])
        ds["final_accuracy"] = ("trial", np.array([0.9, 0.1]))
        frame = engram_results.points(ds, report="final_accuracy")
        self.assertEqual(frame["model_activation"].tolist(), ["relu", "ash"])
        self.assertEqual(frame["reported"].tolist(), [0.1, 0.9])
        self.assertEqual(frame["selected"].tolist(), [0.6, 0.5])

    def test_several_files_are_one_and_shared_trials_count_once(self):
        rows = [trial("ash", "sgd", 0.5), trial("relu", "sgd", 0.2)]
        half = [trial("ash", "sgd", NAN, "pending"), trial("relu", "sgd", NAN, "pending"),
                trial("ash", "sgd", 0.7), trial("swish", "adam", 0.3)]
        frame = engram_results.points([self.open(half, "a.h5"), self.open(rows, "b.h5")])
        found = {(r.model_activation, r.optimizer): (round(r["reported"], 9), r.n, r.planned)
                 for _, r in frame.iterrows()}
        self.assertEqual(found, {("ash", "sgd"): (0.6, 2, 2), ("relu", "sgd"): (0.2, 1, 1),
                                 ("swish", "adam"): (0.3, 1, 1)})

    def test_what_each_file_fixes_differently_tells_points_apart(self):
        files = [self.open([trial("relu", "sgd", score, stream=stream)], f"{stream}.h5")
                 for stream, score in (("split", 0.2), ("iid", 0.9))]
        self.assertEqual(engram_results.points(files)["reported"].tolist(), [0.9, 0.2])

    def test_description_names_numbers_and_leaves_out_what_is_missing(self):
        ds = self.open([trial("ash", "sgd", 0.5, model_activation_alpha=4.0, optimizer_lr=3e-4),
                        trial("relu", "sgd", 0.2, optimizer_lr=1e-3)])
        varied = {name: engram_results.settings(ds)[name] for name in engram_results.swept(ds)}
        texts = [ranking.describe(row, varied) for _, row in engram_results.points(ds).iterrows()]
        self.assertEqual(texts, ["ash alpha=4 lr=0.0003", "relu lr=0.001"])
        # alpha has one value wherever it exists, so it tells nothing apart.
        self.assertEqual(list(ranking.telling(ds)), ["model.activation", "optimizer.lr"])
        # Neither does lr where every optimizer has one of its own.
        pairs = self.open([trial("ash", "sgd", 0.5, optimizer_lr=0.1),
                           trial("ash", "adam", 0.5, optimizer_lr=0.2)], "pairs.h5")
        self.assertEqual(list(ranking.telling(pairs)), ["optimizer"])


if __name__ == "__main__":
    unittest.main()
