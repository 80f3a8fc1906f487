"""Tables of the Hard ASH paper, measured next to published."""

import numpy as np
import pandas

from . import published
from .files import ResultError, as_list, settings
from .frames import gather
from .program import INTERVALS
from .ranking import best_points, describe, first_of_each, points, resolve, telling

PAIR = ["model.activation", "optimizer"]
TITLES = {
    "1": "Table 1: every activation with its best optimizer, and baselines from the literature",
    "2": "Table 2: every optimizer with its best activation",
    "3": "Table 3: best point of every pair of activation and optimizer",
    "6": "Table 6: the Split-MNIST optimizer on iid data",
    "7": "Table 7: Adam with and without bias correction",
    "sgd-decay": "Appendix A.9: SGD with exponential decay of the learning rate",
    "class-incremental": "Class-incremental Split-MNIST: best point of every method, for each "
                         "number of epochs per task",
}
# Measured and published intervals are compared, so both are what the paper reports.
INTERVAL = "paper"
FORMULA = INTERVALS[INTERVAL]
COLUMNS = ("label", "epochs", "activation", "optimizer", "measured", "ci", "n", "skipped",
           "diverged", "planned", "published", "published_ci", "published_activation", "published_optimizer",
           "published_epochs", "difference", "overlap", "settings")


def compare(name, datasets):
    """A published table as a frame: a row per entry with measured mean, ci, n and settings of the best
    point, published mean and ci, their difference, and whether the two intervals overlap (all in %).

    Rows for which the files hold no finished trial have n = 0 and no measured numbers.
    """
    if name not in TITLES:
        raise ResultError(f"no table `{name}`; there are {', '.join(TITLES)}")
    datasets = as_list(datasets)
    paper = published.hard_ash()
    if name == "class-incremental":
        rows = _methods(datasets)
    elif name in ("6", "7", "sgd-decay"):
        key = name if name in paper else f"table{name}"
        rows = [_matched(datasets, entry) for entry in paper[key]["rows"]]
    else:
        rows = _from_pairs(name, datasets, paper)
    frame = pandas.DataFrame([_judge(row) for row in rows])
    if not frame["n"].sum():
        raise ResultError(f"no finished trial belongs to {TITLES[name].split(':')[0]}")
    if name == "1":
        baselines = [{"activation": f"{row['method']} (literature, epochs: {row['epochs']})",
                      "published_optimizer": row["optimizer"] or "", "published": row["mean"],
                      "n": 0} for row in paper["table1"]["baselines"]]
        frame = pandas.concat([frame, pandas.DataFrame(baselines)], ignore_index=True)
    return frame[[column for column in COLUMNS if column in frame]]


def _from_pairs(name, datasets, paper):
    known = published.pairs(paper)
    best = _on_split(datasets)
    rows = {pair: {"activation": pair[0], "optimizer": pair[1], "published": mean,
                   "published_ci": ci} for pair, (mean, ci) in known.items()}
    for pair in rows:
        rows[pair].update(best.get(pair, {}))
    if name == "3":
        return list(rows.values())
    # Tables 1 and 2 are the best of a row or column; measured and published may choose differently.
    side, other = (0, 1) if name == "1" else (1, 0)
    titles = ("activation", "optimizer")
    chosen = []
    for member in dict.fromkeys(pair[side] for pair in rows):
        group = [row for pair, row in rows.items() if pair[side] == member]
        paper_best = max(group, key=lambda row: row["published"])
        ours = min(group, key=lambda row: row.get("rank", np.inf))
        chosen.append({**ours, "published": paper_best["published"],
                       "published_ci": paper_best["published_ci"],
                       titles[other]: ours[titles[other]] if "rank" in ours else "",
                       f"published_{titles[other]}": paper_best[titles[other]]})
    return chosen


def _on_split(datasets):
    """{(activation, optimizer): measured columns} of the best points on the split stream."""
    for ds in datasets:
        for setting in PAIR:
            if setting not in settings(ds):
                raise ResultError(f"the file has no setting `{setting}`")
    best = best_points(datasets, by=PAIR + ["stream"], report=_report(datasets), interval=INTERVAL)
    shown = telling(datasets)
    columns = {setting: settings(datasets[0])[setting] for setting in PAIR + ["stream"]}
    found = {}
    for _, row in best[best[columns["stream"]] == "split"].iterrows():
        pair = tuple(row[columns[setting]] for setting in PAIR)
        found[pair] = _measured(row, shown, without=PAIR)
    return found


def _fitting(datasets, entry, by=()):
    """The points that fit one entry of a table with its own conditions, best first; the settings in
    `by` tell points apart in any case."""
    names = sorted({name for alternative in entry["match"] for name in alternative})
    variables = {}
    for ds in datasets:
        variables.update(settings(ds))
    varied = gather(datasets)[1]
    by = list(dict.fromkeys([variables[name] for name in [*names, *by] if name in variables]
                            + list(varied.values())))
    ranked = points(datasets, by=by, report=entry.get("report", _report(datasets)),
                    interval=INTERVAL)
    ranked = ranked[ranked["n"] > 0]
    fits = [published.matches(row, variables, entry["match"]) for _, row in ranked.iterrows()]
    return ranked[np.array(fits, dtype=bool)]


def _matched(datasets, entry):
    """The best point among those that fit an entry."""
    best = first_of_each(_fitting(datasets, entry), [])
    row = {"label": entry["label"], "published": entry["published"][0],
           "published_ci": entry["published"][1]}
    return {**row, **_measured(best.iloc[0], telling(datasets))} if len(best) else row


def method_points(datasets):
    """(entry, best points) for every method of the class-incremental comparison: its best point for
    each number of epochs, in ascending order; none if the files do not have the method."""
    datasets = as_list(datasets)
    epochs = resolve(datasets, ["stream.epochs"])
    found = []
    for entry in published.class_incremental()["rows"]:
        fits = _fitting(datasets, entry, by=["stream.epochs"])
        found.append((entry, first_of_each(fits, epochs).sort_values(epochs, ignore_index=True)))
    return found


def _methods(datasets):
    shown = telling(datasets)
    column = resolve(datasets, ["stream.epochs"])[0]
    rows = []
    for entry, best in method_points(datasets):
        mean, half = entry["published"] or (np.nan, np.nan)
        row = {"label": entry["label"], "published": mean,
               "published_ci": np.nan if half is None else half,
               "published_epochs": entry.get("epochs", np.nan)}
        measured = [{"epochs": f"{point[column]:g}",
                     **_measured(point, shown, without=["stream.epochs"])}
                    for _, point in best.iterrows()]
        rows += [{**row, **one} for one in measured or [{"epochs": ""}]]
    return rows


def _measured(row, shown, without=()):
    return {"measured": 100 * row["reported"], "ci": 100 * row["reported_ci"], "n": int(row["n"]),
            "skipped": int(row["skipped"]), "planned": int(row["planned"]),
            "diverged": int(row["diverged"]), "rank": row["rank"],
            "settings": describe(row, shown, without)}


def _report(datasets):
    """The paper's score is the test accuracy after the last task, whatever the sweep selected by."""
    return "final_accuracy" if all("final_accuracy" in ds.variables for ds in datasets) \
        else "objective"


def _judge(row):
    row = {"measured": np.nan, "ci": np.nan, "n": 0, "skipped": 0, "diverged": 0, "planned": 0,
           "settings": "", **row}
    row["difference"] = row["measured"] - row["published"]
    # One run has no interval, and not every paper gives one: nothing can be said then.
    both = row["ci"] == row["ci"] and row["published_ci"] == row["published_ci"]
    row["overlap"] = (abs(row["difference"]) <= row["ci"] + row["published_ci"]) if both else None
    row.pop("rank", None)
    return row


def render(name, frame):
    """The comparison as text."""
    labels = [c for c in ("label", "epochs", "activation", "optimizer") if c in frame]
    head = labels + ["measured", "n", "published", "difference", "overlap", "settings"]
    lines = [head] + [[_text(row[c]) for c in labels] + _cells(row) for _, row in frame.iterrows()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    out = [f"{TITLES[name]} (test accuracy, %: mean ± {FORMULA})", ""]
    out += ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in lines]
    measured = frame[frame["n"] > 0]
    judged = measured["overlap"].dropna()
    out += ["", f"measured {len(measured)} of {len(frame)} rows; "
            f"intervals overlap in {int(judged.sum())} of {len(judged)}"]
    if (measured["n"] < measured["planned"]).any():
        out.append("n: finished/planned seeds where some were skipped or have not run yet")
    return "\n".join(out)


def _cells(row):
    beside = row.get("published_optimizer", row.get("published_activation"))
    epochs = row.get("published_epochs", np.nan)
    if epochs == epochs:
        beside = f"{epochs:g} epochs"
    beside = f" ({beside})" if isinstance(beside, str) and beside else ""
    theirs = _interval(row["published"], row["published_ci"]) + beside
    if not row["n"]:
        return ["–", "0", theirs, "–", "–", ""]
    seeds = f"{row['n']:.0f}" + (f"/{row['planned']:.0f}" if row["n"] < row["planned"] else "")
    seeds += f" ({row['diverged']:.0f} diverged)" if row["diverged"] else ""
    overlap = {True: "yes", False: "no"}.get(row["overlap"], "–")
    return [_interval(row["measured"], row["ci"]), seeds, theirs, _signed(row["difference"]),
            overlap, row["settings"]]


def _signed(difference):
    return f"{difference:+.1f}" if difference == difference else "–"


def _interval(mean, half):
    if mean != mean:
        return "–"
    return f"{mean:.1f} ± {half:.1f}" if half == half else f"{mean:.1f}"


def _text(value):
    return value if isinstance(value, str) and value else "–"
