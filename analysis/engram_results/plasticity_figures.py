"""Figures and statistics of loss-of-plasticity sweeps. Bands are ± one standard error over runs, as in the paper.

As the other figures, these have the attribute `left_out`.
"""

import matplotlib

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np
import pandas

from .files import ResultError, as_list
from .lines import colour
from .plasticity import best_of_each, late, paired, points_of, reference, standard_error

BANDS = "bands: ± one standard error over runs (divisor n − 1)"
PANELS = (("online_accuracy", 100, "online accuracy of each task, %"),
          ("dead_percent", 1, "dead units before each task, %"),
          ("effective_rank_percent", 1, "effective rank before each task, % of units"),
          ("mean_abs_weight", 1, "mean |w| after each task"))
STYLES = ("-", "--", ":", "-.")
METHOD_ORDER = ("bp", "adam", "l2", "snp", "cbp")


def scr(datasets):
    """Slowly-changing regression: error of every activation at every step size, less that of the linear learner on
    the same streams, a panel each; and one of the best points of the other methods beside BP."""
    points = [point for point in points_of(datasets, "scr") if point.n > 0]
    linear = reference(points)
    if linear is None:
        raise ResultError("curves are drawn relative to the linear learner (model.hidden = []), and there is none")
    notes = [f"left out {point.label}: its streams end before those of the linear learner"
             for point in points if not _comparable(point, linear)]
    points = [point for point in points if _comparable(point, linear)]
    activations = sorted({point.get("model.activation") for point in points if point.method == "bp"})
    others = [point for method, point in best_of_each(points, "mean_online_loss", largest=False).items()
              if method not in ("bp", "linear")]
    panels = [[point for point in points if point.method == "bp" and point.get("model.activation") == name]
              for name in activations]
    rivals = [point for point in points if point.method == "bp" and point.near("optimizer.lr", 0.01)
              and point.get("model.activation") == "relu"] + others if others else []
    panels += [rivals] if rivals else []
    if not panels:
        raise ResultError("no finished run of a network with hidden units")
    across = min(4, len(panels))
    figure, axes = plt.subplots(-(-len(panels) // across), across, figsize=(4 * across + 1, 3.4 * -(-len(panels) // across)),
                                squeeze=False, sharey=True, layout="constrained")
    for axis, panel, name in zip(axes.flat, panels, activations + ["rivals, their best points"]):
        panel.sort(key=lambda point: -point.get("optimizer.lr"))
        for index, point in enumerate(panel):
            label = f"{point.get('optimizer.lr'):g}" if panel is not rivals else point.label
            bins = point.curve("online_examples")[0]
            difference = paired(point, linear, "online_loss")
            _band(axis, bins[:difference.shape[1]], difference, f"{label} (n = {difference.shape[0]})", colour(index))
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.set(title=name, xlabel="examples")
        axis.legend(fontsize="x-small")
    for axis in list(axes.flat)[len(panels):]:
        axis.set_axis_off()
    for row in axes:
        row[0].set_ylabel("error less that of the linear learner")
    return _finish(figure, datasets, notes)


def _comparable(point, linear):
    return all(point.get(name) == linear.get(name) for name in ("stream.flips", "stream.examples")) and \
        bool(set(point.seeds) & set(linear.seeds))


def opm(datasets):
    """Online permuted MNIST: accuracy, dead units, effective rank and mean |w| over tasks; BP at every step size,
    of other methods the best point."""
    points = [point for point in points_of(datasets, "opm") if point.n > 0 and point.has("online_accuracy")]
    if not points:
        raise ResultError("no finished run of the stream online_permuted")
    best = best_of_each(points)
    chosen = [point for point in points if point.method == "bp"]
    chosen += sorted((point for method, point in best.items() if method != "bp"), key=_rank)
    notes = [f"left out {point.label}: {best[point.method].label} is better" for point in points
             if point not in chosen]
    panels = [panel for panel in PANELS if any(point.has(panel[0]) for point in chosen)]
    figure, axes = plt.subplots(-(-len(panels) // 2), min(2, len(panels)), figsize=(15, 4.2 * -(-len(panels) // 2)),
                                squeeze=False, layout="constrained")
    for axis, (name, scale, title) in zip(axes.flat, panels):
        for index, point in enumerate(chosen):
            if point.has(name):
                curve = scale * point.curve(name)
                _band(axis, np.arange(1, curve.shape[1] + 1), curve, f"{point.label} (n = {point.n})",
                      colour(index), STYLES[index // 20 % len(STYLES)])
        axis.set(title=title, xlabel="task")
    axes[0][-1].legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return _finish(figure, datasets, notes)


def _rank(point):
    known = METHOD_ORDER.index(point.method) if point.method in METHOD_ORDER else len(METHOD_ORDER)
    return known, point.method


def statistics(datasets):
    """A row per point of online permuted MNIST: runs, accuracy of the first task, at its best (mean of three tasks)
    and late, dead units, effective rank and mean |w| at the first and the last task; means over runs, and the standard
    error of the late accuracy."""
    rows = []
    for point in points_of(datasets, "opm"):
        if point.n == 0 or not point.has("online_accuracy"):
            continue
        accuracy = 100 * point.curve("online_accuracy")
        mean = accuracy.mean(axis=0)
        row = {"point": point.label, "runs": point.n, "diverged": point.diverged, "tasks": accuracy.shape[1],
               "first": mean[0], "best": max((mean[i:i + 3].mean() for i in range(len(mean) - 2)), default=np.nan),
               "late": late(accuracy).mean(), "late_error": float(standard_error(late(accuracy)))}
        for name, column in (("dead_percent", "dead"), ("effective_rank_percent", "rank"),
                             ("mean_abs_weight", "weight")):
            curve = point.curve(name).mean(axis=0) if point.has(name) else np.full(1, np.nan)
            row.update({f"{column}_first": curve[0], f"{column}_last": curve[-1]})
        rows.append(row)
    if not rows:
        raise ResultError("no finished run of the stream online_permuted")
    return pandas.DataFrame(rows).sort_values("late", ascending=False, ignore_index=True)


def _band(axis, places, curves, label, colour_, style="-"):
    mean, error = curves.mean(axis=0), np.nan_to_num(standard_error(curves))
    axis.plot(places, mean, style, color=colour_, label=label, linewidth=1.2)
    axis.fill_between(places, mean - error, mean + error, color=colour_, alpha=0.2, linewidth=0)


def _finish(figure, datasets, notes):
    figure.text(0.005, 0.002, BANDS, fontsize="x-small", color="0.4")
    figure.suptitle(", ".join(dict.fromkeys(str(ds.attrs.get("title", "")) for ds in as_list(datasets))))
    figure.left_out = notes
    return figure
