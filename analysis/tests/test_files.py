"""Loading: what is accepted, what is refused and with which words."""

import unittest

import numpy as np

import engram_results
from case import ResultsCase
from synthetic import dataset, trial


class Load(ResultsCase):
    def test_settings_are_coordinates_and_group_directly(self):
        ds = self.open([trial("relu", "adagrad", 0.25), trial("relu", "adagrad", 0.75),
                        trial("ash", "adagrad", 0.5)])
        self.assertIn("model_activation", ds.coords)
        means = ds.objective.groupby("model_activation").mean("trial")
        self.assertEqual(means.sel(model_activation="relu").item(), 0.5)
        self.assertEqual(engram_results.settings(ds)["model.activation"], "model_activation")

    def test_netcdf4_engine_reads_the_same(self):
        path = self.path([trial("relu", "adagrad", 0.25)])
        with engram_results.load(path, engine="netcdf4") as ds:
            self.assertEqual(ds.objective.item(), 0.25)

    def test_swept_is_what_the_file_says_or_what_varies(self):
        rows = [trial("relu", "adagrad", 0.25), trial("ash", "adagrad", 0.5,
                                                      model_activation_alpha=3.0)]
        ds = self.open([dict(row, optimizer_lr=None) for row in rows])
        expected = ["model.activation", "model.activation.alpha"]
        self.assertEqual(engram_results.swept(ds), expected)
        for name in engram_results.settings(ds).values():
            del ds[name].attrs["swept"]
        self.assertEqual(engram_results.swept(ds), expected)

    def test_refusals_name_the_file_and_the_reason(self):
        text = self.folder / "notes.h5"
        text.write_text("not HDF5")
        journal = self.folder / "a.journal"
        journal.write_bytes(b"")
        newer = self.path([trial("relu", "sgd", 0.1)], "newer.h5",
                          attributes={"format_version": 2})
        foreign = self.path([trial("relu", "sgd", 0.1)], "foreign.h5",
                            attributes={"format_name": "something else"})
        other = self.folder / "other.h5"
        dataset([trial("relu", "sgd", 0.1)]).drop_vars("status").to_netcdf(other,
                                                                           engine="h5netcdf")
        for path, words in ((self.folder / "missing.h5", "no such file"),
                            (text, "not readable as an engram result file"),
                            (journal, "engram collect"), (newer, "format version 2 is newer"),
                            (foreign, "not an engram result file"),
                            (other, "the variable `status` is missing")):
            with self.subTest(path=path), self.assertRaises(engram_results.ResultError) as caught:
                engram_results.load(path)
            self.assertIn(words, str(caught.exception))
            self.assertIn(str(path), str(caught.exception))


class Table(ResultsCase):
    def test_a_row_per_finished_trial_with_status_in_words(self):
        ds = self.open([trial("relu", "sgd", 0.1, "diverged"), trial("relu", "sgd", np.nan, "skipped"),
                        trial("ash", "sgd", np.nan, "failed"), trial("ash", "sgd", 0.5)])
        frame = engram_results.table(ds)
        self.assertEqual(frame["status"].tolist(), ["diverged", "done"])
        self.assertEqual(frame["trial"].tolist(), [0, 3])
        self.assertEqual(len(engram_results.table(ds, finished=False)), 4)


class Curves(ResultsCase):
    def test_a_row_per_measured_value_of_finished_trials(self):
        ds = self.open([trial("relu", "sgd", np.nan, "skipped"), trial("ash", "sgd", 0.8)])
        frame = engram_results.curves(ds, "accuracy")
        self.assertEqual(frame["trial"].tolist(), [1] * 4)
        self.assertEqual(frame["step"].tolist(), [10, 20, 30, 40])
        self.assertEqual(frame["model_activation"].tolist(), ["ash"] * 4)
        np.testing.assert_allclose(frame["value"], [0.2, 0.4, 0.6, 0.8], rtol=1e-6)

    def test_tasks_and_matrices_keep_their_dimensions(self):
        ds = self.open([trial("ash", "sgd", 0.8)])
        tasks = engram_results.curves(ds, "task_accuracy")
        self.assertEqual(tasks["task"].tolist(), [0, 1] * 4)
        matrix = engram_results.curves(ds, "accuracy_matrix")
        self.assertEqual(list(zip(matrix["train_task"], matrix["eval_task"])),
                         [(0, 0), (1, 0), (1, 1)])

    def test_a_running_trial_is_left_out(self):
        ds = self.open([trial("relu", "sgd", 0.3, "running"), trial("ash", "sgd", 0.8)])
        ds["accuracy"] = ds["accuracy"].fillna(0.5)
        self.assertEqual(engram_results.curves(ds, "accuracy")["trial"].unique().tolist(), [1])

    def test_unknown_name_lists_the_known_ones(self):
        ds = self.open([trial("ash", "sgd", 0.8)])
        for name in ("acuracy", "objective"):
            with self.assertRaisesRegex(engram_results.ResultError, "accuracy.*task_accuracy"):
                engram_results.curves(ds, name)


if __name__ == "__main__":
    unittest.main()
