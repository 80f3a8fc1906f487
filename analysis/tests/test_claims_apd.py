"""Claims about additive parameter decomposition: every verdict both ways, from files with known accuracies."""

import numpy as np

from engram_results import apd, claims, claims_apd, table_apd
from engram_results.verdict import FAILS, HOLDS, NOT_TESTED
from case import ResultsCase
import plasticity_files
from apd_files import LEARNERS, Split

NAME = "(cifar100, cifar100_split, 20 epochs)"


class Claims(ResultsCase):
    """Verdicts."""

    def verdicts(self, files, more=()):
        return {one.claim: one for one in claims_apd.judge([files.dataset(more)])}

    def fails(self, files, claim):
        """All verdicts but one hold."""
        found = {name.split()[0]: one.verdict for name, one in self.verdicts(files).items()}
        self.assertEqual(found[claim], FAILS)

    def test_as_published(self):
        found = self.verdicts(Split())
        self.assertEqual({name: one.verdict for name, one in found.items()},
                         {f"{claim} {NAME}": HOLDS for claim in claims_apd.STATEMENTS})
        self.assertEqual(found[f"A1 {NAME}"].runs, "2")
        words = "\n".join(found[f"A3 {NAME}"].numbers)
        self.assertIn("AOPD: ewc 4.67 (by seed 4.67 ± 0.00), apd (1) 1.33 (by seed 1.33 ± 0.00)", words)
        self.assertIn("beside: stl AOPD 0.67, MOPD 1.00", words)

    def test_each_otherwise(self):
        files = Split()
        files.level["apd (1)"] = 53.0
        self.fails(files, "A1")
        files = Split()
        files.away["l2t"] = 20.0
        files.level["l2t"] = 60.0
        self.fails(files, "A1")
        files = Split()
        files.away["apd fixed"] = 20.0   # its worst task falls to 49 in the mean over orders
        self.fails(files, "A2")
        files = Split()
        files.away["ewc"] = 4.9          # less than twice 2.5
        self.fails(files, "A3")
        files = Split()
        files.capacity["apd (2)"] = 121.0
        self.fails(files, "A4")
        files = Split()
        files.fall["apd (1)"] = 3.0
        self.fails(files, "A5")
        files = Split()
        files.level["apd (1)"] = 62.0
        self.fails(files, "A6")

    def test_what_cannot_be_said(self):
        files = Split()
        files.settings.update(stream_epochs=3.0, model_hidden="[400, 250]")
        found = {name.split()[0]: one for name, one in self.verdicts(files).items()}
        self.assertEqual({claim for claim, one in found.items() if one.verdict == NOT_TESTED}, {"A4", "A6"})
        del files.level["ewc"]
        found = {name.split()[0]: one for name, one in self.verdicts(files).items()}
        self.assertEqual(found["A1"].numbers, ["not in the files: ewc"])

    def test_strengths_are_chosen_by_the_objective(self):
        files = Split()
        better = [files.row("ewc", order, seed, learner_of_lambda=1.0, objective=0.9) for order in "AB" for seed in files.seeds]
        [problem] = apd.problems_of([files.dataset(better)])
        self.assertEqual(problem.best()["ewc"].strengths, "lambda=1")

    def test_other_sweeps_have_none(self):
        files = Split()
        files.settings.update(stream="split", stream_active="all")
        self.assertEqual(claims_apd.judge([files.dataset()]), [])
        files.settings["stream_active"] = "task"
        self.assertEqual(len(claims_apd.judge([files.dataset()])), 6)

    def test_methods(self):
        for name, settings in LEARNERS.items():
            get = {key.replace("_of", ".of").replace("learner_", "learner.").replace("of_", "of.").replace("stream_", "stream."): value
                   for key, value in settings.items()}.get
            self.assertEqual(apd.method_of(get), name)

    def test_multi_task_learning_has_one_order(self):
        files = Split()
        files.level["mtl"] = 70.0
        rows = [row for row in files.rows() if row["stream_joint"] == 0 or row["stream_order"] == "A"]
        [problem] = apd.problems_of([plasticity_files.dataset(rows)])
        self.assertAlmostEqual(problem.best()["mtl"].mean.mean(), 70.05)
        self.assertTrue(np.isnan(problem.best()["mtl"].disparity[0]))


class Table(ResultsCase):
    """Beside the published values, and the command."""

    def test_table(self):
        frame = table_apd.compare([Split().dataset()])
        row = frame[frame["method"] == "apd (1)"].iloc[0]
        self.assertEqual((row["published_accuracy"], row["published_mopd"], row["n"]), (59.93, 3.43, 2))
        np.testing.assert_allclose([row["accuracy"], row["aopd"], row["mopd"], row["capacity"]], [60.05, 4 / 3, 2, 110])
        self.assertTrue(np.isnan(frame[frame["method"] == "DEN"].iloc[0]["accuracy"]))

    def test_small_problems_have_no_published_values(self):
        files = Split()
        files.settings["dataset_limit"] = 12000.0
        self.assertNotIn("DEN", table_apd.compare([files.dataset()])["method"].tolist())

    def test_command(self):
        path = plasticity_files.write(self.folder / "apd.h5", Split().rows())
        code, out, err = self.command("claims", path)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"A1 \(cifar100, cifar100_split, 20 epochs\) +holds +2 ")
        code, out, err = self.command("table", "apd", path)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"apd \(1\) +110.0 / 134.0 +60.0\d ± 0.07 / 59.93 ")
        for name in ("apd", "apd-orders"):
            code, _, err = self.command("figure", name, path, "-o", self.folder / f"{name}.png")
            self.assertEqual((code, err), (0, ""))
            self.assertTrue((self.folder / f"{name}.png").exists())
        self.assertEqual(len(claims.judge([Split().dataset()])), 6)
