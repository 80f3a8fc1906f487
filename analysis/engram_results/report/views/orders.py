"""What the order of tasks does: AOPD and MOPD of every group of points that differ in the order alone."""

import numpy as np

from ...files import ResultError
from ...orders import over_orders
from ...ranking import describe
from ..view import NoData, Table, View

MOST = 60


def view(sweep):
    """Tables `groups` and `tasks`."""
    try:
        found = over_orders(sweep.datasets)
    except ResultError as error:
        raise NoData(str(error)) from error
    found = found[np.isfinite(found["aopd"])]
    if found.empty:
        raise NoData("no group of points that differ in the order of tasks alone has two orders with an accuracy matrix")
    telling = {dotted: column for dotted, column in sweep.telling.items() if column in found}
    labels = [describe(row, telling) or "all" for _, row in found.iterrows()]
    groups = [[at + 1, label, int(row["orders"]), int(row["least_runs"]), int(row["most_runs"]), row["accuracy"], row["aopd"],
               row["mopd"], row["stl_aopd"], row["stl_mopd"]] for at, (label, (_, row)) in enumerate(zip(labels, found.iterrows()))]
    tasks = [[at + 1, task + 1, accuracy, opd] for at, (_, row) in enumerate(found.head(MOST).iterrows())
             for task, (accuracy, opd) in enumerate(zip(row["task_accuracy"], row["opd"]))]
    shown = ("Groups of points that differ in the order of tasks alone, the most accurate first; no selection. Accuracy on a task "
             "after the last task of an order is a mean over finished seeds; OPD of a task is its largest difference between "
             "orders, AOPD the mean and MOPD the maximum over tasks (shares); stl: the same of learner stl on the same problem.")
    return View("Disparity between orders of tasks", shown, {
        "groups": Table("groups", [("group", "integer"), ("settings", "text"), ("orders", "integer"), ("least_runs", "integer"),
                                   ("most_runs", "integer"), ("accuracy", "number"), ("aopd", "number"), ("mopd", "number"),
                                   ("stl_aopd", "number"), ("stl_mopd", "number")], groups),
        "tasks": Table(f"tasks of the first {MOST} groups", [("group", "integer"), ("task", "integer"), ("accuracy", "number"),
                                                             ("opd", "number")], tasks)})
