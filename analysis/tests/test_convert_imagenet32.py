"""Down-sampled ImageNet: made-up batches of the public layout become the file that engram reads."""

import contextlib
import importlib.util
import io
import os
import pickle
import tempfile
import unittest

import h5py
import numpy as np

SCRIPT = os.path.join(os.path.dirname(__file__), os.pardir, "convert_imagenet32.py")
spec = importlib.util.spec_from_file_location("convert_imagenet32", SCRIPT)
converter = importlib.util.module_from_spec(spec)
spec.loader.exec_module(converter)

SIDE = 2
FEATURES = 3 * SIDE * SIDE
CLASSES = 3


def image(number):
    """Image `number` of all: byte k is number + k."""
    return (number + np.arange(FEATURES)).astype(np.uint8)


class Convert(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.out = os.path.join(self.folder, "out.h5")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, labels, first, npz=False):
        """Labels as published, from 1."""
        data = np.stack([image(first + i) for i in range(len(labels))])
        if npz:
            np.savez(self.path(name), data=data, labels=np.array(labels))
        else:
            with open(self.path(name), "wb") as file:
                pickle.dump({"data": data, "labels": list(labels)}, file, protocol=2)

    def run_tool(self, *options):
        said = io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            try:
                code = converter.main([self.folder, self.out, "--classes", str(CLASSES), "--side", str(SIDE), *options])
            except SystemExit as end:
                code = end.code
        return code, said.getvalue()

    def refused(self, part, *options):
        code, said = self.run_tool(*options)
        self.assertNotEqual(code, 0)
        self.assertIn(part, said)
        self.assertFalse(os.path.exists(self.out))
        self.assertFalse(os.path.exists(self.out + ".part"))

    def three_batches(self, npz=False):
        # Class 1 is images 0 3 5 8, class 2 is 1 4 6 9, class 3 is 2 7 10 11.
        self.write("train_data_batch_1", [1, 2, 3, 1, 2], 0, npz)
        self.write("train_data_batch_2", [1, 2, 3, 1], 5, npz)
        self.write("train_data_batch_3", [2, 3, 3], 9, npz)

    def check(self, part, numbers, labels):
        with h5py.File(self.out) as file:
            images = file[f"{part}/images"]
            self.assertEqual(images.shape, (len(numbers), 3, SIDE, SIDE))
            self.assertEqual(images.dtype, np.uint8)
            self.assertIsNone(images.chunks)
            np.testing.assert_array_equal(images[:].reshape(-1, FEATURES), [image(n) for n in numbers])
            np.testing.assert_array_equal(file[f"{part}/labels"][:], labels)

    def test_first_of_every_class(self):
        for npz in (False, True):
            self.three_batches(npz)
            code, said = self.run_tool("--train", "2", "--test", "1")
            self.assertEqual(code, 0, said)
            self.assertIn("3 classes, 6 training and 3 test images", said)
            self.check("train", [0, 1, 2, 3, 4, 7], [0, 1, 2, 0, 1, 2])
            self.check("test", [5, 6, 10], [0, 1, 2])
            for name in os.listdir(self.folder):
                os.remove(self.path(name))

    def test_moments(self):
        self.three_batches()
        self.assertEqual(self.run_tool("--train", "2", "--test", "1")[0], 0)
        with h5py.File(self.out) as file:
            images = file["train/images"][:] / 255
            np.testing.assert_allclose(file.attrs["mean"], images.mean(axis=(0, 2, 3)), rtol=1e-12)
            np.testing.assert_allclose(file.attrs["std"], images.std(axis=(0, 2, 3)), rtol=1e-9)

    def test_validation_file(self):
        self.three_batches()
        self.write("val_data", [3, 1, 2, 3], 100)
        code, said = self.run_tool("--train", "all", "--validation", self.path("val_data"))
        self.assertEqual(code, 0, said)
        self.check("train", range(12), [0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2, 2])
        self.check("test", [100, 101, 102, 103], [2, 0, 1, 2])
        code, said = self.run_tool("--train", "3", "--test", "1", "--validation", self.path("val_data"))
        self.assertEqual(code, 0, said)
        self.check("test", [100, 101, 102], [2, 0, 1])

    def test_too_few(self):
        self.three_batches()
        self.refused("class 1 has 1 images for test, expected 2", "--train", "3", "--test", "2")
        self.refused("class 1 has 4 images for train, expected 5", "--train", "5", "--test", "1")
        self.refused("all needs --validation", "--train", "all")
        self.refused("neither a number of images nor all", "--train", "0")

    def test_number_of_images(self):
        self.three_batches()
        self.refused("the batches have 12 images; expected 13", "--train", "2", "--test", "1", "--expect", "13")
        self.assertEqual(self.run_tool("--train", "2", "--test", "1", "--expect", "12")[0], 0)

    def test_wrong_files(self):
        options = ("--train", "2", "--test", "1")
        self.refused("train_data_batch_1: is not there", *options)
        self.three_batches()
        os.remove(self.path("train_data_batch_2"))
        self.refused("train_data_batch_2: is not there, but", *options)
        self.write("train_data_batch_2", [1, 4], 5)
        self.refused("train_data_batch_2: labels 1 to 4; expected 1 to 3", *options)
        self.write("train_data_batch_2", [0, 1], 5)
        self.refused("labels 0 to 1; expected 1 to 3", *options)
        with open(self.path("train_data_batch_2"), "wb") as file:
            pickle.dump({"data": np.zeros((2, 5), np.uint8), "labels": [1, 2]}, file)
        self.refused("images of 5 bytes; expected 3 x 2 x 2", *options)
        with open(self.path("train_data_batch_2"), "wb") as file:
            pickle.dump({"data": np.zeros((2, FEATURES)), "labels": [1, 2]}, file)
        self.refused("'data' is float64", *options)
        with open(self.path("train_data_batch_2"), "wb") as file:
            file.write(b"no pickle")
        self.refused("is no batch of down-sampled ImageNet", *options)

    def test_no_code_runs(self):
        class Evil:
            def __reduce__(self):
                return os.mkdir, (evil,)

        evil = self.path("evil")
        with open(self.path("train_data_batch_1"), "wb") as file:
            pickle.dump({"data": Evil(), "labels": []}, file)
        self.refused("which no batch has", "--train", "2", "--test", "1")
        self.assertFalse(os.path.exists(evil))


if __name__ == "__main__":
    unittest.main()
