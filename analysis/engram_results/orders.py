"""What the order of tasks does to points: AOPD and MOPD over orders, by what tasks are.

With P[t, r], the accuracy on task t after the last task of order r, mean over runs, the disparity (OPD) of a task is
max_r P[t, r] - min_r P[t, r]; AOPD is its mean and MOPD its maximum over tasks (Yoon et al. 2020). The rule is that of
`engram top --orders`.
"""

import numpy as np
import pandas

from .files import ResultError, as_list, settings
from .frames import gather
from .ranking import group_ids, stages

ORDER = ("stream.order", "stream.task_order")
PROBLEM = ("stream", "dataset", "model")
FIGURES = ("accuracy", "aopd", "mopd")


def disparity(accuracy):
    """OPD of every task, AOPD and MOPD of accuracies [tasks, orders]; NaN where fewer than two orders have a value."""
    accuracy = np.asarray(accuracy, dtype=float)
    known = np.isfinite(accuracy)
    most = np.where(known, accuracy, -np.inf).max(axis=1)
    least = np.where(known, accuracy, np.inf).min(axis=1)
    opd = np.where(known.sum(axis=1) > 1, most - least, np.nan)
    return opd, opd.mean(), opd.max()


def over_orders(datasets):
    """A row per group of points that differ in the order of tasks alone, the most accurate first: its settings, then

    orders, least_runs, most_runs; accuracy, aopd, mopd as shares; stl_aopd and stl_mopd, those of learner stl on the same
    stream, dataset and model; opd and task_accuracy, arrays by task; P, [tasks, orders].
    """
    datasets = as_list(datasets)
    frame, varied = gather(datasets)
    columns = {dotted: column for dotted, column in varied.items() if dotted not in ORDER}
    orders = [varied[dotted] for dotted in ORDER if dotted in varied]
    frame = frame[stages(frame) > 0]
    frame = frame.assign(_stage=stages(frame), _point=group_ids(frame, [*columns.values(), *orders]))
    frame = frame[frame["_stage"] == frame.groupby("_point")["_stage"].transform("max")]
    rows = []
    for _, part in frame.groupby(group_ids(frame, list(columns.values()))):
        if part["_point"].nunique() > 1:
            rows.append({**{column: part[column].iloc[0] for column in columns.values()},
                         "learner_is_stl": _is_stl(datasets, part.iloc[0]), **_figures(datasets, part)})
    if not rows:
        raise ResultError("no points differ in the order of tasks alone (stream.order, stream.task_order)")
    found = pandas.DataFrame(rows).sort_values("accuracy", ascending=False, kind="stable", ignore_index=True)
    problem = [column for dotted, column in columns.items() if dotted.split(".")[0] in PROBLEM]
    return _beside_stl(found, problem).drop(columns="learner_is_stl")


def _figures(datasets, part):
    cells, runs = [], []
    for _, point in part.groupby("_point"):
        done = [_by_identity(datasets[file], at) for file, at, status
                in zip(point["file"], point["position"], point["status"]) if status == "done"]
        done = [row for row in done if row is not None]
        runs.append(len(done))
        if done:
            cells.append(np.mean(done, axis=0))
    if not cells:
        return {"orders": len(runs), "least_runs": 0, "most_runs": 0, **dict.fromkeys(FIGURES, np.nan)}
    values = np.stack(cells, axis=1)
    opd, mean, largest = disparity(values)
    return {"orders": len(runs), "least_runs": min(runs), "most_runs": max(runs), "accuracy": values.mean(),
            "aopd": mean, "mopd": largest, "opd": opd, "task_accuracy": values.mean(axis=1), "P": values}


def by_identity(point):
    """[tasks] of every run of a runs.Point: accuracy on each task after the last one, by what tasks are."""
    return [_by_identity(ds, at) for ds, at in point.places]


def _by_identity(ds, at):
    """[tasks]: the last row of the accuracy matrix of a trial, by what tasks are; None: it has none."""
    if "accuracy_matrix" not in ds.variables:
        return None
    matrix = ds["accuracy_matrix"].values[at].astype(float)
    matrix = matrix[np.isfinite(matrix).any(axis=1)]
    if len(matrix) == 0:
        return None
    last = matrix[-1][:np.nonzero(np.isfinite(matrix[-1]))[0][-1] + 1]
    identity = np.arange(len(last))
    if "task_identity" in ds.variables:
        given = ds["task_identity"].values[at][:len(last)]
        identity = given.astype(int) if np.isfinite(given).all() else identity
    out = np.full(len(last), np.nan)
    out[identity] = last
    return out


def _is_stl(datasets, row):
    names = settings(datasets[row["file"]])
    return any(row[column] == "stl" for dotted, column in names.items() if dotted.split(".")[0] == "learner")


def _beside_stl(found, problem):
    groups = group_ids(found, problem)
    beside = {name: [] for name in ("aopd", "mopd")}
    for group in groups:
        stl = found[(groups == group) & found["learner_is_stl"]]
        for name, values in beside.items():
            values.append(stl[name].iloc[0] if len(stl) else np.nan)
    return found.assign(stl_aopd=beside["aopd"], stl_mopd=beside["mopd"])
