"""Many runs at once: interquartile means and performance profiles of chosen points."""

import numpy as np

from ...statistics import bootstrap, interquartile_mean, performance_profile
from ..view import POINT, NoData, Table, View
from .paired import by_seed

MOST_POINTS, THRESHOLDS, RESAMPLES = 12, 51, 2000


def view(sweep):
    """Tables `aggregates` and `profiles`; runs are seeds, strata streams."""
    runs = [(index, values) for index, values in ((index, by_seed(sweep, one)) for index, one in enumerate(sweep.chosen[:MOST_POINTS]))
            if len(values) > 1] if "seed" in sweep.frame else []
    if len(runs) < 2:
        raise NoData("no two chosen points have two runs or more")
    every = np.concatenate([list(values.values()) for _, values in runs])
    thresholds = np.linspace(every.min(), every.max(), THRESHOLDS)
    aggregates, profiles = [], []
    for index, values in runs:
        values = np.array([values[seed] for seed in sorted(values)])
        middle = bootstrap(values, interquartile_mean, resamples=RESAMPLES)
        aggregates.append([index, len(values), values.mean(), middle.estimate, middle.low, middle.high, float(np.median(values))])
        found = performance_profile(values, thresholds, maximise=sweep.maximise, resamples=RESAMPLES)
        profiles += [[index, *line] for line in zip(found.thresholds, found.share, found.low, found.high)]
    few = min(len(values) for _, values in runs)
    shown = (f"{sweep.who[0].upper() + sweep.who[1:]} (at most {MOST_POINTS}), selected on {sweep.selected_on}; the runs are values of {sweep.reported_on}, "
             f"a seed each. IQM: mean of the middle half of the runs. Profile: the share of runs {'above' if sweep.maximise else 'below'} a threshold. "
             f"Intervals and bands: 95 % percentile bootstrap over runs within a point, {RESAMPLES} resamples.")
    return View("Interquartile means and performance profiles", shown, {
        "aggregates": Table("aggregates", [("point", POINT), ("runs", "integer"), ("mean", "number"), ("iqm", "number"), ("low", "number"),
                                           ("high", "number"), ("median", "number")], aggregates),
        "profiles": Table("profiles", [("point", POINT), ("threshold", "number"), ("share", "number"), ("low", "number"), ("high", "number")],
                          profiles)}, {"variable": sweep.variable},
        [f"as few as {few} runs a point: bootstrap intervals are too short then; with fewer than 4 runs the IQM is the mean"] if few < 20 else [])
