"""Figures and statistics of the loss of plasticity."""

import unittest

import matplotlib.pyplot as plt
import numpy as np

import engram_results
from engram_results import plasticity_figures
from case import ResultsCase
import plasticity_files
from plasticity_files import cic, cin, opm, scr


class Figures(ResultsCase):
    def close(self, figure):
        self.addCleanup(plt.close, figure)
        return figure

    def regression(self):
        shared = {0: np.array([5.0, 1.0, 3.0]), 1: np.array([2.0, 4.0, 1.0])}
        examples = {"online_examples": [40000.0, 80000.0, 120000.0]}
        rows = []
        for seed, level in shared.items():
            rows += [scr(seed, level + [0, 1 + seed, 2], lr=0.01, **examples),
                     scr(seed, level - 0.5, lr=0.01, learner="continual_backprop", **examples),
                     scr(seed, level + 3, "tanh", 0.003, **examples),
                     scr(seed, level, lr=0.003, model_hidden="[]", **examples)]
        return rows + [scr(0, [1.0, 1, 1], lr=0.01, stream_flips="all", **examples)]

    def test_regression_is_drawn_relative_to_the_linear_learner(self):
        figure = self.close(plasticity_figures.scr([plasticity_files.dataset(self.regression())]))
        relu, tanh, rivals = figure.axes[0], figure.axes[1], figure.axes[2]
        self.assertEqual([axis.get_title() for axis in figure.axes[:3]],
                         ["relu", "tanh", "rivals, their best points"])
        line = relu.get_lines()[0]
        self.assertEqual(line.get_label(), "0.01 (n = 2)")
        np.testing.assert_allclose(line.get_xdata(), [40000, 80000, 120000])
        # Levels that the seeds share are gone; 1 and 2 at the second bin have standard error 1/2.
        np.testing.assert_allclose(line.get_ydata(), [0, 1.5, 2])
        top = relu.collections[0].get_paths()[0].get_extents()
        self.assertAlmostEqual(top.y1, 2.0)
        np.testing.assert_allclose(tanh.get_lines()[0].get_ydata(), [3, 3, 3])
        np.testing.assert_allclose(rivals.get_lines()[1].get_ydata(), [-0.5] * 3)
        self.assertEqual(len(figure.left_out), 1)
        self.assertIn("its streams end before", figure.left_out[0])

    def test_regression_needs_a_linear_learner(self):
        rows = [row for row in self.regression() if row["model_hidden"] != "[]"]
        with self.assertRaisesRegex(engram_results.ResultError, "relative to the linear learner"):
            plasticity_figures.scr([plasticity_files.dataset(rows)])

    def permuted(self):
        return [opm(0, [90, 94, 92, 91], dead_percent=[0.0, 1, 2, 3], effective_rank_percent=[40.0, 30, 20, 10],
                    mean_abs_weight=[0.1, 0.2, 0.3, 0.4]),
                opm(1, [92, 94, 92, 93], dead_percent=[0.0, 1, 2, 5], effective_rank_percent=[40.0, 30, 20, 12],
                    mean_abs_weight=[0.1, 0.2, 0.3, 0.6]),
                opm(0, [80, 81, 82, 83], lr=0.001, optimizer="adam"), opm(0, [70, 71, 72, 73], optimizer="adam")]

    def test_permuted_has_a_panel_for_every_statistic(self):
        figure = self.close(plasticity_figures.opm([plasticity_files.dataset(self.permuted())]))
        self.assertEqual([axis.get_title() for axis in figure.axes], [title for _, _, title in plasticity_figures.PANELS])
        lines = {line.get_label(): line.get_ydata().tolist() for line in figure.axes[0].get_lines()}
        self.assertEqual(list(lines), ["bp (n = 2)", "adam lr=0.001 (n = 1)"])
        np.testing.assert_allclose(lines["bp (n = 2)"], [91, 94, 92, 92])
        self.assertEqual(figure.left_out, ["left out adam lr=0.003: adam lr=0.001 is better"])
        np.testing.assert_allclose(figure.axes[1].get_lines()[0].get_ydata(), [0, 1, 2, 4])

    def pairs(self, tasks):
        rising = np.arange(1.0, tasks + 1)
        return [cin(seed, 50 + 0.1 * rising + seed, dormant_percent=rising) for seed in (0, 1)] + [
            cin(0, 80 - 0.1 * rising, 0.001), cin(0, 60 + 0 * rising, optimizer_weight_decay=1e-4),
            cin(0, 61 + 0 * rising, optimizer_weight_decay=1e-5)]

    def test_pairs_in_bins_of_tasks(self):
        figure = self.close(plasticity_figures.cin([plasticity_files.dataset(self.pairs(110))]))
        lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
        self.assertEqual(sorted(lines), ["bp lr=0.001 (n = 1)", "bp lr=0.01 (n = 2)", "l2 weight_decay=1e-05 (n = 1)"])
        bp = lines["bp lr=0.01 (n = 2)"]
        np.testing.assert_allclose(bp.get_xdata(), 5 * np.arange(1, 23))
        np.testing.assert_allclose(bp.get_ydata(), 50.5 + 0.3 + 0.5 * np.arange(22))
        self.assertEqual(figure.axes[0].get_xlabel(), "task, bins of 5")
        self.assertEqual(len(figure.axes[1].get_lines()), 1)
        figure = self.close(plasticity_figures.cin([plasticity_files.dataset(self.pairs(4))]))
        np.testing.assert_allclose(figure.axes[1].get_lines()[0].get_xdata(), [1, 2, 3, 4])

    def test_classes_beside_the_retrained_network(self):
        rows = [cic(seed, [80.0 + seed, 70.0 + seed], "retrained") for seed in (0, 1)]
        rows += [cic(seed, [82.0, 66.0], "plain", stable_rank_percent=[95.0, 80.0 + seed]) for seed in (1, 2)]
        figure = self.close(plasticity_figures.cic([plasticity_files.dataset(rows)]))
        self.assertEqual([axis.get_title() for axis in figure.axes][:3],
                         [plasticity_figures.CIC_PANELS[k][2] for k in (0, 1, 3)])
        accuracy, relative, rank = figure.axes[:3]
        self.assertEqual([line.get_label() for line in accuracy.get_lines()], ["base (n = 2)", "retrained (n = 2)"])
        np.testing.assert_allclose(accuracy.get_lines()[0].get_xdata(), [2, 4])
        self.assertEqual([line.get_label() for line in relative.get_lines()], ["base (n = 1)"])
        np.testing.assert_allclose(relative.get_lines()[0].get_ydata(), [1, -5])
        np.testing.assert_allclose(rank.get_lines()[0].get_ydata(), [95, 80 + 1.5])

    def test_statistics_by_hand(self):
        frame = plasticity_figures.statistics([plasticity_files.dataset(self.permuted())]).set_index("point")
        self.assertEqual(frame.index.tolist(), ["bp", "adam lr=0.001", "adam lr=0.003"])
        bp = frame.loc["bp"]
        for column, value in (("runs", 2), ("tasks", 4), ("first", 91), ("best", 278 / 3), ("late", 92),
                              ("late_error", 1), ("dead_first", 0), ("dead_last", 4), ("rank_last", 11),
                              ("weight_first", 0.1), ("weight_last", 0.5)):
            self.assertAlmostEqual(bp[column], value, msg=column)

    def test_commands(self):
        one = plasticity_files.write(self.folder / "scr.h5", self.regression())
        two = plasticity_files.write(self.folder / "opm.h5", self.permuted())
        for name, path in (("scr", one), ("opm", two)):
            image = self.folder / f"{name}.png"
            code, out, err = self.command("figure", name, one, two, "-o", image)
            self.assertEqual((code, out), (0, ""))
            self.assertEqual(image.read_bytes()[:4], b"\x89PNG")
            code, _, err = self.command("figure", name, path, "-o", image, "--x", "steps")
            self.assertEqual(code, 2)
            self.assertIn("an axis of its own", err)
        code, out, err = self.command("statistics", two)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(len(out.splitlines()), 4)
        self.assertEqual(self.command("statistics", one)[0], 2)


if __name__ == "__main__":
    unittest.main()
