"""Files of weights in NumPy alone: a saved network gives the scores that `engram predict` writes, and a run is followed
step by step from its initial weights along its path."""

import csv
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy as np

TRAIN, TEST, SIDE, CLASSES = 300, 120, 28, 10


def write_idx(path, array):
    """An IDX file of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


class Network:
    """A multilayer perceptron from a file of weights, as docs/weights.md describes it."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.attributes = dict(file.attrs)
            self.settings = dict(file["settings"].attrs)
            self.byte_value = file["input/byte_value"][:]
            self.pixel_order = file["input/pixel_order"][:] if "pixel_order" in file["input"] else None
            blocks = {name: data[:] for name, data in file["network"].items()}
        count = sum(name.endswith(".weight") for name in blocks)
        self.weights = [blocks[f"layer{k + 1}.weight"] for k in range(count)]
        self.biases = [blocks.get(f"layer{k + 1}.bias") for k in range(count)]
        norms = self.settings["model.weight_norm"].strip("[]")
        norms = [name.strip() for name in norms.split(",") if name.strip()]
        self.norms = norms + ["none"] * (count - len(norms))

    def used(self, k):
        """Weights of layer k as they multiply its inputs."""
        w = self.weights[k]
        if self.norms[k] == "none":
            return w
        if self.norms[k] == "centered":
            w = w - w.mean(axis=1, keepdims=True)
        return w / np.linalg.norm(w, axis=1, keepdims=True)

    def activate(self, x):
        """The activation, a row an example."""
        if self.settings["model.activation"] == "relu":
            return np.maximum(x, 0)
        alpha, z_k, x_max = (self.settings[f"model.activation.{name}"]
                             for name in ("alpha", "z_k", "x_max"))
        threshold = x.mean(axis=1, keepdims=True) + z_k * x.std(axis=1, keepdims=True)
        return np.clip(x, 0, x_max) * np.clip(alpha * (x - threshold) + 3, 0, 6) / 6

    def inputs(self, images):
        """Numbers of images [examples, pixels] of one channel."""
        return self.byte_value[0][images]

    def scores(self, images):
        """Scores, and the inputs of every layer."""
        x = self.inputs(images)
        seen = []
        for k in range(len(self.weights)):
            seen.append(x)
            x = x @ self.used(k).T
            if self.biases[k] is not None:
                x = x + self.biases[k]
            if k + 1 < len(self.weights):
                x = self.activate(x)
        return x, seen

    def learn(self, images, labels, rate):
        """One step of gradient descent with ReLU and no normalisation; the loss before it."""
        y, seen = self.scores(images)
        y = y - y.max(axis=1, keepdims=True)
        share = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(share[rows, labels]).mean()
        d = share
        d[rows, labels] -= 1
        d = d / len(labels)
        for k in reversed(range(len(self.weights))):
            below = (d @ self.weights[k]) * (seen[k] > 0)
            self.weights[k] = self.weights[k] - rate * d.T @ seen[k]
            if self.biases[k] is not None:
                self.biases[k] = self.biases[k] - rate * d.sum(axis=0)
            d = below
        return loss


@unittest.skipUnless(os.environ.get("ENGRAM"), "ENGRAM does not say where the command is")
class WeightsTest(unittest.TestCase):
    """Against the command."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        random = np.random.default_rng(7)
        centres = random.integers(0, 256, (CLASSES, SIDE * SIDE))
        self.labels, self.images = {}, {}
        for name, count in (("train", TRAIN), ("t10k", TEST)):
            label = np.arange(count) % CLASSES
            noise = random.integers(-60, 61, (count, SIDE * SIDE))
            image = np.clip(centres[label] // 2 + noise, 0, 255)
            write_idx(self.folder / f"{name}-labels-idx1-ubyte", label)
            write_idx(self.folder / f"{name}-images-idx3-ubyte", image.reshape(-1, SIDE, SIDE))
            self.labels[name], self.images[name] = label, image

    def engram(self, *words):
        """Runs the command in the folder."""
        subprocess.run([os.path.realpath(os.environ["ENGRAM"]), *words], cwd=self.folder, check=True,
                       stdout=subprocess.PIPE)

    def train(self, *words):
        """A trial on the made-up images."""
        self.engram("train", "dataset=mnist", "dataset.path=.", "stream.batch=16", "--quiet", *words)

    def rows(self, name):
        """A CSV file as a list of dictionaries."""
        with open(self.folder / name, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def check_scores(self, *words):
        """The scores of a saved network, and what it recorded."""
        self.train("--save", "net.h5", *words)
        self.engram("predict", "net.h5", "-o", "scores.csv")
        network = Network(self.folder / "net.h5")
        rows = self.rows("scores.csv")
        self.assertEqual(sum(row["subset"] == "test" for row in rows), TEST)
        self.assertEqual(sum(row["subset"] == "validation" for row in rows), TRAIN // 10)
        for subset, data in (("test", "t10k"), ("validation", "train")):
            part = [row for row in rows if row["subset"] == subset]
            numbers = np.array([int(row["example"]) for row in part])
            theirs = np.array([[float(row[f"score.{c}"]) for c in range(CLASSES)] for row in part])
            ours, _ = network.scores(self.images[data][numbers])
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-5 * np.abs(theirs).max())
            self.assertEqual([int(row["label"]) for row in part],
                             list(self.labels[data][numbers]))
            self.assertEqual([int(row["prediction"]) for row in part],
                             list(theirs.argmax(axis=1)))

    def test_scores_of_panels_and_normalised_rows(self):
        """70 and 20 hidden units: more than one panel, and one that is not full."""
        self.check_scores("model.hidden=[70, 20]", "model.weight_norm=[centered, plain]",
                          "model.bias=true", "optimizer.lr=0.01")

    def test_scores_without_hidden_layer(self):
        """Only the first layer, which is in panels."""
        self.check_scores("model.hidden=[]", "model.weight_norm=[]", "dataset.scale=unit")

    def check_tasks(self, name, network):
        """The scores of every task's own view of the images; how many differ from those of the image as it is."""
        other = 0
        for row in self.rows(name):
            image = self.images["t10k" if row["subset"] == "test" else "train"][int(row["example"])]
            seen = image[network.pixel_order[int(row["task"])]]
            theirs = np.array([float(row[f"score.{c}"]) for c in range(CLASSES)])
            ours = network.scores(seen[np.newaxis])[0][0]
            close = {"rtol": 2e-5, "atol": 2e-5 * np.abs(theirs).max()}
            np.testing.assert_allclose(ours, theirs, **close)
            other += not np.allclose(network.scores(image[np.newaxis])[0][0], theirs, **close)
        return other

    def test_pixels_in_the_order_of_a_task(self):
        """The order is in the file, and it is the file's that `engram predict` uses."""
        self.train("--save", "net.h5", "stream=permuted", "stream.tasks=3", "protocol=test",
                   "model.hidden=[20]", "optimizer.lr=0.01")
        self.engram("predict", "net.h5", "-o", "scores.csv")
        network = Network(self.folder / "net.h5")
        self.assertEqual(network.pixel_order.shape, (3, SIDE * SIDE))
        self.assertEqual(len(self.rows("scores.csv")), 3 * TEST)
        self.assertEqual(self.check_tasks("scores.csv", network), 3 * TEST)
        shutil.copy(self.folder / "net.h5", self.folder / "own.h5")
        with h5py.File(self.folder / "own.h5", "r+") as own:
            own["input/pixel_order"][1] = np.arange(SIDE * SIDE)
        self.engram("predict", "own.h5", "-o", "own.csv")
        network = Network(self.folder / "own.h5")
        self.assertEqual(self.check_tasks("own.csv", network), 2 * TEST)

    def test_classes_of_tasks(self):
        """With an output head per task, the file says which scores are compared."""
        self.train("--save", "net.h5", "stream.partition=[[7, 1], [0, 8, 3]]", "stream.active=task",
                   "stream.class_order=shuffled", "seed=2", "model.hidden=[20]", "optimizer.lr=0.01")
        self.engram("predict", "net.h5", "-o", "scores.csv")
        with h5py.File(self.folder / "net.h5") as file:
            task_of = file["input/class_task"][:]
        self.assertEqual([sum(task_of == t) for t in (-1, 0, 1)], [5, 2, 3])
        rows = self.rows("scores.csv")
        self.assertEqual({int(row["label"]) for row in rows}, set(np.flatnonzero(task_of >= 0)))
        for row in rows:
            task = int(row["task"])
            classes = np.flatnonzero(task_of == task)
            scores = np.array([float(row[f"score.{c}"]) for c in classes])
            self.assertEqual(task_of[int(row["label"])], task)
            self.assertEqual(int(row["prediction"]), classes[scores.argmax()])
        self.train("--save", "other.h5", "stream=permuted", "stream.tasks=2", "model.hidden=[8]")
        with h5py.File(self.folder / "other.h5") as file:
            self.assertNotIn("class_task", file["input"])

    def test_what_else_is_in_the_file(self):
        """Enough to know what it is."""
        self.train("--save", "net.h5", "seed=3", "model.hidden=[8]", "optimizer.lr=0.25")
        network = Network(self.folder / "net.h5")
        self.assertEqual(network.attributes["format_name"], "engram-weights")
        self.assertEqual(network.attributes["format_version"], 1)
        self.assertEqual(network.attributes["seed"], 3)
        self.assertEqual(network.attributes["step"], 20)
        self.assertEqual(list(network.attributes["input_shape"]), [1, SIDE, SIDE])
        self.assertEqual(network.attributes["outputs"], CLASSES)
        self.assertEqual(len(network.attributes["trial_id"]), 16)
        self.assertEqual(network.settings["optimizer.lr"], 0.25)
        self.assertEqual(network.settings["model.hidden"], "[8]")
        self.assertIs(bool(network.settings["model.bias"]), False)
        self.assertEqual(network.settings["stream.batch"], 16)

    def test_a_run_step_by_step(self):
        """Every loss on the way, and the weights at its end, from double precision."""
        self.train("--save-initial", "begin.h5", "--trace", "path.csv", "--save", "end.h5",
                   "model.hidden=[40, 12]", "model.weight_norm=[]", "model.bias=true",
                   "model.activation=relu", "dataset.scale=unit", "optimizer=sgd",
                   "optimizer.lr=0.05", "stream.epochs=2", "protocol=test")
        network = Network(self.folder / "begin.h5")
        network.weights = [w.astype(float) for w in network.weights]
        network.biases = [b.astype(float) for b in network.biases]
        network.byte_value = network.byte_value.astype(float)
        rows = self.rows("path.csv")
        self.assertEqual(len(rows), 2 * 5 * 4)
        for row in rows:
            numbers = np.array([int(number) for number in row["examples"].split()])
            loss = network.learn(self.images["train"][numbers], self.labels["train"][numbers], 0.05)
            self.assertAlmostEqual(loss, float(row["loss"]), delta=2e-5 * max(1, loss),
                                   msg=f"step {row['step']}")
        end = Network(self.folder / "end.h5")
        for k, weights in enumerate(end.weights):
            np.testing.assert_allclose(network.weights[k], weights, rtol=0, atol=1e-5)
            np.testing.assert_allclose(network.biases[k], end.biases[k], rtol=0, atol=1e-5)

    def test_weights_of_another_program(self):
        """The least that `engram train --load` takes."""
        random = np.random.default_rng(1)
        weights = [random.normal(0, 0.05, (30, SIDE * SIDE)), random.normal(0, 0.2, (CLASSES, 30))]
        with h5py.File(self.folder / "own.h5", "w") as file:
            file.attrs["format_name"] = "engram-weights"
            file.attrs["format_version"] = 1
            for k, weight in enumerate(weights):
                file[f"network/layer{k + 1}.weight"] = weight
        words = ["model.hidden=[30]", "model.weight_norm=[]", "model.activation=relu",
                 "dataset.scale=unit"]
        self.train("--load", "own.h5", "--save-initial", "same.h5", "--trace", "path.csv", *words)
        network = Network(self.folder / "same.h5")
        self.assertNotIn("trial_id", network.attributes)
        for mine, theirs in zip(weights, network.weights):
            np.testing.assert_array_equal(mine.astype(np.float32), theirs)
        first = self.rows("path.csv")[0]
        numbers = np.array([int(number) for number in first["examples"].split()])
        y, _ = network.scores(self.images["train"][numbers])
        log_sum = np.log(np.exp(y).sum(axis=1))
        loss = (log_sum - y[np.arange(len(numbers)), self.labels["train"][numbers]]).mean()
        self.assertAlmostEqual(loss, float(first["loss"]), delta=1e-5)


if __name__ == "__main__":
    unittest.main()
