"""Points of a sweep with all their runs, curve by curve, and comparisons of them seed by seed.

Trials are grouped into points by all settings that differ among them. Runs with the same seed had the same stream
whatever the learner, so learners are compared seed by seed.
"""

import dataclasses
import math

import numpy as np

from .files import ResultError, as_list, settings
from .frames import gather
from .ranking import describe, group_ids

# Settings that change nothing of what a learner is.
NOT_THE_POINT = ("measures", "eval", "protocol")


@dataclasses.dataclass(eq=False)
class Point:
    """All finished runs of one combination of settings."""

    problem: str
    method: str
    settings: dict   # {dotted name: value}
    label: str       # method, and the settings that tell it from others of its method
    seeds: list
    diverged: int    # runs that ended so, which are not among those of `seeds`
    _places: list    # [(dataset, position)] of every seed

    @property
    def n(self):
        """Number of runs."""
        return len(self.seeds)

    @property
    def places(self):
        """[(dataset, position along `trial`)] of every seed."""
        return self._places

    def get(self, name, missing=None):
        """A setting by its dotted name; `missing` if the point does not have it."""
        value = self.settings.get(name)
        return missing if value is None or value != value or value == "" else value

    def near(self, name, wanted):
        """Whether a setting is this number."""
        value = self.get(name)
        return value is not None and math.isclose(float(value), wanted, rel_tol=1e-6)

    def everywhere(self, name, wanted):
        """Whether all runs had this word for a setting, also one that makes no other point."""
        return all(name in settings(ds) and ds[settings(ds)[name]].values[at] == wanted for ds, at in self._places)

    def has(self, name):
        """Whether all runs measured the curve `name`."""
        return all(name in ds.variables and np.isfinite(_row(ds, name, at)).any()
                   for ds, at in self._places)

    def scalar(self, name):
        """[runs]: a number that every run ended with."""
        missing = [ds for ds, _ in self._places if name not in ds.variables]
        if missing:
            raise ResultError(f"{self.label}: not every run has measured `{name}`")
        return np.array([float(ds[name].values[at]) for ds, at in self._places])

    def curve(self, name):
        """[runs, bins]: the curve `name` of every run, to the last bin that all have."""
        runs = self.each(name)
        return np.stack([row[:min(map(len, runs))] for row in runs])

    def each(self, name):
        """The curve `name` of every run, [bins] or [bins, …], to its last bin with a value."""
        if not self.has(name):
            raise ResultError(f"{self.label}: not every run has measured `{name}`")
        rows = [_row(ds, name, at) for ds, at in self._places]
        return [row[:np.nonzero(np.isfinite(row))[0][-1] + 1] for row in rows]


def _row(ds, name, at):
    return _values(ds, name)[at] if ds[name].ndim >= 2 else np.array([np.nan])


def _values(ds, name):
    # Read once: opening one row at a time is slow in files of thousands of trials.
    cache = ds.attrs.setdefault("_read", {})
    if name not in cache:
        cache[name] = ds[name].values.astype(float)
    return cache[name]


def find(datasets, problems, method_of, problem=None):
    """All points with a finished run, of one problem or of all; files may share trials.

    problems: {stream: problem}. method_of(get, problem): the method of a trial; `get` gives a setting by its dotted
    name, or None.
    """
    datasets = as_list(datasets)
    frame, _ = gather(datasets)
    names = {}
    for ds in datasets:
        names.update(settings(ds))
    if "stream" not in names:
        raise ResultError("the file has no setting `stream`")
    frame = frame[frame["status"].isin(("done", "diverged"))]
    frame = frame.assign(_problem=[problems.get(name) for name in frame[names["stream"]]])
    found = []
    for key, part in frame.groupby("_problem"):
        if problem in (None, key):
            found += _points(datasets, part, names, key, method_of)
    return found


def _points(datasets, frame, names, problem, method_of):
    telling = {dotted: column for dotted, column in names.items()
               if dotted.split(".")[0] not in NOT_THE_POINT and not dotted.endswith(".path")}
    found = []
    for _, part in frame.groupby(group_ids(frame, list(telling.values()))):
        row = part.iloc[0]
        chosen = {dotted: row[column] for dotted, column in telling.items()}
        done = part[part["status"] == "done"].sort_values("seed").drop_duplicates("seed")
        method = method_of(lambda name, row=chosen: None if row.get(name) != row.get(name)
                           or row.get(name) == "" else row.get(name), problem)
        places = [(datasets[file], at) for file, at in zip(done["file"], done["position"])]
        found.append(Point(problem, method, chosen, method, done["seed"].tolist(),
                           int((part["status"] == "diverged").sum()), places))
    for point in found:
        family = [other for other in found if other.method == point.method]
        differ = {dotted: dotted for dotted in telling
                  if len({str(other.settings[dotted]) for other in family}) > 1}
        words = describe({name: point.settings[name] for name in differ}, differ) if differ else ""
        point.label = f"{point.method} {words}".strip()
    return found


def standard_error(values):
    """Of the mean over the first axis, divisor n - 1; NaN for one run."""
    values = np.asarray(values, dtype=float)
    if values.shape[0] < 2:
        return np.full(values.shape[1:], np.nan)
    return values.std(axis=0, ddof=1) / np.sqrt(values.shape[0])


def lead(point, other, values):
    """[seeds of both]: values(point) less values(other), both [runs]."""
    seeds = [seed for seed in point.seeds if seed in other.seeds]
    return (values(point)[[point.seeds.index(seed) for seed in seeds]]
            - values(other)[[other.seeds.index(seed) for seed in seeds]])


def paired(point, other, name):
    """[seeds of both, bins]: the curve of `point` less that of `other`, of the same streams."""
    seeds = [seed for seed in point.seeds if seed in other.seeds]
    mine = point.curve(name)[[point.seeds.index(seed) for seed in seeds]]
    theirs = other.curve(name)[[other.seeds.index(seed) for seed in seeds]]
    bins = min(mine.shape[1], theirs.shape[1])
    return mine[:, :bins] - theirs[:, :bins]
