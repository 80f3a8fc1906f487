"""The best point against every other chosen one, seed by seed."""

import numpy as np

from ...statistics import compare, holm
from ..view import POINT, NoData, Table, View


def by_seed(sweep, one):
    """{seed: what is reported of it} of the finished trials of a point; of seeds without a value nothing."""
    name = sweep.variable if sweep.variable in sweep.frame else "objective"
    trials = sweep.frame.loc[one.finished]
    return {int(seed): float(value) for seed, value in zip(trials["seed"], trials[name]) if np.isfinite(value)}


def view(sweep):
    """Table `differences`: of pairs of seeds."""
    if len(sweep.chosen) < 2 or "seed" not in sweep.frame:
        raise NoData("there are no two points with results to compare")
    best = by_seed(sweep, sweep.chosen[0])
    found = []
    for index, one in enumerate(sweep.chosen[1:], 1):
        other = by_seed(sweep, one)
        both = sorted(set(best) & set(other))
        if both:
            found.append((index, compare([best[seed] for seed in both], [other[seed] for seed in both], sweep.maximise)))
    if not found:
        raise NoData("the best point shares no seed with another one")
    wilcoxon, student = (holm([getattr(one, name) for _, one in found]) for name in ("wilcoxon", "student"))
    rows = [[index, one.n, one.difference.estimate, one.difference.low, one.difference.high, one.wilcoxon, wilcoxon[at], one.student, student[at],
             one.wins, one.ties, one.losses, one.improvement] for at, (index, one) in enumerate(found)]
    least = 2 / 2 ** max(one.n for _, one in found)
    notes = [f"with {max(one.n for _, one in found)} pairs Wilcoxon's p cannot be below {least:.4g}"] if least > 0.01 else []
    if not sweep.chosen[0].row["fresh"]:
        notes.append("the best point was chosen by these seeds or by the same data: its lead is a little optimistic")
    shown = (f"{sweep.chosen[0].label} (rank 1) less every other point shown, on {sweep.reported_on}, seed by seed: mean difference with Student's "
             "95 % interval; two-sided p of Wilcoxon's signed-rank test (exact) and of the paired t test, each also after Holm for the "
             f"{len(found)} comparisons here; probability that a run of the best is better than one of the other (ties count half).")
    return View("Paired differences to the best point", shown, {"differences": Table("best less other", [
        ("point", POINT), ("pairs", "integer"), ("difference", "number"), ("low", "number"), ("high", "number"), ("p_wilcoxon", "number"),
        ("p_wilcoxon_holm", "number"), ("p_t", "number"), ("p_t_holm", "number"), ("better", "integer"), ("equal", "integer"),
        ("worse", "integer"), ("improvement", "number")], rows)}, {"maximise": sweep.maximise}, notes)
