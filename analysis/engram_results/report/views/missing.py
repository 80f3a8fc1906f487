"""Which planned trials have no result."""

from ..view import NoData, Table, View

NO_RESULT = ("pending", "running", "failed", "skipped", "paused", "stopped")
MOST = 6000


def view(sweep):
    """Tables `coverage`, per method and replicate, and `trials`."""
    frame = sweep.frame
    method = dict(zip(sweep.ranked["group"], sweep.ranked["method"]))
    without = frame[frame["status"].isin(NO_RESULT)]
    if without.empty:
        raise NoData(f"all {len(frame)} planned trials have a result")
    names = frame["group"].map(method)
    seeds = frame["seed"] if "seed" in frame else frame["replicate"]
    coverage = [[name, int(seed), len(part), int(part["status"].isin(("done", "diverged")).sum()),
                 *(int((part["status"] == word).sum()) for word in NO_RESULT)]
                for (name, seed), part in frame.groupby([names, seeds], sort=False)]
    trials = [[int(row["trial"]), int(row["point"]), int(row["seed"]), row["status"]]
              for row in without.head(MOST)[["trial", "point", "seed", "status"]].to_dict("records")] \
        if {"point", "seed"} <= set(without) else []
    words = without["status"].value_counts()
    shown = (f"{len(without)} of {len(frame)} planned trials have no result: "
             + ", ".join(f"{count} {word}" for word, count in words.items())
             + ". The map has the share of points of a method with a result, seed by seed; no selection.")
    return View("Missing seeds", shown, {
        "coverage": Table("by method and seed", [("method", "text"), ("seed", "integer"), ("planned", "integer"),
                                                 ("finished", "integer"), *((word, "integer") for word in NO_RESULT)], coverage),
        "trials": Table("trials without a result", [("trial", "integer"), ("point", "integer"), ("seed", "integer"),
                                                    ("status", "text")], trials)},
        {}, [f"the table of trials has the first {MOST} of {len(without)}"] if len(without) > MOST else [])
