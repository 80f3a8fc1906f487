"""Parallel coordinates: every point that has a result, over all settings that tell points apart."""

from ..view import NoData, Table, View

MOST = 3000


def view(sweep):
    """Table `points`; axes without a value at a point are gaps."""
    usable = sweep.ranked[sweep.ranked["n"] > 0]
    axes = [(dotted, column) for dotted, column in sweep.telling.items()
            if column in usable and usable[column].astype(str).nunique() > 1]
    if not axes or usable.empty:
        raise NoData("no setting has two values among the points that have results")
    numbers = {column: usable[column].dtype != object for _, column in axes}
    shown_points = usable.head(MOST)
    rows = [[row["rank"], *(row[column] if numbers[column] or row[column] != "" else None for _, column in axes),
             row["selected"], row["reported"], row["reported_ci"], row["n"]] for row in shown_points.to_dict("records")]
    shown = (f"Each line is a point: its settings, what selected it ({sweep.selected_on}) and what is reported of it "
             f"({sweep.reported_on}), means over seeds. Drag along an axis, or move its two handles with the arrow keys, to keep the "
             "points between them.")
    return View("All points: parallel coordinates", shown, {"points": Table("points with results, by rank", [
        ("rank", "integer"), *((dotted, "number" if numbers[column] else "text") for dotted, column in axes),
        ("selected", "number"), ("reported", "number"), ("reported_ci", "number"), ("n", "integer")], rows)},
        {"axes": [dotted for dotted, _ in axes] + ["selected", "reported"], "maximise": sweep.maximise},
        [f"the best {MOST} of {len(usable)} points"] if len(usable) > MOST else [])
