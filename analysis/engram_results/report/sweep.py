"""What every view starts from: all trials of the files, their points as `engram top` ranks them, and the chosen points.

A chosen point is the best one of its method (see methods.py); where there are fewer methods than FEWEST, the next best
points of the ranking follow. At most MOST are chosen, which the page says.
"""

import dataclasses

import numpy as np

from .. import program
from ..files import FINISHED, settings
from ..frames import gather
from ..ranking import describe, first_of_each, group_ids, maximise, number, points, reporting, telling, variable
from . import methods

MOST, FEWEST = 60, 6
PARTLY = ("stopped", "paused")   # they have curves up to where they went


@dataclasses.dataclass(eq=False)
class Point:
    """A chosen point: its row in the ranking, and the rows in the frame of the trials that report it."""

    row: object
    label: str            # all settings that tell points apart
    name: str             # short: its method, and what tells it from other chosen points of that
    finished: np.ndarray
    partly: np.ndarray


class Sweep:
    """Files that are looked at together."""

    def __init__(self, paths, datasets, interval="student"):
        self.paths, self.datasets, self.interval = [str(path) for path in paths], list(datasets), interval
        self.frame, self.varied = gather(self.datasets)
        self.known = {}
        for ds in self.datasets:
            self.known.update(settings(ds))
        self.telling = telling(self.datasets)
        self.ranked = points(self.datasets, interval=interval)
        self.frame = self.frame.assign(group=group_ids(self.frame, list(self.varied.values())))
        self.maximise, self.variable = maximise(self.datasets), variable(self.datasets)
        self.selected_on, self.reported_on = ((str(self.ranked[name].iloc[0]) if len(self.ranked) else self.variable)
                                              for name in ("selected_on", "reported_on"))
        self._read, self._attributes, self._members = {}, {}, self.frame.groupby("group").indices
        # One trial of every point, {group: {column: value}}: for settings.
        first = self.frame.drop_duplicates("group")[["group", *self.known.values()]]
        self.example = dict(zip(first["group"], first.to_dict("records")))
        names, problems = methods.names(self, self.ranked), methods.problems(self, self.ranked)
        self.ranked = self.ranked.assign(problem=problems, method_alone=names, method=[
            f"{name} on {problem}" if problem else name for name, problem in zip(names, problems)])
        best = self._choose()
        self.chosen = [self._point(row, best[best["method"] == row["method"]]) for _, row in best.iterrows()]

    def _choose(self):
        usable = self.ranked[self.ranked["n"] > 0]
        best = first_of_each(usable, ["method"])
        self.methods = len(best)
        if len(best) < FEWEST:
            rest = usable[~usable["group"].isin(best["group"])]
            best = usable[usable["group"].isin([*best["group"], *rest["group"].head(FEWEST - len(best))])]
        return best.head(MOST)

    @property
    def who(self):
        """What the chosen points are, as a sentence says it."""
        if self.methods >= FEWEST:
            return f"the best point of each of {min(self.methods, MOST)} methods" + (
                f" (of {self.methods}: the best {MOST})" if self.methods > MOST else "")
        return "the best point of each method and the next best ones" if self.methods > 1 else "the best points"

    def _point(self, row, family):
        """A point of the ranking with its trials: those of the seeds that report it. family: chosen points of its method."""
        differ = {dotted: column for dotted, column in self.telling.items() if family[column].astype(str).nunique() > 1}
        members = self.frame.iloc[self._members[row["group"]]]
        members = members[reporting(members, row)]
        status = members["status"]
        method = "" if row["method_alone"] == methods.ALL else row["method"]
        name = f"{method} {describe(row, differ)}".strip() if len(family) > 1 else row["method"]
        return Point(row, describe(row, self.telling) or row["method"], name or row["method"], members.index[status.isin(FINISHED)].to_numpy(),
                     members.index[status.isin(PARTLY)].to_numpy())

    def settings_text(self, row):
        """All settings that the sweep varied and the point has: "optimizer.lr=0.1 …"."""
        return " ".join(f"{dotted}={number(row[column])}" for dotted, column in self.varied.items()
                        if column in row and row[column] == row[column] and row[column] != "")

    def has(self, name, dims=None):
        """Whether a file has the variable `name` (over these dimensions), with a value."""
        return any(name in ds.variables and (dims is None or ds[name].dims == dims) for ds in self.datasets)

    def attribute(self, name, attribute, missing=""):
        """An attribute of a variable, of the first file that has it."""
        if (name, attribute) not in self._attributes:
            self._attributes[name, attribute] = self._find_attribute(name, attribute)
        found = self._attributes[name, attribute]
        return missing if found is None else found

    def _find_attribute(self, name, attribute):
        return next((str(ds[name].attrs[attribute]) for ds in self.datasets
                     if name in ds.variables and attribute in ds[name].attrs), None)

    def values(self, name, trials):
        """[trials, …]: a variable of rows of the frame; NaN where a file does not have it or has fewer places."""
        parts = self.frame.loc[trials, ["file", "position"]].to_numpy(dtype=int).reshape(-1, 2)
        shape = max((self._array(name, file).shape[1:] for file in range(len(self.datasets))
                     if self._array(name, file) is not None), default=())
        kinds = {self._array(name, file).dtype for file in set(parts[:, 0]) if self._array(name, file) is not None}
        out = np.full((len(parts), *shape), np.nan, dtype=kinds.pop() if len(kinds) == 1 else float)
        for at, (file, position) in enumerate(parts):
            array = self._array(name, file)
            if array is not None:
                out[(at, *(slice(0, size) for size in array.shape[1:]))] = array[position]
        return out

    def _array(self, name, file):
        if (name, file) not in self._read:
            ds = self.datasets[file]
            values = ds[name].values if name in ds.variables and ds[name].dims[0] == "trial" else None
            self._read[name, file] = None if values is None else values if values.dtype.kind == "f" else values.astype(float)
        return self._read[name, file]

    def summary(self, values):
        """Mean, standard deviation (divisor n − 1), half width of the interval and n over the first axis, of what is not
        missing; all numbers in double precision."""
        values = np.asarray(values, dtype=float)
        known = np.isfinite(values)
        n = known.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(known, values, 0).sum(axis=0) / np.where(n > 0, n, np.nan)
            squares = np.where(known, (values - mean) ** 2, 0).sum(axis=0)
            deviation = np.sqrt(squares / np.where(n > 1, n - 1, np.nan))
        factors = np.array(program.factors(max(2, int(np.max(n, initial=0))), self.interval))
        return mean, deviation, deviation * factors[n], n

    @property
    def interval_words(self):
        """The interval, as a sentence names it."""
        return program.INTERVALS[self.interval]
