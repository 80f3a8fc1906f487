"""The main table of additive parameter decomposition: capacity, accuracy, AOPD and MOPD, measured next to published."""

import numpy as np
import pandas

from .alma import spread
from .apd import problems_of
from .files import ResultError
from .published import additive_decomposition

TITLE = ("Additive parameter decomposition: capacity, accuracy, AOPD and MOPD, in %, measured / published (accuracy: mean ± standard\n"
         "deviation over seeds; a method's best strengths by the objective)")
COLUMNS = ("capacity", "accuracy", "aopd", "mopd")


def compare(datasets):
    """A row per problem and method; published values beside those of CIFAR-100 at full size, and rows for methods that only they
    have."""
    rows = []
    for problem in problems_of(datasets):
        published = _published(problem)
        best = problem.best()
        for method in [*best, *(name for name in published if name not in best)]:
            rows.append({"problem": problem.name, "method": method, **_measured(best.get(method)),
                         **{f"published_{name}": value for name, value in
                            zip(COLUMNS, published.get(method, [np.nan] * len(COLUMNS)))}})
    if not rows:
        raise ResultError("no finished trials of tasks with a head each in several orders")
    return pandas.DataFrame(rows)


def _published(problem):
    whole = not problem.settings["dataset.limit"] and str(problem.settings["model.hidden"]) == "[800, 500]"
    return additive_decomposition().get(problem.stream, {}) if whole else {}


def _measured(one):
    if one is None:
        return {**dict.fromkeys(COLUMNS, np.nan), "accuracy_deviation": np.nan, "orders": 0, "n": 0, "strengths": ""}
    aopd, mopd = one.disparity
    return {"capacity": np.nan if one.capacity is None else one.capacity.mean(), "accuracy": one.mean.mean(), "aopd": aopd,
            "mopd": mopd, "accuracy_deviation": spread(one.mean), "orders": len(one.points), "n": one.n,
            "strengths": one.strengths}


def render(frame):
    """The table as text, a part per problem."""
    out = [TITLE]
    for problem, part in frame.groupby("problem", sort=False):
        lines = [("method", *COLUMNS, "orders", "n", "strengths")]
        lines += [(row["method"], *(_cell(row, name) for name in COLUMNS), str(row["orders"]), str(row["n"]), row["strengths"])
                  for _, row in part.iterrows()]
        widths = [max(map(len, column)) for column in zip(*lines)]
        out += ["", problem] + ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join(out)


def _cell(row, name):
    digits = 1 if name == "capacity" else 2
    words = _number(row[name], digits)
    if name == "accuracy" and row["accuracy_deviation"] == row["accuracy_deviation"]:
        words += f" ± {row['accuracy_deviation']:.2f}"
    published = row[f"published_{name}"]
    return words if published != published else f"{words} / {_number(published, digits)}"


def _number(value, digits):
    return "–" if value != value else f"{value:.{digits}f}"
