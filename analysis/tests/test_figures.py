"""What is drawn: the lines of a figure are checked, then that a file is written."""

import unittest

import numpy as np
import pandas

from engram_results import ResultError, figures
from case import ResultsCase
from synthetic import trial

NAN = float("nan")


def lines(axis):
    """{label: y values} of the labelled lines of an axis."""
    return {line.get_label(): np.asarray(line.get_ydata(), dtype=float)
            for line in axis.get_lines() if not line.get_label().startswith("_")}


class Figures(ResultsCase):
    def activations(self):
        return [trial("hard_ash", "adagrad", 0.6), trial("hard_ash", "adagrad", 0.8),
                trial("relu", "adagrad", 0.2), trial("relu", "adagrad", NAN, "skipped")]

    def close(self, figure):
        self.addCleanup(figures.plt.close, figure)
        return figure

    def test_curves_are_means_over_seeds_best_first(self):
        figure = self.close(figures.learning_curves(self.open(self.activations())))
        drawn = lines(figure.axes[0])
        self.assertEqual(list(drawn), ["hard_ash (n = 2)", "relu (n = 1)"])
        np.testing.assert_allclose(drawn["hard_ash (n = 2)"], 0.7 * np.arange(1, 5) / 4, rtol=1e-6)
        band = figure.axes[0].collections[0].get_paths()[0].vertices[:, 1]
        half = np.tan(0.475 * np.pi) * np.sqrt(0.02) / np.sqrt(2)  # t(0.975, 1) s / √n
        self.assertAlmostEqual(band.max(), 0.7 + half, places=6)

    def test_curves_leave_out_the_weakest_and_say_so(self):
        figure = self.close(figures.learning_curves(self.open(self.activations()), most=1))
        self.assertEqual(list(lines(figure.axes[0])), ["hard_ash (n = 2)"])
        self.assertIn("best 1 of 2 points", figure.get_suptitle()
                      if hasattr(figure, "get_suptitle") else figure._suptitle.get_text())

    def test_figure1_has_a_panel_per_activation_with_every_task(self):
        figure = self.close(figures.figure1(self.open(self.activations())))
        self.assertEqual(len(figure.axes), 2 + 2)
        self.assertEqual(list(lines(figure.axes[2])), ["task 1", "task 2"])
        np.testing.assert_allclose(lines(figure.axes[3])["task 2"], 0.1 * np.arange(1, 5) / 4,
                                   rtol=1e-6)

    def test_figure1_tells_optimizers_apart(self):
        rows = [trial("hard_ash", "adagrad", 0.8), trial("hard_ash", "sgd", 0.5),
                trial("relu", "adagrad", 0.2)]
        drawn = lines(self.close(figures.figure1(self.open(rows))).axes[0])
        self.assertEqual(list(drawn), ["hard_ash adagrad (n = 1)", "hard_ash sgd (n = 1)",
                                       "relu adagrad (n = 1)"])

    def test_figures_2_and_3_show_newest_task_and_task_1(self):
        rows = [trial("hard_ash", "adagrad", 0.8, model_activation_z_k=2.0,
                      model_activation_alpha=4.0),
                trial("hard_ash", "adagrad", 0.4, model_activation_z_k=0.5,
                      model_activation_alpha=4.0), trial("relu", "adagrad", 0.2)]
        ds = self.open(rows)
        figure = self.close(figures.FIGURES["2"](ds))
        newest, first = (lines(axis) for axis in figure.axes)
        self.assertEqual(list(newest), ["z_k = 0.5", "z_k = 2", "relu (n = 1)"])
        np.testing.assert_allclose(newest["z_k = 2"], [0.8, 0.8], rtol=1e-6)
        np.testing.assert_allclose(first["z_k = 2"], [0.8, 0.4], rtol=1e-6)
        figure = self.close(figures.FIGURES["3"](ds))
        # Only the better of the two points with alpha = 4 is drawn.
        self.assertEqual(list(lines(figure.axes[1])), ["alpha = 4", "relu (n = 1)"])
        np.testing.assert_allclose(lines(figure.axes[0])["alpha = 4"], [0.8, 0.8], rtol=1e-6)
        with self.assertRaisesRegex(ResultError, "no setting `model.activation.z_k`"):
            figures.FIGURES["2"](self.open(self.activations(), "other.h5"))

    def test_methods_show_what_is_kept_and_what_is_lost(self):
        base = {"dataset": "mnist", "model": "mlp", "stream_epochs": 1.0, "stream_joint": 0.0}
        rows = [trial("relu", "sgd", 0.8, learner="ewc", **base),
                trial("relu", "sgd", 0.4, learner="ewc", **base),
                trial("relu", "sgd", 0.2, learner="plain", **base),
                trial("relu", "sgd", 0.9, learner="plain", **{**base, "stream_joint": 1.0})]
        ds = self.open(rows)
        # Trained at once: one row, on both tasks.
        ds["accuracy_matrix"][3, 1, :] = NAN
        ds["accuracy_matrix"][3, 0, :] = [0.95, 0.85]
        figure = self.close(figures.methods(ds))
        kept, lost = (lines(axis) for axis in figure.axes)
        # After task 2: (0.5 + 1) / 2 of the last accuracy; lost: 1 - 0.5 of it.
        np.testing.assert_allclose(kept["EWC (n = 2)"], [0.6, 0.45], rtol=1e-6)
        np.testing.assert_allclose(lost["EWC (n = 2)"], [0.3], rtol=1e-6)
        np.testing.assert_allclose(kept["fine-tuning (lower bound) (n = 1)"], [0.2, 0.15],
                                   rtol=1e-6)
        np.testing.assert_allclose(kept["joint training (upper bound) (n = 1)"], [0.9, 0.9],
                                   rtol=1e-6)
        self.assertNotIn("joint training (upper bound) (n = 1)", lost)
        self.assertEqual(figure.left_out, [])

    def test_methods_draw_what_is_none_of_the_comparison(self):
        rows = [trial(name, "sgd", value, stream_epochs=1.0, learner="plain")
                for name, value in (("relu", 0.2), ("ash", 0.4))]
        figure = self.close(figures.methods(self.open(rows)))
        self.assertEqual(list(lines(figure.axes[0])), ["plain, ash (n = 1)", "plain, relu (n = 1)"])

    def test_methods_of_several_files_are_drawn_together_or_named(self):
        base = {"dataset": "mnist", "model": "mlp", "stream_joint": 0.0}
        one = self.open([trial("relu", "sgd", 0.8, learner="ewc", stream_epochs=10.0, **base),
                         trial("relu", "sgd", 0.6, learner="ewc", stream_epochs=1.0, **base)], "one.h5")
        two = self.open([trial("relu", "sgd", 0.4, learner="si", stream_epochs=10.0, **base),
                         trial("relu", "sgd", NAN, "failed", learner="mas", stream_epochs=10.0, **base)],
                        "two.h5")
        figure = self.close(figures.methods([one, two]))
        kept = lines(figure.axes[0])
        self.assertEqual(list(kept), ["EWC (n = 1)", "SI (n = 1)"])
        np.testing.assert_allclose(kept["SI (n = 1)"], [0.4, 0.3], rtol=1e-6)
        self.assertEqual(figure.left_out, [
            "left out MAS: no trial has a result (1 failed)",
            "left out EWC with 1 epochs per task (0.600): it is drawn with 10 (0.800)"])

    def test_stopped_trials_are_drawn_to_where_they_went(self):
        rows = self.activations() + [trial("relu", "adagrad", 0.4, "stopped"),
                                     trial("ash", "adagrad", 0.6, "stopped"),
                                     trial("sigmoid", "adagrad", NAN, "pending")]
        figure = self.close(figures.learning_curves(self.open(rows)))
        drawn = lines(figure.axes[0])
        grey = "stopped, 1 trials of other points"
        self.assertEqual(list(drawn), ["hard_ash (n = 2)", "relu (n = 1, 1 stopped)", grey])
        np.testing.assert_allclose(drawn[grey], [0.15, 0.3], rtol=1e-6)
        thin = [line for line in figure.axes[0].get_lines() if line.get_marker() == "x"]
        np.testing.assert_allclose(sorted(line.get_ydata()[-1] for line in thin), [0.2, 0.3], rtol=1e-6)
        self.assertEqual(figure.left_out, ["left out 1 point: no trial has a result (1 pending)"])
        # Of a trial that was stopped nothing else counts: the mean is that of the finished one.
        np.testing.assert_allclose(drawn["relu (n = 1, 1 stopped)"], 0.2 * np.arange(1, 5) / 4, rtol=1e-6)

        figure = self.close(figures.figure1(self.open(rows, "one.h5")))
        self.assertEqual(list(lines(figure.axes[0])),
                         ["hard_ash (n = 2)", "relu (n = 1, 1 stopped)", "ash (n = 0, 1 stopped)"])
        self.assertEqual(figure.left_out, ["left out sigmoid, adagrad: no trial has a result (1 pending)"])

        rows = [dict(row, learner="plain") for row in rows]
        figure = self.close(figures.methods(self.open(rows, "two.h5")))
        np.testing.assert_allclose(lines(figure.axes[0])["plain, ash (n = 0, 1 stopped)"], [0.6], rtol=1e-6)

    def test_the_axis_is_minibatches_examples_or_evaluations(self):
        ds = self.open(self.activations())
        for x, label, places in (("steps", "minibatches", [10, 20, 30, 40]),
                                 ("examples", "training examples", [640, 1280, 1920, 2560]),
                                 ("evaluations", "evaluations", [1, 2, 3, 4])):
            for draw in (figures.learning_curves, figures.figure1):
                axis = self.close(draw(ds, x=x)).axes[0]
                self.assertEqual(axis.get_xlabel(), label)
                self.assertEqual(axis.get_lines()[0].get_xdata().tolist(), places)
            axis = self.close(figures.methods(ds, x=x)).axes[0]
            self.assertEqual(axis.get_xlabel(), label)
            # Two tasks end at the second and fourth evaluation.
            self.assertEqual(axis.get_lines()[0].get_xdata().tolist(), places[1::2])

    def test_the_command_names_what_is_left_out(self):
        path = self.path(self.activations() + [trial("ash", "sgd", NAN, "failed")])
        image = self.folder / "x.png"
        code, out, err = self.command("figure", "1", path, "-o", image, "--x", "examples")
        self.assertEqual((code, out), (0, ""))
        self.assertEqual(err, "engram_results: left out ash, sgd: no trial has a result (1 failed)\n")
        code, _, err = self.command("figure", "1", path, path, "-o", image)
        self.assertEqual(code, 2)
        self.assertIn("figure 1 takes one file", err)
        self.assertEqual(self.command("curves", path, "-o", image, "--x", "evaluations", "--best", "1")[2],
                         "engram_results: left out 1 point: the best 1 are drawn\n"
                         "engram_results: left out 1 point: no trial has a result (1 failed)\n")

    def test_forgetting_is_measured_from_the_best_earlier_accuracy(self):
        rows = [(0, 0, 0.9), (1, 0, 0.5), (1, 1, 0.8), (2, 0, 0.6), (2, 1, 0.7), (2, 2, 1.0)]
        matrix = pandas.DataFrame(rows, columns=["train_task", "eval_task", "value"])
        lost = figures.forgetting_so_far(matrix.assign(trial=0))
        # 0.9 - 0.5; then the mean of 0.9 - 0.6 and 0.8 - 0.7
        np.testing.assert_allclose(lost["value"], [0.4, 0.2])
        self.assertEqual(lost["task"].tolist(), [2, 3])

    def test_commands_write_images(self):
        rows = [dict(row, model_activation_z_k=2.0, model_activation_alpha=4.0, dataset="mnist",
                     learner="plain", model="mlp", stream_epochs=1.0, stream_joint=0.0)
                for row in self.activations()]
        path = self.path(rows)
        for arguments in (["figure", "1"], ["figure", "2"], ["figure", "3"],
                          ["figure", "methods"], ["curves"]):
            image = self.folder / f"{'-'.join(arguments)}.png"
            code, out, err = self.command(*arguments, path, "-o", image)
            self.assertEqual((code, out, err), (0, "", ""))
            self.assertEqual(image.read_bytes()[:4], b"\x89PNG")

    def test_unwritable_image_and_unknown_curve_are_refused(self):
        path = self.path(self.activations())
        for arguments, words in ((["-o", self.folder / "none" / "x.png"], "cannot be written"),
                                 (["-o", self.folder / "x.abc"], "cannot be written"),
                                 (["-o", self.folder / "x.png", "--variables", "speed"],
                                  "no curve called `speed`")):
            code, _, err = self.command("curves", path, *arguments)
            self.assertEqual(code, 2)
            self.assertIn(words, err)


if __name__ == "__main__":
    unittest.main()
