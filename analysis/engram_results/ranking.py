"""Points (one combination of settings) and their means over seeds."""

import numpy as np
import pandas

from .files import FINISHED, ResultError, as_list, settings, varies
from .frames import gather


def half_width(values):
    """Half of the 95 % interval, 1.96 · population standard deviation / √n; NaN for a single run."""
    values = np.asarray(values, dtype=float)
    return 1.96 * values.std() / np.sqrt(values.size) if values.size > 1 else np.nan


def points(datasets, by=None, report="objective"):
    """A row per point, best first: settings, mean, ci, n (finished trials), skipped, planned.

    `by`: settings that make up a point, dotted or as columns; default: those the sweep varied.
    `report`: the variable behind mean and ci; the order is always that of the mean objective, which
    is what the sweep selects by. Diverged trials count: their objective is chance, and where they
    have no value of `report` the objective stands in.
    """
    frame, varied = gather(datasets)
    return _summary(frame, list(varied.values()) if by is None else resolve(datasets, by), report,
                    maximise(datasets))


def best_points(datasets, by=(), report="objective"):
    """The best point for every combination of the settings in `by`; the best of all without `by`."""
    frame, varied = gather(datasets)
    chosen = resolve(datasets, by)
    everything = chosen + [c for c in varied.values() if c not in chosen]
    ranked = _summary(frame, everything, report, maximise(datasets))
    return first_of_each(ranked[ranked["n"] > 0], chosen)


def first_of_each(ranked, columns):
    """The first row for every combination of the columns."""
    return ranked.drop_duplicates(columns or None, ignore_index=True) if columns \
        else ranked.head(1).reset_index(drop=True)


def resolve(datasets, names):
    """Column names for settings given as dotted names or as columns."""
    known = {}
    for ds in as_list(datasets):
        known.update(settings(ds))
    columns = []
    for name in names:
        if name not in known and name not in known.values():
            raise ResultError(f"no setting called `{name}` in the file; "
                              f"it has {', '.join(sorted(known))}")
        columns.append(known.get(name, name))
    return columns


def maximise(datasets):
    """Whether large objectives are good, as the file says; yes if it does not say."""
    return str(as_list(datasets)[0]["objective"].attrs.get("goal", "maximise")).startswith("max")


def group_ids(frame, columns):
    """A number per row that is equal for rows with equal settings, NaN being equal to NaN."""
    ids = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        codes, uniques = pandas.factorize(frame[column])
        ids = pandas.factorize(ids * (len(uniques) + 1) + codes + 1)[0]
    return ids


def _summary(frame, columns, report, large_is_good):
    if report not in frame:
        raise ResultError(f"no variable `{report}` over trials in the file")
    values = frame[report].where(frame[report].notna(), frame["objective"])
    rows = []
    for group, members in frame.groupby(group_ids(frame, columns), sort=True):
        finished = members.index[members["status"].isin(FINISHED)]
        score = frame.loc[finished, "objective"].astype(float)
        value = values[finished].astype(float)
        row = {column: members[column].iloc[0] for column in columns}
        row.update(group=group, mean=value.mean() if len(value) else np.nan, ci=half_width(value),
                   n=len(value), skipped=int(members["status"].isin(("skipped", "stopped")).sum()),
                   planned=len(members), score=score.mean() if len(score) else np.nan)
        rows.append(row)
    ranked = pandas.DataFrame(rows, columns=list(columns) + ["group", "mean", "ci", "n", "skipped",
                                                             "planned", "score"])
    ranked = ranked.sort_values("score", ascending=not large_is_good, kind="stable",
                                na_position="last", ignore_index=True)
    return ranked


def telling(datasets):
    """{dotted name: column} of the settings worth showing: those with more than one value among the
    points that chose the same component. (lr may differ between two optimizers and yet tell nothing
    that their names do not.)"""
    frame, varied = gather(datasets)
    known = {}
    for ds in as_list(datasets):
        known.update(settings(ds))
    return {dotted: column for dotted, column in varied.items()
            if _varies_within(frame, column, _owner(dotted, known))}


def _owner(dotted, known):
    """The column of the component that a setting belongs to: `optimizer` for `optimizer.lr`."""
    while "." in dotted:
        dotted = dotted.rsplit(".", 1)[0]
        if dotted in known:
            return known[dotted]
    return None


def _varies_within(frame, column, owner):
    has = frame[frame[column].notna() & (frame[column] != "")]
    parts = [has] if owner is None else [part for _, part in has.groupby(owner)]
    return any(varies(part[column]) for part in parts)


def describe(row, varied, without=()):
    """One short text for a point: words as they are, the rest as name=value; settings in `without`
    and settings the point does not have are left out."""
    shown = [dotted for dotted in varied if dotted not in without]
    ends = [dotted.rsplit(".", 1)[-1] for dotted in shown]
    parts = []
    for dotted, end in zip(shown, ends):
        value = row[varied[dotted]]
        if isinstance(value, str) and (value == "" or value.isidentifier()):
            parts.append(value)
        elif value == value:
            parts.append(f"{end if ends.count(end) == 1 else dotted}={number(value)}")
    return " ".join(part for part in parts if part)


def number(value):
    """A setting as a person would write it."""
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)
