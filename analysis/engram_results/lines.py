"""What the lines of a figure are made of: groups of trials, their curves, and what is left out."""

import dataclasses

import matplotlib
import numpy as np
import pandas

from . import published
from .files import FINISHED, ResultError, as_list, settings
from .frames import curves, gather
from .ranking import describe, first_of_each, group_ids, points, reporting, telling

UNFINISHED = ("stopped", "paused")  # they have curves up to where they went
FILE_STRIDE = 10 ** 8  # trial t of file f has the number f * FILE_STRIDE + t

# --x of the command: {name: (column of a frame, label)}
AXES = {"steps": ("step", "minibatches"),
        "examples": ("examples_seen", "training examples"),
        "evaluations": ("evaluation", "evaluations")}


@dataclasses.dataclass(eq=False)
class Line:
    """A row of a ranking, its trials that finished, those that went a part of the way, and how they are
    drawn."""

    row: object
    label: str
    colour: object
    finished: tuple
    unfinished: tuple


def colour(index):
    """Twenty colours: ten strong ones, then a lighter one of each."""
    return matplotlib.colormaps["tab20"].colors[(2 * index) % 20 + (index // 10) % 2]


def point_lines(datasets, ranked, most):
    """(lines, notes): a line for each of the first `most` points of a ranking that have finished trials;
    the notes are sentences about points that are not drawn."""
    shown = _shown(datasets, ranked)
    groups = _Groups(datasets, _setting_columns(datasets, ranked))
    usable = ranked[ranked["n"] > 0]
    lines = [groups.line(row, describe(row, shown) or "all trials", colour(index))
             for index, (_, row) in enumerate(usable.head(most).iterrows())]
    notes = []
    if len(usable) > most:
        notes.append(f"left out {_count(len(usable) - most, 'point')}: the best {most} are drawn")
    empty = [row for _, row in ranked[ranked["n"] == 0].iterrows()
             if not groups.line(row, "", "").unfinished]
    if empty:
        notes.append(f"left out {_count(len(empty), 'point')}: no trial has a result "
                     f"({groups.status(empty)})")
    return lines, notes


def best_lines(datasets, names):
    """(lines, notes): the best point for every combination of the settings `names`, best first."""
    ranked = _points_by(datasets, names)
    columns = [column for name, column in _variables(datasets).items() if name in names]
    keys = (ranked[columns].astype(str).agg(", ".join, axis=1) if columns
            else pandas.Series("", ranked.index))
    shown = _shown(datasets, ranked)
    return _family_lines(datasets, ranked, keys, list(dict.fromkeys(keys)),
                         lambda row, _: describe(row, shown))


def method_lines(datasets):
    """(lines, notes): the best point of every method in the files. Methods are those of the class-incremental
    comparison; what is none of them is told apart by learner, model and activation."""
    entries = published.class_incremental()["rows"]
    variables = _variables(datasets)
    wanted = {name for entry in entries for alternative in entry["match"] for name in alternative}
    ranked = _points_by(datasets, sorted(wanted | {"stream.epochs", "model.activation"}))
    keys = pandas.Series([_method(row, variables, entries) for _, row in ranked.iterrows()],
                         ranked.index, dtype=object)
    known = [entry["label"] for entry in entries]
    order = sorted(dict.fromkeys(keys),
                   key=lambda name: known.index(name) if name in known else len(known))
    lines, notes = _family_lines(datasets, ranked, keys, order, lambda _, name: name)
    for name in order:
        notes += _other_epochs(ranked[keys == name], variables.get("stream.epochs"), name)
    return lines, notes


def _method(row, variables, entries):
    for entry in entries:
        if published.matches(row, variables, entry["match"]):
            return entry["label"]
    # Not one of the comparison: another dataset, say, or another activation.
    parts = [str(row[variables[name]]) for name in ("learner", "model", "model.activation")
             if name in variables and variables[name] in row and row[variables[name]]]
    return ", ".join(parts) or "all trials"


def _other_epochs(family, column, name):
    """A method with several numbers of epochs is drawn with the best one."""
    if column is None:
        return []
    best = first_of_each(family[family["n"] > 0], [column])
    return [f"left out {name} with {row[column]:g} epochs per task ({row['reported']:.3f}): it is drawn "
            f"with {best.iloc[0][column]:g} ({best.iloc[0]['reported']:.3f})"
            for _, row in best.iloc[1:].iterrows()]


def _points_by(datasets, names):
    """All points, told apart by these settings too where the files have them, best first."""
    variables = _variables(datasets)
    columns = [variables[name] for name in names if name in variables]
    varied = gather(datasets)[1].values()
    return points(datasets, by=columns + [column for column in varied if column not in columns])


def _family_lines(datasets, ranked, keys, order, label):
    groups = _Groups(datasets, _setting_columns(datasets, ranked))
    lines, notes = [], []
    for key in order:
        family = ranked[keys == key]
        row = groups.best(family)
        line = groups.line(row, label(row, key) or "all trials", colour(len(lines)))
        if line.finished or line.unfinished:
            lines.append(line)
        else:
            rows = [row for _, row in family.iterrows()]
            notes.append(f"left out {key}: no trial has a result ({groups.status(rows)})")
    if not lines:
        raise ResultError("no trial has finished yet")
    return lines, notes


class _Groups:
    """The trials of every point of a ranking over `columns`."""

    def __init__(self, datasets, columns):
        self._frame = gather(datasets)[0]
        self._ids = group_ids(self._frame, columns)
        self._reached = np.zeros(len(self._frame))
        for index, ds in enumerate(as_list(datasets)):
            if "accuracy" in ds.variables:
                here = (self._frame["file"] == index).values
                measured = np.isfinite(ds["accuracy"].values).sum(axis=1)
                self._reached[here] = measured[self._frame["position"].values[here]]

    def line(self, row, label, colour_):
        """The line of a point: of the seeds that report it."""
        members = self._frame[(self._ids == row["group"]) & reporting(self._frame, row)]
        numbers = members["file"] * FILE_STRIDE + members["position"]
        finished = tuple(numbers[members["status"].isin(FINISHED)])
        unfinished = tuple(numbers[members["status"].isin(UNFINISHED)])
        extent = f"n = {len(finished)}" + (f", {len(unfinished)} stopped" if unfinished else "")
        return Line(row, f"{label} ({extent})", colour_, finished, unfinished)

    def best(self, ranked):
        """The best row of a ranking; if no trial of any has finished, the one whose trials went furthest."""
        if (ranked["n"] > 0).any():
            return ranked[ranked["n"] > 0].sort_values("rank").iloc[0]
        reached = [self._reached[self._ids == group].sum() for group in ranked["group"]]
        return ranked.iloc[int(np.argmax(reached))]

    def status(self, rows):
        """How the trials of some points stand: "3 pending, 1 failed"."""
        groups = [row["group"] for row in rows]
        found = self._frame[np.isin(self._ids, groups)]["status"].value_counts()
        return ", ".join(f"{number} {name}" for name, number in found.items())


def _variables(datasets):
    known = {}
    for ds in as_list(datasets):
        known.update(settings(ds))
    return known


def _setting_columns(datasets, ranked):
    known = _variables(datasets).values()
    return [column for column in ranked.columns if column in known]


def _shown(datasets, ranked):
    return {dotted: column for dotted, column in telling(datasets).items() if column in ranked}


def _count(number, noun):
    return f"{number} {noun}" + ("" if number == 1 else "s")


def labelled(datasets, name, lines, statuses=FINISHED):
    """The curve `name` of the trials with these statuses; `line` is the index of the line that a trial
    belongs to, -1 if it belongs to none."""
    owner = {trial: index for index, line in enumerate(lines)
             for trial in line.finished + line.unfinished}
    frames = []
    for index, ds in enumerate(as_list(datasets)):
        frame = curves(ds, name, statuses)
        frames.append(frame.assign(trial=frame["trial"] + index * FILE_STRIDE))
    frame = pandas.concat(frames, ignore_index=True)
    if "eval" in frame:
        frame["evaluation"] = frame["eval"] + 1
    return frame.assign(line=[owner.get(trial, -1) for trial in frame["trial"]])


def phase_ends(datasets, column):
    """{(trial, phase): value of `column` (see AXES) at the last evaluation of the phase}."""
    ends = {}
    for index, ds in enumerate(as_list(datasets)):
        need(ds, "phase", *([] if column == "evaluation" else [column]))
        phase = ds["phase"].values
        position = (np.broadcast_to(np.arange(1, phase.shape[1] + 1), phase.shape)
                    if column == "evaluation" else ds[column].values)
        for trial, place in zip(*np.nonzero(np.isfinite(phase))):
            ends[trial + index * FILE_STRIDE, int(phase[trial, place])] = position[trial, place]
    return ends


def need(ds, *names):
    """Refuses a file without these variables."""
    for name in names:
        if name not in ds.variables:
            raise ResultError(f"the file has no variable `{name}`, which this axis needs")
