"""Sentences about the protocol that a reader of the numbers should know: those of `engram top`, and of the points shown."""

from .. import program
from ..files import ResultError
from ..ranking import selecting_data


def all_of(sweep):
    """What to beware of, the gravest first."""
    notes = [note for path in sweep.paths for note in _of_top(path)]
    rows = [one.row for one in sweep.chosen]
    if not any(row["fresh"] for row in rows) and "test" not in selecting_data(sweep.frame):
        notes.append("the seeds that chose the points also report them: the best of many points is a little optimistic; "
                     "`select` in the sweep file reports on fresh seeds")
    few = sum(1 for row in rows if 0 < row["n"] < 3)
    if few:
        notes.append(f"{few} of the {len(rows)} points shown have fewer than 3 values: their intervals are wide or missing")
    cut = sum(1 for row in rows if row["n"] < row["planned"])
    if cut:
        notes.append(f"{cut} of the {len(rows)} points shown have values of fewer seeds than planned")
    lost = sum(int(row["diverged"]) for row in rows)
    if lost:
        notes.append(f"{lost} trials of the points shown diverged: they count as chance level in accuracies and are missing in "
                     "other variables")
    for path, ds in zip(sweep.paths, sweep.datasets):
        if not ds.attrs.get("complete", 1):
            notes.append(f"{path}: the sweep has not finished")
    return [note[0].upper() + note[1:] for note in dict.fromkeys(notes)]


def _of_top(path):
    try:
        return program.notes(path)
    except ResultError as error:   # a file of another program, with arrays that can be read all the same
        return [str(error)]
