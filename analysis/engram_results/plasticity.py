"""Sweeps of the loss of plasticity: which method a trial is of, and the curves of all runs of a point.

The problems are slowly-changing regression (`scr`), online permuted MNIST (`opm`), pairs of classes (`cin`) and more and
more classes (`cic`).
"""

import math

import numpy as np
import pandas

from . import runs

PROBLEMS = {"bit_flipping": "scr", "online_permuted": "opm", "class_pairs": "cin", "class_incremental": "cic"}
# Learners that are a method of their own, whatever is inside.
LEARNERS = {"continual_backprop": "cbp", "shrink_perturb": "snp", "redo": "redo", "snr": "snr",
            "weight_clipping": "weight_clipping", "l2_init": "l2_init", "head_reset": "head_reset",
            "retrained": "retrained"}
# Learners that only choose among what the one inside has learned.
AROUND = ("early_stopping",)


def method_of(get, problem=None):
    """The method of a trial; `get` gives a setting by its dotted name, or None."""
    learner = "learner"
    while get(learner) in AROUND:
        learner += ".of"
    if _is_linear(get):
        return "linear"
    if get(learner) == "shrink_perturb" and get(f"{learner}.when") == "task":
        return "snp at tasks"
    if get(learner) in LEARNERS:
        return LEARNERS[get(learner)]
    if get(learner) == "reset":
        what = get(f"{learner}.what")
        return {"network": "reset_all"}.get(what, f"reset {what}")
    if get(learner) == "l2":
        return {"initial": "l2_init", "zero": "l2"}.get(get(f"{learner}.towards"), "l2 towards the last task")
    if problem == "cic":  # batch normalisation and weight decay are part of the problem there
        return "base"
    if get("optimizer") in ("adam", "upgd"):
        return get("optimizer")
    if get("model.activation") == "crelu":
        return "crelu"
    if get("model.norm") not in (None, "none"):
        return {"layer": "layer_norm", "online": "online_norm"}.get(get("model.norm"), get("model.norm"))
    if float(get("model.dropout") or 0) > 0:
        return "dropout"
    return "l2" if float(get("optimizer.weight_decay") or 0) > 0 else "bp"


def _is_linear(get):
    if get("model") in (None, "mlp"):
        return get("model.hidden") in ("[]", None)
    return get("model") == "linear"


def points_of(datasets, problem=None):
    """All points with a finished run, of one problem or of all; files may share trials."""
    return runs.find(datasets, PROBLEMS, method_of, problem)


def rank_correlation(first, second):
    """Spearman's: the correlation of the ranks, equal values sharing the mean of theirs; 0 if all of one are equal."""
    ranks = [pandas.Series(values).rank().to_numpy() for values in (first, second)]
    ranks = [rank - rank.mean() for rank in ranks]
    size = math.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float((ranks[0] * ranks[1]).sum() / size) if size > 0 else 0.0


def late(curves):
    """[runs]: mean over the last tenth of the bins."""
    return curves[:, -_tenth(curves):].mean(axis=1)


def early(curves):
    """The least value of the 3-bin moving average over the first tenth of the bins of the mean curve."""
    mean = curves[:, :max(3, _tenth(curves))].mean(axis=0)
    return min(mean[i:i + 3].mean() for i in range(len(mean) - 2))


def early_at(curves):
    """The first of the three bins of `early`."""
    mean = curves[:, :max(3, _tenth(curves))].mean(axis=0)
    return int(np.argmin([mean[i:i + 3].mean() for i in range(len(mean) - 2)]))


def rise(curves):
    """[runs]: late mean less the mean over the three bins of `early`."""
    at = early_at(curves)
    return late(curves) - curves[:, at:at + 3].mean(axis=1)


def _tenth(curves):
    return max(1, -(-curves.shape[1] // 10))


def reference(points):
    """The linear learner that others are compared with: at step 0.003 if it was run, or else its first point."""
    linear = [point for point in points if point.method == "linear" and point.n > 0
              and point.get("optimizer") == "sgd"]
    middle = [point for point in linear if point.near("optimizer.lr", 0.003)]
    return (middle or linear or [None])[0]


def best_of_each(points, name="mean_online_accuracy", largest=True):
    """{method: its best point} by the mean over all bins (or tasks) of an accuracy, or the least loss."""
    curve = name.removeprefix("mean_")
    best = {}
    for point in points:
        if point.n == 0 or not point.has(curve):
            continue
        score = point.curve(curve).mean() * (1 if largest else -1)
        if point.method not in best or score > best[point.method][0]:
            best[point.method] = (score, point)
    return {method: point for method, (_, point) in best.items()}
