"""Tidy data frames: a row per trial, or a row per point of a curve."""

import numpy as np
import pandas

from .files import FINISHED, STATUS_WORDS, ResultError, as_list, settings, swept, varies

# Variables over (trial, eval) that say where on a curve a point lies.
POSITIONS = ("step", "examples_seen", "phase")


def table(ds, finished=True):
    """A row per finished trial: settings, seed, status in words, objective and all other scalars.

    finished=False keeps every planned trial, with NaN where there is no result.
    """
    columns = {str(name): variable.values for name, variable in ds.variables.items()
               if variable.dims == ("trial",)}
    columns.setdefault("trial", np.arange(ds.sizes["trial"]))
    frame = pandas.DataFrame(columns)
    frame["status"] = [STATUS_WORDS[int(code)] for code in frame["status"]]
    first = ["trial", "status", "objective"]
    frame = frame[first + [name for name in frame.columns if name not in first]]
    return frame[frame["status"].isin(FINISHED)].reset_index(drop=True) if finished else frame


def curves(ds, name, statuses=FINISHED):
    """A row per measured value of the variable `name` in finished trials, or those with one of `statuses`
    (a stopped or paused trial has its curves up to there).

    Columns: trial, point, replicate and the swept settings, then the dimensions (eval, task; or
    train_task, eval_task for a matrix), step, examples_seen and phase where the curve runs over
    evaluations, and `value`.
    """
    if name not in ds.variables or ds[name].dims[0] != "trial" or ds[name].ndim < 2:
        known = [str(other) for other in ds.data_vars
                 if ds[other].ndim > 1 and ds[other].dims[0] == "trial"]
        raise ResultError(f"no curve called `{name}` in the file; it has {', '.join(known)}")
    values = ds[name].values
    # NaN is "not measured"; a diverged trial simply has fewer points.
    measured = np.nonzero(~np.isnan(values))
    frame = pandas.DataFrame(dict(zip(ds[name].dims, measured)))
    for position in POSITIONS:
        if "eval" in frame and position in ds.variables and ds[position].dims == ("trial", "eval"):
            frame[position] = ds[position].values[measured[0], measured[1]]
    frame["value"] = values[measured]
    trials = table(ds, finished=False)
    trials = trials[trials["status"].isin(statuses)]
    variables = settings(ds)
    keep = [c for c in ("point", "replicate") if c in trials] + [variables[n] for n in swept(ds)]
    trials = trials.assign(trial=_positions(ds, trials))
    merged = trials[["trial"] + keep].merge(frame, on="trial", how="inner")
    return merged.sort_values(list(ds[name].dims), ignore_index=True)


def _positions(ds, trials):
    """Index along the dimension for each row: `trial` may carry labels of its own."""
    if "trial" not in ds.variables:
        return trials["trial"]
    index = {label: position for position, label in enumerate(ds["trial"].values.tolist())}
    return [index[label] for label in trials["trial"].tolist()]


def gather(datasets):
    """All trials of one or several files in one frame, finished or not, and the settings that tell
    their points apart: (frame, {dotted name: column}).

    A trial found in several files (same trial_id) counts once. `file` and `position` say where a row is
    from: the index of its dataset, and along `trial` in it.
    """
    datasets = as_list(datasets)
    frame = pandas.concat(
        [table(ds, finished=False).assign(file=index, position=np.arange(ds.sizes["trial"]))
         for index, ds in enumerate(datasets)], ignore_index=True)
    if "trial_id" in frame and len(datasets) > 1:
        # A finished copy is worth more than one that is still planned elsewhere.
        order = frame["status"].isin(FINISHED).sort_values(ascending=False, kind="stable").index
        frame = frame.loc[order].drop_duplicates("trial_id").sort_index(ignore_index=True)
    columns, between = {}, set()
    for ds in datasets:
        columns.update(settings(ds))
        between.update(swept(ds))
    for dotted, column in columns.items():
        if frame[column].dtype == object:
            frame[column] = frame[column].fillna("")
        # Settings that one file fixes to another value than the next also tell points apart.
        if len(datasets) > 1 and varies(frame[column]) and not dotted.endswith(".path"):
            between.add(dotted)
    return frame, {dotted: column for dotted, column in columns.items() if dotted in between}
