"""Main effects of settings, two settings at a time, and whether the best value is at the end of its grid."""

import itertools

import numpy as np
import pandas

from ...ranking import number, owner
from ..view import NoData, Table, View

MOST_VALUES, MOST_CELLS = 40, 12000


def view(sweep):
    """Tables `main`, `pairs` and `edges`. A setting of a component is looked at within that component alone."""
    usable = sweep.ranked[np.isfinite(sweep.ranked["selected"].astype(float))]
    factors = _factors(sweep, usable)
    if not factors:
        raise NoData("no setting has two values among the points that have results")
    main, pairs = [], []
    for name, column, mask in factors:
        for value, part in _by(usable.loc[mask, [column, "selected"]], column):
            main.append([name, value, len(part), part["selected"].mean(), _best(sweep, part), part["selected"].std(ddof=1)])
    left = 0
    for (one, first, mask), (other, second, mask2) in itertools.combinations(factors, 2):
        if first == second or not (mask & mask2).any():
            continue   # the same setting of two components
        both = usable.loc[mask & mask2, [first, second, "selected"]]
        told = both.groupby([first, second])["selected"].agg(["size", "mean", "max" if sweep.maximise else "min"])
        cells = [[one, other, number(a), number(b), int(size), mean, best] for (a, b), size, mean, best in told.itertuples()]
        if len({cell[2] for cell in cells}) > 1 and len({cell[3] for cell in cells}) > 1:
            if len(pairs) + len(cells) > MOST_CELLS:
                left += 1
            else:
                pairs += cells
    shown = (f"Every value of a setting: {sweep.selected_on} (what selects; mean over seeds) of the points that have it, as mean "
             f"and {'highest' if sweep.maximise else 'lowest'} over these points; `setting | component` is over points with that "
             "component alone. Other settings are not held fixed, and points differ in n: a description, no test. A value of a chosen "
             "point at an end of its grid is flagged: the best may lie outside.")
    notes = _flags(edges := _edges(sweep, factors))
    notes += [f"left out {left} pairs of settings: too many cells"] if left else []
    return View("Main effects and pairs of settings", shown, {
        "edges": Table("where chosen points stand in the grid of each numeric setting", [
            ("point", "point"), ("setting", "text"), ("value", "number"), ("lowest", "number"), ("highest", "number"),
            ("values", "integer"), ("edge", "text")], edges),
        "main": Table("main effects", [("setting", "text"), ("value", "text"), ("points", "integer"), ("mean", "number"),
                                       ("best", "number"), ("sd", "number")], main),
        "pairs": Table("pairs", [("first", "text"), ("second", "text"), ("first_value", "text"), ("second_value", "text"),
                                 ("points", "integer"), ("mean", "number"), ("best", "number")], pairs)},
        {"maximise": sweep.maximise, "variable": sweep.selected_on}, notes)


def _factors(sweep, usable):
    """[(name, column, mask of points that it is over)] of settings with two values or more there."""
    found = []
    for dotted, column in sweep.telling.items():
        if column not in usable:
            continue
        has = usable[column].notna() & (usable[column] != "")
        inside = owner(dotted, sweep.known)
        parts = [(dotted, has)] if inside is None or inside not in usable else [
            (f"{dotted} | {value}", has & (usable[inside] == value)) for value in dict.fromkeys(usable.loc[has, inside])]
        found += [(name, column, mask) for name, mask in parts if 1 < usable.loc[mask, column].nunique() <= MOST_VALUES]
    return found


def _by(frame, column):
    """(value as text, rows) for every value, numbers in their order."""
    return [(number(value), part) for value, part in frame.groupby(column)]


def _best(sweep, part):
    return part["selected"].max() if sweep.maximise else part["selected"].min()


def _edges(sweep, factors):
    rows = []
    for index, one in enumerate(sweep.chosen):
        for name, column, mask in factors:
            group = sweep.ranked.loc[mask.index[mask]]
            if one.row["group"] not in set(group["group"]) or not pandas.api.types.is_numeric_dtype(group[column]):
                continue
            grid, value = np.unique(group[column].to_numpy(dtype=float)), float(one.row[column])
            edge = "lowest" if value == grid[0] else "highest" if value == grid[-1] else "inside"
            rows.append([index, name, value, grid[0], grid[-1], len(grid), edge])
    return rows


def _flags(edges):
    """A sentence for the best point of all."""
    first = [row for row in edges if row[0] == 0 and row[-1] != "inside" and row[5] > 2]
    return [f"the best point has {row[1]} = {number(row[2])}, the {row[6]} of {row[5]} values: try beyond it" for row in first]
