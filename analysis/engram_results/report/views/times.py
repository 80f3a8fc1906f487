"""How long trials took, by method."""

import numpy as np

from ..view import NoData, Table, View


def view(sweep):
    """Table `times`: wall time of trials that ran to their end."""
    if "wall_seconds" not in sweep.frame:
        raise NoData("the files hold no times of trials")
    method = dict(zip(sweep.ranked["group"], sweep.ranked["method"]))
    ran = sweep.frame[sweep.frame["status"].isin(("done", "diverged")) & sweep.frame["wall_seconds"].notna()]
    if ran.empty:
        raise NoData("no trial has finished yet")
    rows = []
    for name, part in ran.groupby(ran["group"].map(method)):
        seconds = part["wall_seconds"].to_numpy(dtype=float)
        rows.append([name, len(seconds), seconds.sum(), seconds.mean(), *np.quantile(seconds, (0, 0.25, 0.5, 0.75, 1))])
    rows.sort(key=lambda row: -row[6])
    seconds = ran["wall_seconds"].to_numpy(dtype=float)
    shown = (f"Wall time of every trial that ended by itself (done or diverged), all points of a method, no selection: "
             f"{len(seconds)} trials, {seconds.sum():.6g} s together. Quartiles are linear between values. Times depend on the "
             "machine and on what else ran.")
    return View("Time per trial", shown, {"times": Table("seconds by method", [
        ("method", "text"), ("trials", "integer"), ("total", "number"), ("mean", "number"), ("least", "number"),
        ("quarter", "number"), ("median", "number"), ("three_quarters", "number"), ("most", "number")], rows)})
