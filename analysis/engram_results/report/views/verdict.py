"""The best point of every method: what it was selected on, what is reported of it, and what to beware of."""

from .. import warnings
from ..view import POINT, NoData, Table, View

COLUMNS = [("point", POINT), ("method", "text"), ("rank", "integer"), ("selected", "number"), ("selected_ci", "number"),
           ("selected_n", "integer"), ("reported", "number"), ("reported_ci", "number"), ("n", "integer"),
           ("planned", "integer"), ("fresh", "text"), ("diverged", "integer"), ("stopped", "integer"), ("skipped", "integer"),
           ("in_sweep", "text")]


def view(sweep):
    """The table of chosen points, by rank."""
    if not sweep.chosen:
        raise NoData("no trial has finished yet")
    rows = [[index, *(_cell(one.row[name]) for name, _ in COLUMNS[1:])] for index, one in enumerate(sweep.chosen)]
    shown = (f"{sweep.who}, {'highest' if sweep.maximise else 'lowest'} first, of {len(sweep.ranked)} points. Selected on "
             f"{sweep.selected_on}; reported on {sweep.reported_on}; n: values of planned seeds. "
             f"Interval: {sweep.interval_words}.")
    return View("Verdict: what is best", shown[0].upper() + shown[1:], {"best": Table("best points", COLUMNS, rows)},
                {"variable": sweep.variable}, warnings.all_of(sweep))


def _cell(value):
    return ("yes" if value else "no") if isinstance(value, bool) or type(value).__name__ == "bool_" else value
