"""A small result file in format 1, with numbers that can be checked by hand."""

import numpy as np
import xarray

STATUS = {"pending": 0, "running": 1, "done": 2, "diverged": 3, "failed": 4, "skipped": 6,
          "paused": 7, "stopped": 8}
PLAIN = ("seed", "message", "wall_seconds")   # of a trial, and no settings


def trial(activation, optimizer, objective, status="done", **more):
    """One trial; `more` are further settings by variable name. One that is stopped or paused has learned
    the first of two tasks, and was on its way to `objective`."""
    return {"model_activation": activation, "optimizer": optimizer, "stream": "split",
            "objective": objective, "status": STATUS[status], **more}


def dataset(trials, complete=True, attributes=None):
    """The dataset of some trials: 2 tasks, 4 evaluations."""
    names = [name for name in dict.fromkeys(key for row in trials for key in row)
             if name not in ("objective", "status", "stage", *PLAIN)]
    ds = xarray.Dataset(attrs={"format_name": "engram-results", "format_version": 1,
                               "title": "synthetic", "complete": int(complete),
                               **(attributes or {})})
    keys = [tuple(row.get(name) for name in names) for row in trials]
    points = list(dict.fromkeys(keys))
    count = len(trials)
    ds["status"] = ("trial", np.array([row["status"] for row in trials], dtype=np.uint8))
    partial = np.isin(ds["status"].values, (STATUS["paused"], STATUS["stopped"]))
    aim = np.array([row["objective"] for row in trials], dtype=float)
    for name in PLAIN:
        if any(name in row for row in trials):
            ds[name] = ("trial", np.array([row[name] for row in trials], dtype=object if name == "message" else None))
    if any("stage" in row for row in trials):
        ds["stage"] = ("trial", [row.get("stage", 1) for row in trials])
    ds["objective"] = ("trial", np.where(partial, np.nan, aim))
    ds["final_accuracy"] = ds["objective"].copy()
    ds["average_accuracy"] = ds["final_accuracy"].copy()
    ds["trial_id"] = ("trial", np.array([f"{hash((key, keys[:i].count(key))) % 2**64:016x}"
                                         for i, key in enumerate(keys)], dtype=object))
    ds["point"] = ("trial", [points.index(key) for key in keys])
    ds["replicate"] = ("trial", [keys[:i].count(key) for i, key in enumerate(keys)])
    for name in names:
        values = [row.get(name) for row in trials]
        words = any(isinstance(value, str) for value in values)
        column = np.array([("" if words else np.nan) if value is None else value
                           for value in values], dtype=object if words else float)
        ds[name] = ("trial", column)
        ds[name].attrs.update(parameter_name=dotted(name), swept=int(len(set(values)) > 1))
    finished = (ds["status"].values == 2) | (ds["status"].values == 3)
    reached = np.where(finished, 4, np.where(partial, 2, 0))
    curve = np.where(np.arange(4) < reached[:, None], aim[:, None] * np.array([0.25, 0.5, 0.75, 1.0]),
                     np.nan).astype(np.float32)
    ds["accuracy"] = (("trial", "eval"), curve)
    ds["loss"] = (("trial", "eval"), 1 - curve)
    ds["task_accuracy"] = (("trial", "eval", "task"), np.stack([curve, curve / 2], axis=2))
    ds["step"] = (("trial", "eval"), np.tile([10.0, 20.0, 30.0, 40.0], (count, 1)))
    ds["examples_seen"] = 64 * ds["step"]
    ds["phase"] = (("trial", "eval"), np.tile([0.0, 0.0, 1.0, 1.0], (count, 1)))
    matrix = np.full((count, 2, 2), np.nan, dtype=np.float32)
    matrix[:, 0, 0], matrix[:, 1, 0], matrix[:, 1, 1] = curve[:, 3], curve[:, 1], curve[:, 3]
    matrix[partial, 0, 0], matrix[partial, 1, 0] = aim[partial], np.nan
    ds["accuracy_matrix"] = (("trial", "train_task", "eval_task"), matrix)
    ds["objective"].attrs.update(objective="final_accuracy", goal="maximise")
    return ds.set_coords(names)


def dotted(name):
    """model_activation_z_k → model.activation.z_k"""
    for prefix in ("model_activation_", "model_of_", "model_", "optimizer_schedule_", "optimizer_", "stream_",
                   "dataset_", "learner_of_of_", "learner_of_", "learner_", "eval_"):
        if name.startswith(prefix):
            return prefix.replace("_", ".") + name[len(prefix):]
    return name


def write(path, trials, **options):
    """Writes the file and returns its path."""
    dataset(trials, **options).to_netcdf(path, engine="h5netcdf")
    return path
