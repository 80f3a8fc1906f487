"""Learning curves: mean and interval over seeds, a line per seed, the ends of tasks, and trials that were stopped."""

import numpy as np

from ..view import POINT, NoData, Table, View

# Over (trial, eval), or over (trial, bin) with its own place.
CURVES = (("accuracy", "step"), ("loss", "step"), ("validation_accuracy", "step"), ("online_accuracy", "online_examples"),
          ("online_loss", "online_examples"))
MOST_CURVES, MOST_POINTS = 3, 30
BUDGET = 12000        # values of a variable in the lines of seeds
OTHERS = 100          # stopped trials of points that are not shown
PLACES = ("step", "examples", "seconds")


def view(sweep):
    """Tables `mean` and `seeds`."""
    names = [(name, place) for name, place in CURVES if sweep.has(name) and sweep.has(place)]
    # First the curve that the objective is made of.
    names = sorted(names, key=lambda pair: pair[0] not in sweep.variable)[:MOST_CURVES]
    chosen = sweep.chosen[:MOST_POINTS]
    if not names or not chosen:
        raise NoData("no trial has a curve of accuracy or loss")
    mean, seeds, strides = [], [], {}
    for name, place in names:
        strides[name] = _add(sweep, chosen, name, place, mean, seeds)
    others = _stopped_elsewhere(sweep, names[0])
    kinds = [(place, "number") for place in PLACES]
    tables = {"mean": Table("mean over finished seeds", [("variable", "text"), ("point", POINT), ("position", "integer"), *kinds,
                                                         ("mean", "number"), ("half", "number"), ("n", "integer")], mean),
              "seeds": Table("every seed", [("variable", "text"), ("point", POINT), ("seed", "integer"), ("status", "text"),
                                            *kinds, ("value", "number")], seeds),
              "stopped": Table("stopped trials of other points", [("variable", "text"), ("trial", "integer"), *kinds,
                                                                  ("value", "number")], others),
              "ends": Table("ends of tasks", [("task", "integer"), *kinds], _ends(sweep, chosen))}
    notes = [f"{name}: {_ordinal(stride)} place of each curve and the last one" for name, stride in strides.items() if stride > 1]
    if len(sweep.chosen) > MOST_POINTS:
        notes.append(f"the first {MOST_POINTS} of {len(sweep.chosen)} chosen points")
    shown = (f"{sweep.who[0].upper() + sweep.who[1:]}: mean over finished seeds and the interval ({sweep.interval_words}) as a "
             f"band, every seed as a thin line; trials that were stopped end in a cross and are in no mean. Selected on "
             f"{sweep.selected_on}. Seconds are the time of the trial in proportion to its minibatches; vertical lines are ends "
             "of tasks.")
    labels = {name: sweep.attribute(name, "long_name", name) for name, _ in names}
    return View("Learning curves", shown, {name: table for name, table in tables.items() if table.rows},
                {"variables": labels}, notes)


def _add(sweep, chosen, name, place, mean, seeds):
    """Adds rows of one variable; returns the stride of places."""
    finished = [sweep.values(name, one.finished) for one in chosen]
    partly = [sweep.values(name, one.partly) for one in chosen]
    width = max(values.shape[1] for values in finished)
    lines = sum(len(values) for values in finished + partly)
    stride = max(1, -(-width * lines // BUDGET))
    for index, (one, values) in enumerate(zip(chosen, finished)):
        places = _places(sweep, name, place, one.finished)
        average, _, half, n = sweep.summary(values)
        with np.errstate(invalid="ignore"):
            where = [np.array([_mean(column) for column in axis.T]) for axis in places]
        for at in _kept(n > 0, stride):
            mean.append([name, index, int(at), *(axis[at] for axis in where), average[at], half[at], int(n[at])])
        for trials, rows, axes in ((one.finished, values, places),
                                   (one.partly, partly[index], _places(sweep, name, place, one.partly))):
            for trial, row, *axis in zip(trials, rows, *axes):
                seed, status = int(sweep.frame.at[trial, "seed"]) if "seed" in sweep.frame else 0, sweep.frame.at[trial, "status"]
                seeds += [[name, index, seed, status, *(x[at] for x in axis), row[at]]
                          for at in _kept(np.isfinite(row), stride)]
    return stride


def _places(sweep, name, place, trials):
    """[3][trials, places]: minibatches, examples and seconds."""
    if place == "step":
        steps = sweep.values("step", trials)
        examples = sweep.values("examples_seen", trials) if sweep.has("examples_seen") else np.full(steps.shape, np.nan)
    else:
        examples = sweep.values(place, trials)
        steps = examples / _each(sweep, trials, "stream_batch")
    last = _each(sweep, trials, "steps") if "steps" in sweep.frame else np.full((len(trials), 1), np.nan)
    with np.errstate(invalid="ignore"):
        last = np.where(np.isfinite(last), last, np.nanmax(np.where(np.isfinite(steps), steps, -np.inf), axis=1, initial=-np.inf,
                                                          keepdims=True))
        return steps, examples, steps / last * _each(sweep, trials, "wall_seconds")


def _each(sweep, trials, column):
    if column not in sweep.frame:
        return np.full((len(trials), 1), np.nan)
    return sweep.frame.loc[trials, column].to_numpy(dtype=float)[:, None]


def _mean(column):
    known = column[np.isfinite(column)]
    return known.mean() if known.size else np.nan


def _kept(known, stride):
    places = np.nonzero(known)[0]
    return places[(np.arange(len(places)) % stride == 0) | (np.arange(len(places)) == len(places) - 1)]


def _stopped_elsewhere(sweep, first):
    name, place = first
    shown = {trial for one in sweep.chosen for trial in one.partly}
    trials = [trial for trial in sweep.frame.index[sweep.frame["status"].isin(("stopped", "paused"))] if trial not in shown]
    trials = np.array(trials[:OTHERS], dtype=int)
    if not len(trials):
        return []
    values, places = sweep.values(name, trials), _places(sweep, name, place, trials)
    return [[name, int(trial), *(axis[at, step] for axis in places), values[at, step]]
            for at, trial in enumerate(trials) for step in _kept(np.isfinite(values[at]), 1)]


def _ends(sweep, chosen):
    """Where tasks end, by the first finished trial of the best point."""
    trials = next((one.finished[:1] for one in chosen if len(one.finished)), None)
    if trials is None or not sweep.has("phase"):
        return []
    phase = sweep.values("phase", trials)[0]
    axes = [axis[0] for axis in _places(sweep, "accuracy", "step", trials)]
    ends = [at for at in range(len(phase) - 1) if phase[at + 1] > phase[at]]
    ends += [int(np.nonzero(np.isfinite(phase))[0][-1])] if np.isfinite(phase).any() else []
    return [[int(phase[at]) + 1, *(axis[at] for axis in axes)] for at in ends] if len(ends) <= 20 else []


def _ordinal(stride):
    return "every second" if stride == 2 else f"every {stride}th"
