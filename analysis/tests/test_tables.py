"""Published tables next to measured ones."""

import unittest

import engram_results
from engram_results import published
from engram_results.tables import compare
from case import ResultsCase
from synthetic import trial

NAN = float("nan")


def seeds(activation, optimizer, values, **more):
    """A point with one trial per value."""
    return [trial(activation, optimizer, value, **more) for value in values]


def method(learner, values, epochs=20, model="mlp", **more):
    """A point of the class-incremental comparison."""
    return seeds("relu" if model == "mlp" else None, "sgd", values, dataset="mnist",
                 learner=learner, model=model, stream_epochs=epochs, stream_joint=0.0, **more)


class Published(unittest.TestCase):
    def test_table3_is_complete_and_agrees_with_the_text(self):
        pairs = published.pairs(published.hard_ash())
        self.assertEqual(len(pairs), 45)
        self.assertEqual(pairs["hard_ash", "adagrad"], (78.3, 1.4))
        self.assertEqual(pairs["topk_subtract", "sgdm"], (66.3, 3.5))
        self.assertEqual(pairs["hard_sigmoid", "sgd"], (14.7, 0.8))

    def test_matching_compares_numbers_words_and_flags(self):
        same = published.same
        self.assertTrue(same(1e-6 * (1 + 1e-9), 1e-6))
        self.assertFalse(same(1.1e-6, 1e-6))
        self.assertFalse(same(NAN, 0.1))
        self.assertTrue(same("adam", "adam"))
        self.assertFalse(same("", "adam"))
        for stored in (1, 1.0, "true"):
            self.assertTrue(same(stored, True))
            self.assertFalse(same(stored, False))
        self.assertFalse(same(NAN, False))


class Tables(ResultsCase):
    def rows(self):
        return (seeds("hard_ash", "adagrad", [0.77, 0.79], optimizer_lr=1e-4)
                + seeds("hard_ash", "adagrad", [0.70, 0.71], optimizer_lr=2e-4)
                + seeds("hard_ash", "sgdm", [0.60], optimizer_lr=1e-5)
                + seeds("topk_subtract", "sgdm", [0.66, 0.66], optimizer_lr=1e-5)
                + seeds("relu", "adagrad", [0.20, 0.20, NAN], optimizer_lr=1e-4)[:2]
                + [trial("relu", "adagrad", NAN, "skipped", optimizer_lr=1e-4)])

    def test_table3_takes_the_best_point_of_every_pair(self):
        frame = compare("3", self.open(self.rows())).set_index(["activation", "optimizer"])
        self.assertEqual(len(frame), 45)
        best = frame.loc[("hard_ash", "adagrad")]
        self.assertAlmostEqual(best["measured"], 78.0)
        self.assertAlmostEqual(best["ci"], 100 * 1.96 * 0.01 / 2 ** 0.5)
        self.assertAlmostEqual(best["difference"], -0.3)
        self.assertIs(best["overlap"], True)
        self.assertIn("lr=0.0001", best["settings"])
        self.assertIs(frame.loc[("relu", "adagrad"), "overlap"], False)
        # 66.0 without spread lies within 66.3 ± 3.5.
        self.assertIs(frame.loc[("topk_subtract", "sgdm"), "overlap"], True)
        self.assertEqual(frame.loc[("relu", "adagrad"), "skipped"], 1)
        # One seed gives no interval to compare with.
        self.assertIsNone(frame.loc[("hard_ash", "sgdm"), "overlap"])
        self.assertEqual(frame.loc[("ash", "sgd"), "n"], 0)

    def test_table3_does_not_count_other_streams(self):
        rows = (self.rows() + seeds("relu", "adagrad", [0.97, 0.97], stream="iid")
                + seeds("hard_ash", "adagrad", [0.1, 0.1], stream="iid"))
        frame = compare("3", self.open(rows)).set_index(["activation", "optimizer"])
        self.assertAlmostEqual(frame.loc[("hard_ash", "adagrad"), "measured"], 78.0)
        self.assertAlmostEqual(frame.loc[("relu", "adagrad"), "measured"], 20.0)

    def test_table1_and_table2_choose_along_rows_and_columns(self):
        ds = self.open(self.rows())
        first = compare("1", ds).set_index("activation")
        self.assertEqual(first.loc["hard_ash", "optimizer"], "adagrad")
        self.assertEqual(first.loc["hard_ash", "published_optimizer"], "adagrad")
        self.assertEqual(first.loc["topk_subtract", "optimizer"], "sgdm")
        self.assertEqual(first.loc["topk_subtract", "published"], 76.0)
        self.assertEqual(first.loc["relu", "published"], 49.2)
        self.assertEqual(first.loc["relu", "published_optimizer"], "adam")
        self.assertEqual(first.loc["SDMLP+EWC (literature, epochs: 500)", "published"], 83)
        self.assertEqual(len(first), 9 + 4)
        second = compare("2", ds).set_index("optimizer")
        self.assertEqual(second.loc["sgdm", "activation"], "topk_subtract")
        self.assertEqual(second.loc["adagrad", "activation"], "hard_ash")
        self.assertEqual(len(second), 5)

    def test_table6_tells_normal_optimizers_from_the_split_one(self):
        rows = (seeds("hard_ash", "adagrad", [0.78, 0.79], optimizer_initial=1e-6)
                + seeds("relu", "adagrad", [0.91, 0.92], stream="iid", optimizer_initial=1e-6)
                + seeds("relu", "adagrad", [0.95, 0.95], stream="iid", optimizer_initial=0.1)
                + seeds("relu", "adam", [0.96, 0.97], stream="iid", optimizer_lr=1e-3,
                        optimizer_beta1=0.9, optimizer_beta2=0.999))
        frame = compare("6", self.open(rows))
        self.assertEqual([round(value, 6) for value in frame["measured"]], [78.5, 91.5, 96.5])
        self.assertIn("adam", frame["settings"][2])
        rows[2:4] = [trial("relu", "adagrad", NAN, "pending", stream="iid", optimizer_initial=1e-6)]
        frame = compare("6", self.open(rows, "partial.h5"))
        self.assertEqual(frame.loc[1, ["n", "settings"]].tolist(), [0, ""])

    def test_table7_and_decay(self):
        rows = (seeds("hard_ash", "adam", [0.71, 0.72], optimizer_bias_correction=1.0)
                + seeds("hard_ash", "adam", [0.76, 0.77], optimizer_bias_correction=0.0)
                + seeds("hard_ash", "sgd", [0.72, 0.73], optimizer_schedule="exponential")
                + seeds("hard_ash", "sgd", [0.5, 0.5], optimizer_schedule="constant"))
        ds = self.open(rows)
        self.assertEqual([round(v, 6) for v in compare("7", ds)["measured"]], [71.5, 76.5])
        self.assertEqual([round(v, 6) for v in compare("sgd-decay", ds)["measured"]], [72.5])

    def test_methods_are_told_apart_by_epochs(self):
        rows = (method("ewc", [0.5, 0.6], learner_lambda=10.0)
                + method("ewc", [0.3, 0.3], learner_lambda=1.0)
                + method("ewc", [0.62, 0.62], epochs=500)
                + method("plain", [0.7], model="sdmlp", model_hidden=1000.0)
                + method("plain", [0.5], model="sdmlp", model_hidden=10000.0)
                + method("flymodel", [0.76, 0.77], epochs=1, learner_units=1000.0)
                + method("plain", [0.2, 0.2])
                + [dict(row, stream_joint=1.0) for row in method("plain", [0.98, 0.98])]
                + [dict(row, dataset="fashion_mnist") for row in method("mas", [0.9, 0.9])])
        frame = compare("class-incremental", self.open(rows))
        entries = {(row["label"], row["epochs"]): row for _, row in frame.iterrows()}
        self.assertAlmostEqual(entries["EWC", "20"]["measured"], 55)
        self.assertIn("lambda=10", entries["EWC", "20"]["settings"])
        self.assertNotIn("epochs", entries["EWC", "20"]["settings"])
        self.assertAlmostEqual(entries["EWC", "500"]["difference"], 1)
        # The paper gives no interval, so there is nothing to say about an overlap.
        self.assertIsNone(entries["EWC", "500"]["overlap"])
        self.assertAlmostEqual(entries["SDMLP", "20"]["measured"], 70)
        self.assertEqual(entries["SDMLP", "20"]["published_epochs"], 500)
        self.assertAlmostEqual(entries["FlyModel", "1"]["difference"], -0.5)
        self.assertAlmostEqual(entries["fine-tuning (lower bound)", "20"]["measured"], 20)
        self.assertAlmostEqual(entries["joint training (upper bound)", "20"]["measured"], 98)
        self.assertEqual(entries["MAS", ""]["n"], 0)
        self.assertEqual(len(frame), 14)

    def test_numbers_that_are_text_in_the_file(self):
        rows = (method("plain", [0.7], model="sdmlp", model_hidden="1000")
                + method("plain", [0.5], model="sdmlp", model_hidden="10000")
                + method("plain", [0.2], model_hidden="[1000]"))
        frame = compare("class-incremental", self.open(rows))
        entries = {(row["label"], row["epochs"]): row for _, row in frame.iterrows()}
        self.assertAlmostEqual(entries["SDMLP", "20"]["measured"], 70)

    def test_flymodel_reports_the_mean_over_tasks(self):
        ds = self.open(method("flymodel", [0.7, 0.7], epochs=1, learner_units=1000.0))
        ds["average_accuracy"] = ds["final_accuracy"] + 0.07
        frame = compare("class-incremental", ds).set_index("label")
        self.assertAlmostEqual(frame.loc["FlyModel", "measured"], 77)

    def test_nothing_to_show_is_an_error(self):
        ds = self.open([trial("relu", "adam", NAN, "pending")])
        for name, words in (("3", "no finished trial belongs to Table 3"),
                            ("7", "no finished trial belongs to Table 7")):
            with self.assertRaisesRegex(engram_results.ResultError, words):
                compare(name, ds)


class Command(ResultsCase):
    def test_prints_measured_next_to_published(self):
        path = self.path(seeds("hard_ash", "adagrad", [0.77, 0.79])
                         + [trial("hard_ash", "adagrad", NAN, "pending")], complete=False)
        code, out, err = self.command("table", "3", path)
        self.assertEqual((code, err), (0, ""))
        line = next(line for line in out.splitlines() if line.startswith("hard_ash") and
                    "adagrad" in line)
        self.assertEqual(line.split(), "hard_ash adagrad 78.0 ± 1.4 2/3 78.3 ± 1.4 -0.3 yes".split())
        self.assertIn("1.96 · s/√n with divisor n, the formula of the Hard ASH paper", out)
        self.assertIn("measured 1 of 45 rows; intervals overlap in 1 of 1", out)
        code, out, _ = self.command("table", "1", path, "--csv")
        self.assertEqual(code, 0)
        self.assertTrue(out.startswith("activation,optimizer,measured,ci,n,"))

    def test_every_table_prints(self):
        rows = (seeds("hard_ash", "adam", [0.7, 0.7], optimizer_bias_correction=1.0)
                + seeds("hard_ash", "adagrad", [0.7, 0.7], optimizer_initial=1e-6)
                + seeds("hard_ash", "sgd", [0.7, 0.7], optimizer_schedule="exponential"))
        rows += method("plain", [0.7, 0.7])
        path = self.path(rows)
        for name in published.TABLES:
            code, out, err = self.command("table", name, path)
            self.assertEqual((code, err), (0, ""), name)
            self.assertIn("70.0 ± 0.0", out, name)

    def test_bad_input_ends_with_2_and_one_line(self):
        pending = self.path([trial("relu", "adam", NAN, "pending")])
        for arguments, words in ((("table", "3", self.folder / "no.h5"), "no such file"),
                                 (("table", "3", pending), "no finished trial"),
                                 (("curves", pending, "-o", "x.png"), "no trial has finished"),
                                 (("points", pending, "--by", "momentum"), "no setting called")):
            code, out, err = self.command(*arguments)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(words, err)
            self.assertEqual(len(err.splitlines()), 1)
        self.assertEqual(self.command("table", "4", pending)[0], 2)
        self.assertEqual(self.command()[0], 2)

    def test_points_prints_the_best_of_every_combination(self):
        path = self.path(seeds("hard_ash", "adagrad", [0.7, 0.8], optimizer_lr=0.1)
                         + seeds("hard_ash", "adagrad", [0.3], optimizer_lr=0.2)
                         + seeds("relu", "sgd", [0.25], optimizer_lr=0.1))
        code, out, _ = self.command("points", path, "--best-of", "model.activation")
        self.assertEqual(code, 0)
        rows = [line.split(",")[:3] for line in out.splitlines()[1:]]
        self.assertEqual(rows, [["hard_ash", "adagrad", "0.1"], ["relu", "sgd", "0.1"]])

    def test_points_prints_all_points(self):
        path = self.path(seeds("hard_ash", "adagrad", [0.7, 0.8]) + seeds("relu", "sgd", [0.25]))
        code, out, _ = self.command("points", path)
        self.assertEqual(code, 0)
        self.assertEqual(out.splitlines()[0], "model_activation,optimizer,rank,selected,selected_ci,"
                         "selected_n,reported,reported_ci,n,planned,fresh,diverged,stopped,skipped,"
                         "in_sweep,selected_on,reported_on")
        self.assertEqual(out.splitlines()[2], "relu,sgd,2,0.25,,1,0.25,,1,1,False,0,0,0,True,"
                         "final_accuracy,\"final_accuracy (as recorded, on test data)\"")


if __name__ == "__main__":
    unittest.main()
