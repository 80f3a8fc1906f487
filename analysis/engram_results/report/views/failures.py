"""What failed or diverged, why, and at which values of settings."""

import re

from ...ranking import number
from ..view import NoData, Table, View

BAD = ("diverged", "failed")
OTHER = ("done", "stopped", "skipped")


def view(sweep):
    """Tables `reasons` and `map`."""
    frame = sweep.frame
    bad = frame[frame["status"].isin(BAD)]
    if bad.empty:
        raise NoData("no trial failed or diverged")
    messages = bad["message"].astype(str) if "message" in bad else bad["status"]
    # As `engram failures` groups them: numbers, such as that of a minibatch, do not tell reasons apart.
    alike = [re.sub(r"[0-9]+", "0", message) for message in messages]
    reasons = [[status, messages[part.index[0]], len(part), part["group"].nunique()] for (status, _), part
               in sorted(bad.groupby(["status", alike], sort=False), key=lambda item: -len(item[1]))]
    rows = []
    for dotted, column in sweep.telling.items():
        has = frame[frame[column].notna() & (frame[column] != "")]
        for value in sorted(has[column].unique(), key=lambda value: (isinstance(value, str), value)):
            status = has.loc[has[column] == value, "status"]
            ran = int(status.isin((*BAD, "done", "stopped")).sum())
            rows.append([dotted, number(value), ran, *(int((status == word).sum()) for word in BAD),
                         int(status.isin(BAD).sum()) / ran if ran else None])
    shown = ("Trials that diverged or failed among those that ran (done, diverged, failed, stopped), all points, no selection: by "
             "reason, and by every value of each setting that tells points apart.")
    return View("Failures and divergence", shown, {
        "map": Table("by value", [("setting", "text"), ("value", "text"), ("ran", "integer"), ("diverged", "integer"),
                                  ("failed", "integer"), ("share", "number")], rows),
        "reasons": Table("by reason", [("status", "text"), ("reason", "text"), ("trials", "integer"), ("points", "integer")],
                         reasons)})
