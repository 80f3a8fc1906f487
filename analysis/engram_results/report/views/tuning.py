"""What tuning costs: the expected best of every method after so many points."""

import numpy as np

from ...statistics import expected_best
from ..view import NoData, Table, View

STEPS = 40


def view(sweep):
    """Table `curve`, a row per method and number of tried points."""
    usable = sweep.ranked[np.isfinite(sweep.ranked["selected"].astype(float)) & np.isfinite(sweep.ranked["reported"].astype(float))]
    rows = []
    for method in dict.fromkeys(one.row["method"] for one in sweep.chosen):
        points = usable[usable["method"] == method]
        count = len(points)
        selected, reported = (points[name].to_numpy(dtype=float) for name in ("selected", "reported"))
        for k in sorted({int(round(k)) for k in np.geomspace(1, count, STEPS)}) if count > 1 else ():
            rows.append([method, k, expected_best(selected, k, reported, sweep.maximise), count])
    if not rows:
        raise NoData("no method has two points with results")
    shown = (f"Expected value of {sweep.reported_on} of the best of k points drawn at random, with replacement, from all points of a method, chosen by "
             f"{sweep.selected_on} (means over seeds): what a search of k points would have found. At the right end stand all points of the method.")
    return View("Tuning curve", shown, {"curve": Table("expected best of k points", [
        ("method", "text"), ("k", "integer"), ("expected", "number"), ("points", "integer")], rows)}, {"variable": sweep.variable})
