#!/usr/bin/env python3
"""Additive parameter decomposition outside of engram: the lines of docs/weights.md give the scores of engram predict.

    apd_weights.py ENGRAM docs/weights.md

trains small networks on made-up images, takes the NumPy example of apd out of the document as it stands there, runs it
on the files of weights, and compares to the rounding of single precision. Without NumPy and h5py the exit code is 77:
skipped.
"""

import csv
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TRAIN, TEST, SIDE, CLASSES, TASKS = 400, 120, 28, 10, 5
COMMON = ["dataset=mnist", "dataset.path=.", "stream=split", "stream.active=task", "stream.batch=20",
          "stream.epochs=4", "model.hidden=[70, 9]", "model.activation=relu", "model.weight_norm=[]", "model.bias=true",
          "model.init=variance_scaling", "optimizer=adam", "optimizer.lr=0.01"]
# Groups in some layers, none, no masks, a first task without; and where the learner is inside another one.
VARIANTS = [["learner=apd", "learner.lambda1=0.02", "learner.consolidate_every=2", "learner.centroids=1", "learner.beta=0.1"],
            ["learner=apd", "learner.lambda1=0.02", "learner.retroactive=false"],
            ["learner=apd", "learner.lambda1=0.02", "learner.masks=false"],
            ["learner=apd", "learner.lambda1=0.02", "learner.first_task=plain"],
            ["learner=early_stopping", "learner.of=apd", "learner.patience=0", "learner.of.lambda1=0.02"]]
EPSILON = float(np.finfo(np.float32).eps)


def write_idx(name, array):
    """An IDX file of bytes."""
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    with open(name, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


def make_images():
    """{subset: images [examples, pixels]} of classes around centres, in the files of MNIST."""
    random = np.random.RandomState(7)
    centres = random.randint(0, 256, size=(CLASSES, SIDE * SIDE))
    images = {}
    for subset, name, count in (("validation", "train", TRAIN), ("test", "t10k", TEST)):
        label = np.arange(count) % CLASSES
        images[subset] = np.clip(centres[label] // 2 + random.randint(-60, 61, size=(count, SIDE * SIDE)), 0, 255)
        write_idx(f"{name}-labels-idx1-ubyte", label)
        write_idx(f"{name}-images-idx3-ubyte", images[subset].reshape(-1, SIDE, SIDE))
    return images


def example_of(document):
    """The lines of the document that begin with lambda1."""
    with open(document, encoding="utf-8") as file:
        blocks = re.findall(r"^```python\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if block.startswith("lambda1 = ")]
    assert len(found) == 1, f"{len(found)} examples in {document}"
    return found[0]


def check(engram, example, images, words):
    """The scores of every example and task. Returns by how many units in the last place of the largest one they differ,
    how many weights are left out by lambda1, how many groups are used, and how many tasks have masks."""
    subprocess.run([engram, "train", *COMMON, *words, "--save", "net.h5", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([engram, "predict", "net.h5", "-o", "scores.csv"], check=True, stdout=subprocess.DEVNULL)
    with open("scores.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    inside = "learner.of." if words[0] == "learner=early_stopping" else "learner."
    with h5py.File("net.h5", "r") as file:
        space = {"file": file, "np": np}
        exec(example.replace('"learner.lambda1"', f'"{inside}lambda1"'), space)
        worst, compared = 0.0, 0
        for t in range(TASKS):
            outputs = file[f"task{t:03}/outputs"][:].astype(int)
            for subset, all_images in images.items():
                part = [row for row in rows if int(row["task"]) == t and row["subset"] == subset]
                x = file["input/byte_value"][0][all_images[[int(row["example"]) for row in part]]]
                theirs = np.array([[float(row[f"score.{c}"]) for c in outputs] for row in part])
                ours = space["scores"](t, x)
                worst = max(worst, abs(ours - theirs).max() / (EPSILON * abs(theirs).max()))
                compared += len(part)
        assert compared == TEST + TRAIN // 10, compared
        weights = [file[f"task{t:03}/layer1.weight"][:] for t in range(TASKS)]
        small = sum(int(((abs(w) <= space["lambda1"]) & (w != 0)).sum()) for w in weights)
        groups = sum(int(file[f"task{t:03}/layer{k}.weight.group"][0]) >= 0 for t in range(TASKS) for k in (1, 2))
        masks = sum("layer1.weight.mask" in file[f"task{t:03}"] for t in range(TASKS))
    return worst, small, groups, masks


def main():
    engram, document = (os.path.realpath(path) for path in sys.argv[1:])
    example = example_of(document)
    expected_masks = [TASKS, TASKS, 0, TASKS - 1, TASKS]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        images = make_images()
        for words, masks in zip(VARIANTS, expected_masks):
            worst, small, groups, found = check(engram, example, images, words)
            print(f"{worst:.1f} units in the last place, {small} small weights, {groups} groups: {' '.join(words)}")
            assert worst < 64, "scores differ"
            assert small > 0 or "learner.retroactive=false" in words, "nothing is left out, so lambda1 is not tested"
            assert (groups > 0) == ("learner.consolidate_every=2" in words), "groups"
            assert found == masks, "masks"
        os.chdir("/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
