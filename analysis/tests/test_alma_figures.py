"""Figure of anytime learning: what is drawn, and what is said to be left out."""

import unittest

import matplotlib.pyplot as plt
import numpy as np

from engram_results import alma_figures
from case import ResultsCase
import alma_files
import plasticity_files


def runs(method, size, wait, errors, compute, seeds=(0, 1), apart=0.1, **more):
    """Runs in 4 mega-batches whose errors are `apart` between seeds."""
    return [alma_files.alma(seed, method, size, wait, [error + apart * seed for error in errors], "mlp", 4, compute=compute,
                            **more) for seed in seeds]


class Figure(ResultsCase):
    def rows(self):
        rows = runs("sm", 4, 2, [0.4, 0.2], 10) + runs("sm", 4, 4, [0.3], 1000) + runs("sm", 8, 2, [0.3, 0.1], 100)
        rows += runs("sm", 16, 2, [0.2, 0.1], 1000) + runs("ens", 4, 2, [0.3, 0.2], 100)
        return rows + runs("ens", 4, 2, [0.2, 0.1], 1000, replay=1)

    def figure(self, rows):
        figure = alma_figures.alma([plasticity_files.dataset(rows)])
        self.addCleanup(plt.close, figure)
        return figure, {axis.get_title(): axis for axis in figure.axes}

    def test_errors_over_mega_batches(self):
        figure, axes = self.figure(self.rows())
        self.assertEqual(list(axes), ["sm, size 4", "ens, size 4", "sm, size 16", "ens, size 16", "frontiers at equal compute",
                                      "frontiers at equal memory"])
        two, four = axes["sm, size 4"].get_lines()
        np.testing.assert_allclose(two.get_ydata(), [0.9, 0.9, 0.45, 0.45, 0.25])
        np.testing.assert_allclose(four.get_ydata(), [0.9, 0.9, 0.9, 0.9, 0.35])
        self.assertEqual((two.get_label(), two.get_drawstyle()), ("w = 2 (n = 2)", "steps-post"))
        band = axes["sm, size 4"].collections[0].get_paths()[0].vertices[:, 1]
        self.assertAlmostEqual(band.min(), 0.25 - 0.1 / np.sqrt(2))   # one standard deviation
        self.assertEqual(axes["ens, size 16"].get_lines()[:], [])
        self.assertEqual(figure.left_out, ["left out of the error curves: sizes 8"])

    def test_frontiers(self):
        _, axes = self.figure(self.rows())
        lines = {line.get_label(): line for line in axes["frontiers at equal compute"].get_lines()
                 if not line.get_label().startswith("_")}
        self.assertEqual(list(lines), ["sm (4 configurations)", "ens (1 configurations)", "ens, replay (1 configurations)"])
        sm = lines["sm (4 configurations)"]
        # 0.9 + 2 times the first stage + the second; of equal budgets w = 4 is worse. Level behind the last.
        np.testing.assert_allclose(sm.get_xdata(), [10, 100, 1000, 1000])
        np.testing.assert_allclose(sm.get_ydata(), [0.9 + 0.9 + 0.25, 0.9 + 0.7 + 0.15, 0.9 + 0.5 + 0.15, 0.9 + 0.5 + 0.15])
        self.assertEqual(lines["ens, replay (1 configurations)"].get_linestyle(), "--")

    def test_the_problem_with_the_most_runs(self):
        rows = self.rows() + runs("sm", 4, 2, [0.4, 0.2], 10, stream_epochs=10.0)
        rows += runs("sm", 8, 2, [0.4, 0.2], 10, learner_patience=100.0)
        figure, _ = self.figure(rows)
        self.assertIn("left out mnist, mlp, 4 mega-batches, 10 epochs: mnist, mlp, 4 mega-batches, 100 epochs has more runs",
                      figure.left_out)
        self.assertIn("of several variants the curves show sm with patience=25", figure.left_out)

    def test_command(self):
        path = plasticity_files.write(self.folder / "alma.h5", self.rows())
        image = self.folder / "alma.png"
        code, out, err = self.command("figure", "alma", path, path, "-o", image)
        self.assertEqual((code, out), (0, ""))
        self.assertIn("left out of the error curves", err)
        self.assertEqual(image.read_bytes()[:4], b"\x89PNG")
        one = plasticity_files.write(self.folder / "one.h5", runs("sm", 4, 2, [0.4, 0.2], 10, seeds=(0,)))
        code, _, err = self.command("figure", "alma", one, "-o", image)
        self.assertEqual(code, 2)
        self.assertIn("two seeds", err)
        self.assertEqual(self.command("figure", "alma", path, "-o", image, "--x", "steps")[0], 2)


if __name__ == "__main__":
    unittest.main()
