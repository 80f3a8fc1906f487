"""Claims about anytime learning over text: every verdict both ways, from files with known perplexities and costs."""

import unittest

import numpy as np

from engram_results import alma_text, claims, claims_alma_text, table_alma_text
from engram_results.files import ResultError
from engram_results.verdict import FAILS, HOLDS, NOT_TESTED
from case import ResultsCase
import alma_text_files
import plasticity_files
from alma_text_files import Text

NAME = "(tiny-A, made.txt, vocabulary of 128 characters, sequences of 64, 4 x 500 minibatches of 16)"


class Claims(ResultsCase):
    """Verdicts."""

    def verdicts(self, files, more=()):
        return {one.claim: one for one in claims_alma_text.judge([files.dataset(more)])}

    def assert_only(self, files, claim):
        """That one alone does not hold."""
        found = {name.split()[0]: one.verdict for name, one in self.verdicts(files).items()}
        self.assertEqual(found, {**dict.fromkeys(claims_alma_text.STATEMENTS, HOLDS), claim: FAILS})

    def test_as_published(self):
        found = self.verdicts(Text())
        self.assertEqual({name: one.verdict for name, one in found.items()},
                         {f"{claim} {NAME}": HOLDS for claim in claims_alma_text.STATEMENTS})
        self.assertEqual(found[f"L1 {NAME}"].runs, "3")
        words = "\n".join(found[f"L1 {NAME}"].numbers)
        self.assertIn("large gens 4 after 1: 5.80 ± 0.05; the best base, sm 8, after 4: 6.70 ± 0.05; lower by 0.90 ± 0.00 "
                      "(3 of 3 seeds)", words)
        self.assertIn("chosen: base sm 8 lr=0.003, dropout=0; large ens 4 lr=0.003, dropout=0; ", words)
        words = "\n".join(found[f"L5 {NAME}"].numbers)
        self.assertIn("base ens 4, one optimizer, lr=0.003, dropout=0, k = 3: in sequence 4.100 ± 0.050, together 4.000 ± 0.050, "
                      "gap 0.100 ± 0.000 (3 of 3 seeds), 2.50 ± 0.03 %", words)
        self.assertIn("k = 4: relative gap of large 5.72 ± 0.08 %, of base 2.86 ± 0.04 %", words)

    def test_each_otherwise(self):
        files = Text()
        files.start["large"] = 6.5      # sm 2 of the large size after one: 6.8, sm 8 of base after four: 6.7
        self.assert_only(files, "L1")
        files = Text()
        files.offset["base", "sm 8"] = 0.1
        files.offset["base", "sm 2"] = -0.8
        self.assert_only(files, "L2")
        files = Text()
        files.offset["large", "gmoe 2"] = -0.3
        files.offset["large", "sm 8"] = -0.35
        self.assert_only(files, "L3")
        files = Text()
        files.parameters["gmoe 2"] = 5.0
        self.assert_only(files, "L3")
        files = Text()
        files.offset["large", "sm 8"] = -0.5
        self.assert_only(files, "L4")
        files = Text()
        files.offset["base", "sm 8"] = -0.4
        self.assert_only(files, "L4")
        files = Text()
        files.gap["large"] = 0.05
        self.assert_only(files, "L5")

    def test_compute_of_growers_is_compared(self):
        files = Text()
        files.compute["gmoe 2"] = 2.4    # gEns is better with less
        self.assertEqual(self.verdicts(files)[f"L3 {NAME}"].verdict, HOLDS)
        files.compute["gmoe 2"] = 1.8    # with more
        self.assert_only(files, "L3")
        self.assertIn("not so: large, average perplexity: gens 4 4.30 ± 0.05, gmoe 2 4.50 ± 0.05; gEns lower by 0.20 ± 0.00 "
                      "(3 of 3 seeds); gMoE with 0.90 of its compute", self.verdicts(files)[f"L3 {NAME}"].numbers)

    def test_an_ensemble_that_cost_more_than_all_others_is_not_best_at_equal_compute(self):
        files = Text()
        files.compute.update({"gens 4": 1.0, "gmoe 2": 1.1})
        found = self.verdicts(files)[f"L4 {NAME}"]
        self.assertEqual(found.verdict, claims_alma_text.PARTLY)
        self.assertIn("not in the files: large others with the compute of ens 4, of which they have 0.55 at most", found.numbers)
        files.offset["large", "sm 8"] = -0.5     # one that is better with less
        self.assertEqual(self.verdicts(files)[f"L4 {NAME}"].verdict, FAILS)

    def test_sizes_of_one_order_are_both_needed(self):
        rows = [row for row in Text().rows() if row["stream"] != "text_iid" or row["model_preset"] == "tiny_a"]
        found = {one.claim: one for one in claims_alma_text.judge([plasticity_files.dataset(rows)])}[f"L5 {NAME}"]
        self.assertEqual(found.verdict, claims_alma_text.PARTLY)
        self.assertIn("not in the files: large: the same mega-batches in sequence and together", found.numbers)

    def test_a_small_difference_that_all_seeds_show_is_no_tie(self):
        files = Text()
        files.offset["base", "gmoe 2"] = -0.03   # less than seeds differ
        self.assert_only(files, "L3")

    def test_no_effect_of_the_order_is_said(self):
        files = Text()
        rows = files.rows()
        for row in rows:
            if row["stream"] == "text_iid" and row["model_preset"] == "tiny_a":   # seeds disagree
                row["perplexity"] = row["perplexity"] + np.where(np.arange(len(row["perplexity"])) > 0,
                                                                 (0.0, 0.1, 0.2)[row["seed"]], 0.0)
        found = {one.claim: one for one in claims_alma_text.judge([plasticity_files.dataset(rows)])}[f"L5 {NAME}"]
        self.assertEqual(found.verdict, FAILS)
        self.assertIn("gap 0.000 ± 0.100 (1 of 3 seeds), 0.08 ± 2.78 %, no effect that the seeds agree on", "\n".join(found.numbers))

    def test_one_mega_batch_has_no_order(self):
        found = self.verdicts(Text(), [alma_text_files.run(seed, "ens 4", "base", [5.0 + 0.05 * (seed - 1)], restart="never", first=1)
                                       for seed in (0, 1, 2)])
        self.assertNotIn("k = 1", "\n".join(found[f"L5 {NAME}"].numbers))

    def test_rates_are_chosen_by_the_objective(self):
        better = [alma_text_files.run(seed, "sm 2", "base", [1.0] * 4, lr=1e-3, objective=99.0) for seed in (0, 1, 2)]
        problem, = alma_text.problems_of([Text().dataset(better)])
        self.assertEqual(problem.anytime("base")["sm 2"].tuned, "lr=0.003, dropout=0")
        better = [{**row, "objective": 0.5} for row in better]
        problem, = alma_text.problems_of([Text().dataset(better)])
        self.assertEqual(problem.anytime("base")["sm 2"].tuned, "lr=0.001, dropout=0")

    def test_what_is_not_in_the_files(self):
        files = Text()
        rows = [row for row in files.rows() if row["model_preset"] == "tiny_a" and row["stream"] != "text_iid"
                and row["learner"] in ("plain", "growing_experts")]
        found = {one.claim.split()[0]: one for one in claims_alma_text.judge([plasticity_files.dataset(rows)])}
        self.assertEqual({claim: one.verdict for claim, one in found.items()},
                         {"L1": NOT_TESTED, "L2": claims_alma_text.PARTLY, "L3": NOT_TESTED, "L4": NOT_TESTED, "L5": NOT_TESTED})
        self.assertIn("not in the files: large sm 8 and gmoe", found["L2"].numbers)
        self.assertEqual(found["L1"].numbers, ["not in the files: base and large networks"])
        rows.append(dict(rows[0], seed=7, status="diverged"))
        found = {one.claim.split()[0]: one for one in claims_alma_text.judge([plasticity_files.dataset(rows)])}
        self.assertIn("1 runs that diverged are left out", found["L2"].numbers)

    def test_a_part_of_the_text_is_another_problem(self):
        rows = [{**row, "dataset_limit": 3500.0} for row in Text().rows()]
        names = [one.name for one in alma_text.problems_of([plasticity_files.dataset(rows + Text().rows())])]
        self.assertEqual(names, [NAME[1:-1].replace("made.txt", "made.txt" + part)
                                 for part in ("", " (the first 3500 sequences)")])

    def test_with_other_papers(self):
        path = plasticity_files.write(self.folder / "text.h5", Text().rows())
        code, out, err = self.command("claims", path)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Anytime learning over text", out)
        self.assertRegex(out, r"L5 \(tiny-A, .*\) +holds +3 +the same data in sequence")
        self.assertIn("5 of 5 tested, 5 hold", out)
        self.assertEqual(len(claims.judge([Text().dataset()])), 5)


class Table(ResultsCase):
    """Table 1."""

    def test_beside_the_published_one(self):
        path = plasticity_files.write(self.folder / "text.h5", Text().rows())
        code, out, err = self.command("table", "alma-text", path)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"large +3 +18\.04 +19\.14 +1\.10 +6\.1 +1 +ens 4\n")
        self.assertRegex(out, r"base +4 +3\.50 ± 0\.05 +3\.60 ± 0\.05 +0\.10 ± 0\.00 +2\.86 ± 0\.04 +3 +ens 4, one optimizer")
        self.assertIn(NAME[1:-1], out)
        code, out, _ = self.command("table", "alma-text", path, "--csv")
        self.assertEqual(len(out.splitlines()), 1 + 4 + 4)

    def test_without_both_orders(self):
        rows = [row for row in Text().rows() if row["stream"] != "text_iid"]
        with self.assertRaisesRegex(ResultError, "in sequence .* and together"):
            table_alma_text.compare([plasticity_files.dataset(rows)])


if __name__ == "__main__":
    unittest.main()
