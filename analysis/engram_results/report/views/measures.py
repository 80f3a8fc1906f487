"""Measures of continual learning as a forest plot: a mean and an interval per point and measure."""

from ..view import POINT, NoData, Table, View

MEASURES = (("average_accuracy", "ACC"), ("forgetting", "forgetting"), ("backward_transfer", "BWT"),
            ("forward_transfer", "FWT"), ("min_accuracy", "min-ACC"))


def view(sweep):
    """Table `measures`; a measure is there if a finished trial has it."""
    rows, words = [], {}
    for name, short in MEASURES:
        if not sweep.has(name, ("trial",)):
            continue
        for index, one in enumerate(sweep.chosen):
            mean, deviation, half, n = sweep.summary(sweep.values(name, one.finished))
            if n > 0:
                words[short] = sweep.attribute(name, "long_name", name)
                rows.append([short, index, float(mean), float(half), float(deviation), int(n)])
    if not rows:
        raise NoData(f"no finished trial has {', '.join(name for name, _ in MEASURES)}")
    absent = [short for _, short in MEASURES if short not in words]
    shown = (f"{sweep.who[0].upper() + sweep.who[1:]}, selected on {sweep.selected_on}; measured on test data: mean over finished "
             f"seeds and {sweep.interval_words}. " + "; ".join(f"{short}: {text}" for short, text in words.items()) + ".")
    return View("Accuracy, forgetting and transfer", shown, {"measures": Table("every measure", [
        ("measure", "text"), ("point", POINT), ("mean", "number"), ("half", "number"), ("sd", "number"), ("n", "integer")],
        rows)}, {}, [f"not recorded: {', '.join(absent)}"] if absent else [])
