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
from .plasticity import best_of_each, late, points_of, reference
from .runs import paired, standard_error

BANDS = "bands: ± one standard error over runs (divisor n − 1)"
PANELS = (("online_accuracy", 100, "online accuracy of each task, %"),
          ("dead_percent", 1, "dead units before each task, %"),
          ("effective_rank_percent", 1, "effective rank before each task, % of units"),
          ("mean_abs_weight", 1, "mean |w| after each task"))
STYLES = ("-", "--", ":", "-.")
METHOD_ORDER = ("bp", "base", "linear", "adam", "l2", "head_reset", "snp", "cbp", "retrained")
CIN_PANELS = (("learning_accuracy", 100, "test accuracy after the last epoch of each task, %"),
              ("dormant_percent", 1, "dormant units before each task, %"),
              ("stable_rank_percent", 1, "stable rank of the last hidden layer before each task, %"),
              ("mean_abs_weight", 1, "mean |w| after each task"))
CIC_PANELS = (("peak_accuracy", 100, "largest test accuracy of each increment, %"),
              ("relative", 100, "the same less that of the retrained network, points"),
              ("dormant_percent", 1, "dormant units before each increment, %"),
              ("stable_rank_percent", 1, "stable rank of the last hidden layer before each increment, %"))
FEWEST_TO_BIN, BINS = 100, 20  # of so many tasks means over bins are drawn, as in the paper


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
    return finish(figure, datasets, notes)


def _comparable(point, linear):
    return all(point.get(name) == linear.get(name) for name in ("stream.flips", "stream.examples")) and \
        bool(set(point.seeds) & set(linear.seeds))


def opm(datasets):
    """Online permuted MNIST: accuracy, dead units, effective rank and mean |w| over tasks; BP at every step size,
    of other methods the best point."""
    points = [point for point in points_of(datasets, "opm") if point.n > 0 and point.has("online_accuracy")]
    if not points:
        raise ResultError("no finished run of the stream online_permuted")
    chosen, notes = _choose(points, "online_accuracy", every_of="bp")
    curves = {name: lambda point, name=name: _of_tasks(point, name, 1) for name, _, _ in PANELS}
    return _panels(datasets, PANELS, chosen, curves, "task", notes)


def cin(datasets):
    """Pairs of classes: test accuracy, dormant units, stable rank and mean |w| over tasks, of many tasks in bins; BP at
    every step size, of other methods the best point."""
    points = [point for point in points_of(datasets, "cin") if point.n > 0 and point.has("learning_accuracy")]
    if not points:
        raise ResultError("no finished run of the stream class_pairs")
    chosen, notes = _choose(points, "learning_accuracy", every_of="bp")
    tasks = max(point.curve("learning_accuracy").shape[1] for point in chosen)
    size = tasks // BINS if tasks >= FEWEST_TO_BIN else 1
    curves = {name: lambda point, name=name: _of_tasks(point, name, size) for name, _, _ in CIN_PANELS}
    return _panels(datasets, CIN_PANELS, chosen, curves, "task" if size == 1 else f"task, bins of {size}", notes)


def cic(datasets):
    """More and more classes: accuracy of each increment, the same less that of the retrained network on the same
    streams, dormant units and stable rank, over classes; of every method the best point."""
    points = [point for point in points_of(datasets, "cic") if point.n > 0 and point.has("peak_accuracy")]
    if not points:
        raise ResultError("no finished run of the stream class_incremental")
    chosen, notes = _choose(points, "peak_accuracy")
    retrained = next((point for point in chosen if point.method == "retrained"), None)

    def classes(point, curve):
        return point.get("stream.classes", 1) * np.arange(1, curve.shape[1] + 1), curve

    def relative(point):
        comparable = retrained is not None and point is not retrained and bool(set(point.seeds) & set(retrained.seeds))
        return classes(point, paired(point, retrained, "peak_accuracy")) if comparable else None

    curves = {name: lambda point, name=name: classes(point, point.curve(name)) if point.has(name) else None
              for name, _, _ in CIC_PANELS}
    return _panels(datasets, CIC_PANELS, chosen, {**curves, "relative": relative}, "classes", notes)


def _choose(points, curve, every_of=None):
    """All points of one method and the best of each other, in their order, and what is left out."""
    best = best_of_each(points, curve)
    chosen = [point for point in points if point.method == every_of]
    chosen += sorted((point for method, point in best.items() if method != every_of), key=_rank)
    notes = [f"left out {point.label}: {best[point.method].label} is better" for point in points
             if point not in chosen]
    return chosen, notes


def _of_tasks(point, name, size):
    """Places and [runs, bins] of a curve over tasks, in bins of `size` of which the last may have fewer; None if it was
    not measured."""
    if not point.has(name):
        return None
    curve = point.curve(name)
    starts = range(0, curve.shape[1], size)
    return (np.array([min(start + size, curve.shape[1]) for start in starts]),
            np.stack([curve[:, start:start + size].mean(axis=1) for start in starts], axis=1))


def _panels(datasets, panels, chosen, curves, xlabel, notes):
    """A panel per curve that any of the chosen points has; curves[name](point): places and [runs, places], or None."""
    drawn = [(title, scale, {point: curves[name](point) for point in chosen}) for name, scale, title in panels]
    drawn = [panel for panel in drawn if any(curve is not None for curve in panel[2].values())]
    rows = -(-len(drawn) // 2)
    figure, axes = plt.subplots(rows, min(2, len(drawn)), figsize=(15, 4.2 * rows), squeeze=False, layout="constrained")
    for axis, (title, scale, of) in zip(axes.flat, drawn):
        for index, point in enumerate(chosen):
            if of[point] is not None:
                places, curve = of[point]
                _band(axis, places, scale * curve, f"{point.label} (n = {curve.shape[0]})", colour(index),
                      STYLES[index // 20 % len(STYLES)])
        axis.set(title=title, xlabel=xlabel)
    for axis in list(axes.flat)[len(drawn):]:
        axis.set_axis_off()
    axes[0][-1].legend(*axes[0][0].get_legend_handles_labels(), fontsize="x-small", loc="upper left",
                       bbox_to_anchor=(1.01, 1.0))
    return finish(figure, datasets, notes)


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


def finish(figure, datasets, notes, bands=BANDS):
    """The figure with what its bands are, the titles of the files, and what is not in it."""
    figure.supxlabel(bands, x=0.005, ha="left", fontsize="x-small", color="0.4")  # the layout makes room for it
    figure.suptitle(", ".join(dict.fromkeys(str(ds.attrs.get("title", "")) for ds in as_list(datasets))))
    figure.left_out = notes
    return figure
