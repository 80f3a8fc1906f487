"""The paper's early cut, on points whose looks can be followed by hand."""

import unittest

from engram_results.early_cut import paper_cut, seeds_kept
from engram_results.tables import compare
from case import ResultsCase
from synthetic import trial

NAN = float("nan")


def point(values, **more):
    return [trial("lwta", "adagrad", value, "skipped" if value != value else "done", **more)
            for value in values]


# Means after 2, 3, 4 seeds: 70 63 …; 75 65 62; 60; 70 70 70; as run with a single look after two.
ROWS = (point([0.70, 0.70, 0.49, 0.99, 0.99], optimizer_lr=1.0)
        + point([0.80, 0.70, 0.45, 0.53, 0.90], optimizer_lr=2.0)
        + point([0.60, 0.60, NAN, NAN, NAN], optimizer_lr=3.0)
        + point([0.70, 0.70, 0.70, 0.70, 0.70], optimizer_lr=4.0))


class Looks(unittest.TestCase):
    def test_a_look_after_each_seed(self):
        self.assertEqual(seeds_kept([0.7, 0.7, 0.49, 0.99, 0.99]), 3)
        self.assertEqual(seeds_kept([0.8, 0.7, 0.45, 0.53, 0.9]), 4)
        self.assertEqual(seeds_kept([0.6, 0.6, NAN, NAN, NAN]), 2)
        self.assertEqual(seeds_kept([0.1, 1.3, 0.9, 0.9, 0.9]), 5)
        # Without one of the results no look after it decides anything.
        self.assertEqual(seeds_kept([0.7, 0.7, NAN, 0.1, 0.1]), 5)


class Cut(ResultsCase):
    def test_seeds_behind_a_cut_have_no_result(self):
        ds = self.open(ROWS)
        cut, counts = paper_cut(ds)
        self.assertEqual(counts, {"complete": 3, "shortened": 2, "dropped": 3})
        row = compare("3", ds).set_index(["activation", "optimizer"]).loc[("lwta", "adagrad")]
        self.assertEqual((round(row["measured"], 6), row["n"]), (77.4, 5))
        row = compare("3", cut).set_index(["activation", "optimizer"]).loc[("lwta", "adagrad")]
        self.assertEqual((round(row["measured"], 6), row["n"]), (70.0, 5))

    def test_the_command_counts(self):
        code, out, _ = self.command("table", "3", self.path(ROWS), "--paper-cut")
        self.assertEqual(code, 0)
        self.assertIn("2 of 3 points with all seeds end sooner, 3 trials left out", out)
        self.assertIn("rows that this changes: 1 of 45", out)


if __name__ == "__main__":
    unittest.main()
