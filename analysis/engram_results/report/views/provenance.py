"""Where the numbers are from, and the command that runs any row again."""

import shlex

import h5py
import numpy as np

from ..view import Table, View

BOOLEAN = 0   # `parameter_type`
WORDS = ("sweep", "overrides")


def view(sweep):
    """Tables `files`, `sessions` and `rows`: arguments of every point, to follow those that all share."""
    shared, own = _columns(sweep)
    seeds = {group: " ".join(str(int(seed)) for seed in part) for group, part in sweep.frame.groupby("group")["seed"]} \
        if "seed" in sweep.frame else {}
    rows = [[row["rank"], row["method"], arguments(sweep, sweep.example[row["group"]], own), seeds.get(row["group"], "")]
            for row in sweep.ranked[["rank", "method", "group"]].to_dict("records")]
    files, sessions, texts = [], [], []
    for path, ds in zip(sweep.paths, sweep.datasets):
        files.append([path, str(ds.attrs.get("title", "")), str(ds.attrs.get("created", "")),
                      str(ds.attrs.get("generator_version", "")), ds.sizes["trial"],
                      "yes" if ds.attrs.get("complete", 1) else "no"])
        told = _provenance(path)
        sessions += [[path, name, key, value] for name, text in told.items() if name.startswith("session_")
                     for key, _, value in (line.partition("=") for line in text.splitlines()) if key]
        texts += [{"file": path, "name": name, "text": told[name]} for name in WORDS if told.get(name, "").strip()]
    shown = ("The files, the runs of the command that made them, the sweep files, and for every point the command that runs "
             "a trial of it again, with any of its seeds: with the same build on the same kind of processor it gives the same bits.")
    base = arguments(sweep, next(iter(sweep.example.values())), shared)
    return View("Provenance, and how to run a row again", shown, {
        "files": Table("files", [("file", "text"), ("sweep", "text"), ("created", "text"), ("engram", "text"),
                                 ("trials", "integer"), ("finished", "text")], files),
        "sessions": Table("runs of the command", [("file", "text"), ("session", "text"), ("key", "text"), ("value", "text")],
                          sessions),
        "rows": Table("what to add for each point", [("rank", "integer"), ("method", "text"), ("arguments", "text"),
                                                     ("seeds", "text")], rows)},
        {"command": f"engram train objective={sweep.variable} {base}", "texts": texts})


def _columns(sweep):
    """Settings that all trials share, and the others: [(dotted name, column)] twice."""
    shared, own = [], []
    for dotted, column in sweep.known.items():
        if not dotted.endswith(".path"):   # where data are on the machine of the sweep
            varies = sweep.frame[column].astype(str).nunique() > 1
            (own if varies else shared).append((dotted, column))
    return shared, own


def arguments(sweep, row, columns):
    """"name=value …" for a shell; numbers with all their digits."""
    words = []
    for dotted, column in columns:
        value = row[column]
        if value == value and value != "" and value is not None:
            words.append(shlex.quote(f"{dotted}={_text(value, sweep.attribute(column, 'parameter_type'))}"))
    return " ".join(words)


def _text(value, kind):
    if kind == str(BOOLEAN) and not isinstance(value, str):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)):
        return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return str(value)


def _provenance(path):
    """{name: text} of the group /provenance; {} if the file has none."""
    with h5py.File(path, "r") as file:
        group = file.get("provenance", {})
        return {name: _decoded(group[name][()]) for name in group if isinstance(group[name], h5py.Dataset)}


def _decoded(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
