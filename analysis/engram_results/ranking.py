"""Points (one combination of settings) and what `engram rank` says of them."""

import numpy as np
import pandas

from . import program
from .files import ResultError, as_list, settings, varies
from .frames import gather

FIGURES = ("rank", "selected", "selected_ci", "selected_n", "reported", "reported_ci", "n", "planned",
           "fresh", "diverged", "stopped", "skipped", "in_sweep")


def points(datasets, by=None, report=None, interval="student"):
    """A row per point, in the order of `engram top`: settings, then

    selected, selected_ci, selected_n: mean and half interval of the objective over the seeds that choose;
    reported, reported_ci, n, planned: those of the variable `report`, over fresh seeds where `select`
    gave the point some (fresh), else over the same; diverged, stopped, skipped: trials of all its seeds;
    in_sweep: False if an edit of the sweep removed it; selected_on and reported_on: what these are.

    `by`: settings that make up a point, dotted or as columns; default: those the sweep varied.
    `report`: default: the objective's variable, as recorded. `interval`: student or paper.
    """
    frame, varied = gather(datasets)
    columns = list(varied.values()) if by is None else resolve(datasets, by)
    return _summary(datasets, frame, columns, report, interval)


def best_points(datasets, by=(), report=None, interval="student"):
    """The best point for every combination of the settings in `by`; the best of all without `by`."""
    frame, varied = gather(datasets)
    chosen = resolve(datasets, by)
    everything = chosen + [c for c in varied.values() if c not in chosen]
    ranked = _summary(datasets, frame, everything, report, interval)
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


def variable(datasets):
    """The variable behind the objective, as the file says; final_accuracy if it does not say."""
    return str(as_list(datasets)[0]["objective"].attrs.get("objective", "final_accuracy"))


def selecting_data(frame):
    """Which data select: `validation`, `test`, `first 3 tasks`; several where the files differ."""
    if "protocol" not in frame:
        return ""
    names = frame["protocol"].astype(str)
    if "protocol_k" in frame:
        tasks = [f"first {number(k)} task{'' if k == 1 else 's'}" for k in frame["protocol_k"]]
        names = names.where(names != "first_tasks", tasks)
    return " or ".join(dict.fromkeys(names))


def _summary(datasets, frame, columns, report, interval):
    objective = variable(datasets)
    # A file that does not hold its objective's variable holds the objective.
    report = report or (objective if objective in frame else "objective")
    if report not in frame:
        raise ResultError(f"no variable `{report}` over trials in the file")
    groups = group_ids(frame, columns)
    answer = program.rank({
        "variable": objective, "report": objective if report == "objective" else report,
        "goal": "maximise" if maximise(datasets) else "minimise", "interval": interval,
        "trials": {"point": groups.tolist(), "status": frame["status"].tolist(),
                   "stage": stages(frame).tolist(),
                   "selected": _values(frame["objective"]), "reported": _values(frame[report])}})
    first = pandas.Series(groups).drop_duplicates()
    place = dict(zip(first, first.index))
    selected_on = _selected_on(objective, answer["variable_data"], frame)
    names = {"selected_on": selected_on,
             "reported_on": selected_on if report == "objective" else _reported_on(report, answer["report_data"])}
    rows = [{**{column: frame[column].iloc[place[point["point"]]] for column in columns},
             "group": point["point"], **_numbers(point), **names} for point in answer["points"]]
    return pandas.DataFrame(rows, columns=list(columns) + ["group", *FIGURES, *names])


def _selected_on(objective, measured, frame):
    """What is not measured on test data (a training loss) is what it is, whatever data the protocol lets select."""
    data = selecting_data(frame) if measured == "test" else measured
    return objective + (f" ({data})" if data else "")


def _reported_on(report, measured):
    return f"{report} (as recorded{f', on {measured} data' if measured else ''})"


def _numbers(point):
    selected, reported = point["selected"], point["reported"]
    return {"rank": point["rank"],
            "selected": _number(selected["mean"]), "selected_ci": _number(selected["interval"]),
            "selected_n": selected["n"],
            "reported": _number(reported["mean"]), "reported_ci": _number(reported["interval"]),
            "n": reported["n"], "planned": reported["planned"], "fresh": reported["fresh"],
            "diverged": point["diverged"], "stopped": point["stopped"],
            "skipped": point["skipped"], "in_sweep": point["in_sweep"]}


def _number(value):
    return np.nan if value is None else value


def _values(column):
    return [None if value != value else float(value) for value in column]


def stages(frame):
    """The stage of every trial; files from before there were any hold first stages."""
    return frame["stage"].to_numpy(dtype=int) if "stage" in frame else np.ones(len(frame), dtype=int)


def reporting(frame, row):
    """Which rows of the frame are trials that report the point of a row."""
    return stages(frame) == (2 if row["fresh"] else 1 if row["in_sweep"] else 0)


def telling(datasets):
    """{dotted name: column} of the settings worth showing: those with more than one value among the
    points that chose the same component. (lr may differ between two optimizers and yet tell nothing
    that their names do not.)"""
    frame, varied = gather(datasets)
    known = {}
    for ds in as_list(datasets):
        known.update(settings(ds))
    return {dotted: column for dotted, column in varied.items()
            if _varies_within(frame, column, owner(dotted, known))}


def owner(dotted, known):
    """The column of the component that a setting belongs to: `optimizer` for `optimizer.lr`."""
    while "." in dotted:
        dotted = dotted.rsplit(".", 1)[0]
        if dotted in known:
            return known[dotted]
    return None


def _varies_within(frame, column, inside):
    has = frame[frame[column].notna() & (frame[column] != "")]
    parts = [has] if inside is None else [part for _, part in has.groupby(inside)]
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
