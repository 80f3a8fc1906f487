#!/usr/bin/env python3
"""Down-sampled ImageNet (Chrabaszcz et al. 2017, arXiv 1707.08819) as one HDF5 file for engram; see docs/images.md.

Reads the public batches train_data_batch_1 … 10 (pickles, or train_data_batch_1.npz …), whose labels begin at 1, and writes the first
images of every class in the order of the batches: the first --train of them for training, the next --test for testing. Two passes, one
batch in memory at a time.
"""

import argparse
import os
import pickle
import sys

import h5py
import numpy as np

FIRST_LABEL = 1
LABEL_NAMES = ("labels", "label")


class PlainUnpickler(pickle.Unpickler):
    """Nothing but arrays, lists and texts: a pickle from elsewhere runs no code."""

    ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct"), ("numpy", "ndarray"),
               ("numpy", "dtype"), ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
               ("_codecs", "encode")}

    def find_class(self, module, name):
        if (module, name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"holds a {module}.{name}, which no batch has")
        return super().find_class(module, name)


class Failure(Exception):
    """What is wrong, in words."""


def load(path):
    """The images [N, 3*side*side] and labels from 0 [N] of a batch."""
    try:
        with open(path, "rb") as file:
            npz = path.endswith(".npz")
            batch = np.load(file, allow_pickle=False) if npz else PlainUnpickler(file, encoding="latin1").load()
            images = np.asarray(batch["data"])
            names = [name for name in LABEL_NAMES if name in batch]
            labels = np.asarray(batch[names[0]], dtype=np.int64) - FIRST_LABEL
    except Exception as why:  # what unpickling a damaged file raises is anybody's guess
        raise Failure(f"{path}: is no batch of down-sampled ImageNet ({type(why).__name__}: {why})") from why
    if images.dtype != np.uint8 or images.ndim != 2 or labels.shape != images.shape[:1]:
        raise Failure(f"{path}: 'data' is {images.dtype} {images.shape} with {labels.shape} labels; expected uint8 (N, 3072) and N")
    return images, labels


def find_batches(folder):
    """Paths of batch 1, 2, … as far as they are there; a gap is an error."""
    paths = []
    missing = None
    for number in range(1, 11):
        names = [os.path.join(folder, f"train_data_batch_{number}{ending}") for ending in ("", ".npz")]
        there = [name for name in names if os.path.exists(name)]
        if there and missing:
            raise Failure(f"{missing}: is not there, but {there[0]} is")
        if there:
            paths.append(there[0])
        else:
            missing = missing or names[0]
    if not paths:
        raise Failure(f"{missing}: is not there (nor with .npz)")
    return paths


class Part:
    """One part of the file: places for `most` images of every class, or for all (most = None)."""

    def __init__(self, name, most):
        self.name = name
        self.most = most
        self.counts = None

    def choose(self, labels, classes, skipped):
        """Which images of a batch belong here, as a mask. skipped [classes]: how many of a class are still to be left out."""
        if self.counts is None:
            self.counts = np.zeros(classes, np.int64)
        chosen = np.zeros(len(labels), bool)
        for i, label in enumerate(labels):
            if skipped[label] > 0:
                skipped[label] -= 1
            elif self.most is None or self.counts[label] < self.most:
                self.counts[label] += 1
                chosen[i] = True
        return chosen


def passes(sources, side, classes, write):
    """Goes through all batches once. sources: list of (paths, part, images of a class that come before)."""
    for paths, part, before in sources:
        part.counts = np.zeros(classes, np.int64)
        skipped = np.full(classes, before, np.int64)
        for path in paths:
            images, labels = load(path)
            if images.shape[1] != 3 * side * side:
                raise Failure(f"{path}: images of {images.shape[1]} bytes; expected 3 x {side} x {side}")
            if len(labels) and not (0 <= labels.min() and labels.max() < classes):
                raise Failure(f"{path}: labels {labels.min() + 1} to {labels.max() + 1}; expected 1 to {classes}")
            chosen = part.choose(labels, classes, skipped)
            write(part, images[chosen].reshape(-1, 3, side, side), labels[chosen])


def check_counts(part, classes):
    """Every class has as many as were asked for."""
    short = np.flatnonzero(part.counts < (part.most or 1))
    if len(short):
        raise Failure(f"class {short[0] + 1} has {part.counts[short[0]]} images for {part.name}, expected {part.most or 1} "
                      f"({len(short)} of {classes} classes have too few)")


class Moments:
    """Exact sums over the training images: of bytes, of their squares."""

    def __init__(self):
        self.count = 0
        self.sum = np.zeros(3, np.int64)
        self.squares = np.zeros(3, np.int64)

    def add(self, images):
        counts = [np.bincount(images[:, c].ravel(), minlength=256) for c in range(3)]
        byte = np.arange(256, dtype=np.int64)
        self.sum += [int((count * byte).sum()) for count in counts]
        self.squares += [int((count * byte * byte).sum()) for count in counts]
        self.count += int(images[:, 0].size)

    def result(self):
        mean = self.sum / self.count
        return mean / 255, np.sqrt(self.squares / self.count - mean * mean) / 255


def count_images(paths):
    return sum(len(load(path)[1]) for path in paths)


def convert(out, sources, side, classes):
    """Counts, then writes: the file is in one piece and not compressed, so that engram maps it."""
    passes(sources, side, classes, lambda part, images, labels: None)
    totals = {}
    for _, part, _ in sources:
        check_counts(part, classes)
        totals[part.name] = int(part.counts.sum())
    temporary = out + ".part"
    moments = Moments()
    at = dict.fromkeys(totals, 0)
    try:
        with h5py.File(temporary, "w") as file:
            for name, count in totals.items():
                file.create_dataset(f"{name}/images", (count, 3, side, side), np.uint8)
                file.create_dataset(f"{name}/labels", (count,), np.uint16)

            def write(part, images, labels):
                begin = at[part.name]
                at[part.name] = begin + len(labels)
                file[f"{part.name}/images"][begin:at[part.name]] = images
                file[f"{part.name}/labels"][begin:at[part.name]] = labels
                if part.name == "train" and len(labels):
                    moments.add(images)

            passes(sources, side, classes, write)
            file.attrs["mean"], file.attrs["std"] = moments.result()
        os.replace(temporary, out)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return totals


def parse(arguments):
    def count_or_all(text):
        if text == "all":
            return None
        if not text.isdigit() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"'{text}' is neither a number of images nor all")
        return int(text)

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="with train_data_batch_1 … 10, plain or .npz")
    parser.add_argument("out", help="the HDF5 file to write")
    parser.add_argument("--train", type=count_or_all, default=600, help="training images per class, or all (default 600)")
    parser.add_argument("--test", type=count_or_all, default=0, help="test images per class, or all (default 100)")
    parser.add_argument("--validation", help="take the test images from this file (val_data) instead: by default all 50 per class")
    parser.add_argument("--classes", type=int, default=1000, help="classes in the files (default 1000)")
    parser.add_argument("--expect", type=int, help="how many images the batches have in all; another number is an error")
    parser.add_argument("--side", type=int, default=32, help="height and width (default 32)")
    options = parser.parse_args(arguments)
    if options.test == 0:
        options.test = 100 if options.validation is None else None
    if options.validation is None and (options.train is None or options.test is None):
        parser.error("all needs --validation: otherwise both parts come from the same files")
    return options


def main(arguments):
    options = parse(arguments)
    try:
        batches = find_batches(options.folder)
        if options.expect is not None and count_images(batches) != options.expect:
            raise Failure(f"{options.folder}: the batches have {count_images(batches)} images; expected {options.expect}")
        train, test = Part("train", options.train), Part("test", options.test)
        tests = (batches, test, options.train) if options.validation is None else ([options.validation], test, 0)
        totals = convert(options.out, [(batches, train, 0), tests], options.side, options.classes)
    except (Failure, OSError) as why:
        print(f"convert_imagenet32.py: {why}", file=sys.stderr)
        return 1
    print(f"{options.out}: {options.classes} classes, {totals['train']} training and {totals['test']} test images")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
