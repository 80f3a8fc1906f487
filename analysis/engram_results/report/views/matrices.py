"""Accuracy matrices: accuracy on every task after every task, mean and deviation over seeds."""

import numpy as np

from ..view import POINT, NoData, Table, View

NAME = "accuracy_matrix"
CELLS = 20000


def view(sweep):
    """Table `cells`; the difference of two points is that of their means."""
    if not sweep.has(NAME):
        raise NoData("no trial has recorded an accuracy matrix (measure matrix)")
    if max(ds.sizes.get("eval_task", 0) for ds in sweep.datasets) < 2:
        raise NoData("the stream is tested on one task alone: its curve says the same")
    rows, left = [], 0
    for index, one in enumerate(sweep.chosen):
        values = sweep.values(NAME, one.finished)
        cells = values.shape[1] * values.shape[2] if values.ndim == 3 else 0
        if len(values) == 0 or len(rows) + cells > CELLS:
            left += len(values) > 0
            continue
        mean, deviation, _, n = sweep.summary(values)
        rows += [[index, int(i) + 1, int(j) + 1, mean[i, j], deviation[i, j], int(n[i, j])] for i, j in np.argwhere(n > 0)]
    if not rows:
        raise NoData("no finished trial of a chosen point has an accuracy matrix of a size that can be shown")
    shown = (f"Test accuracy on task j (column) after learning task i (row), {sweep.who}, selected on {sweep.selected_on}: mean "
             "over finished seeds, standard deviation over seeds (divisor n − 1), and the difference of the means of two points.")
    return View("Accuracy matrices", shown, {"cells": Table("every cell", [
        ("point", POINT), ("after_task", "integer"), ("on_task", "integer"), ("mean", "number"), ("sd", "number"),
        ("n", "integer")], rows)}, {}, [f"left out the matrices of {left} points: they have too many cells"] if left else [])
