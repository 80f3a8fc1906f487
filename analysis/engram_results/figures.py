"""Learning curves, figures 1 to 3 of the Hard ASH paper, and class-incremental methods compared.

Every function returns a matplotlib figure with one attribute more: `left_out`, sentences about what was
given and is not drawn. Lines are means over the finished trials that report a point, with an interval that
the figure names: figures 1 to 3 have the paper's. Trials that a rule
stopped, or that are paused, are thin lines to where they went, with a cross at the end: in the colour of
their point, or grey if that is not drawn.
"""

import pathlib

import matplotlib
import matplotlib.ticker

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np

from . import alma_figures, apd_figures, plasticity_figures
from .files import FINISHED, ResultError, as_list, settings
from .lines import AXES, UNFINISHED, best_lines, labelled, method_lines, need, phase_ends, point_lines
from .program import INTERVALS, factors
from .ranking import points
from .tables import PAIR

REFERENCE = "black"
GREY = "0.6"
NO_TASK = "it was stopped before the end of a task"


def learning_curves(ds, variables=("accuracy", "loss"), by=None, most=8, x="steps"):
    """Mean and 95 % Student interval over seeds of every variable, a panel each and a line per point, over
    `x`: steps, examples or evaluations.

    With more than `most` points the best ones are drawn.
    """
    ranked = points(ds, by=by)
    lines, notes = point_lines(ds, ranked, most)
    figure, axes = plt.subplots(1, len(variables), figsize=(6 * len(variables) + 2, 4.5),
                                squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], variables):
        _curve_panel(axis, ds, name, lines, x, "student")
    _legend_beside(axes[0][-1])
    notes = notes + _undrawn(axes[0][0], lines, f"it has no {variables[0]}")
    usable = int((ranked["n"] > 0).sum())
    more = f" – best {most} of {usable} points" if usable > most else ""
    return _finish(figure, ds, notes, "student", more)


def figure1(ds, x="steps"):
    """Split-MNIST: overall accuracy, training loss, and the accuracy on every task, for the best
    point of every pair of activation and optimizer."""
    names = settings(ds)
    lines, notes = best_lines(ds, [name for name in PAIR if name in names])
    across = max(2, min(4, len(lines)))
    down = -(-len(lines) // across)
    figure = plt.figure(figsize=(4 * across + 3, 4 + 2.8 * down), layout="constrained")
    grid = figure.add_gridspec(2 + down, 2 * across)
    for place, name in ((slice(0, across), "accuracy"), (slice(across, None), "loss")):
        axis = figure.add_subplot(grid[:2, place])
        _curve_panel(axis, ds, name, lines, x, "paper")
    _legend_beside(axis)
    notes = notes + _undrawn(axis, lines, "it has no loss")
    tasks = labelled(ds, "task_accuracy", lines, FINISHED + UNFINISHED)
    colours = plt.get_cmap("viridis")
    for index, line in enumerate(lines):
        row, column = divmod(index, across)
        axis = figure.add_subplot(grid[2 + row, 2 * column:2 * column + 2], sharex=axis)
        part = tasks[tasks["line"] == index]
        part = part[part["trial"].isin(line.finished or line.unfinished)]
        last = max(1, int(tasks["task"].max()))
        for task, values in part.groupby("task"):
            _band(axis, values, AXES[x][0], colours(0.9 * task / last), f"task {task + 1}", "paper")
        _boundaries(axis, ds, AXES[x][0])
        axis.set(title=line.label, ylim=(0, 1))
        axis.title.set_fontsize("small")
        if index == 0:
            axis.legend(fontsize="xx-small")
            axis.set_ylabel("accuracy on each task")
    return _finish(figure, ds, notes, "paper")


def stability(ds, setting, x=None):
    """Permuted MNIST over values of one setting of the activation: accuracy on the newest task after
    each task (plasticity) and on task 1 throughout (stability). Points without the setting, such
    as relu, are drawn as reference in black. `x`: as in learning_curves, or None: tasks seen."""
    names = settings(ds)
    if setting not in names:
        raise ResultError(f"the file has no setting `{setting}`")
    lines, notes = best_lines(ds, ["model.activation", setting])
    values = np.array([line.row[names[setting]] for line in lines], dtype=float)
    low, span = np.nanmin(values), (np.nanmax(values) - np.nanmin(values)) or 1.0
    for line, value in zip(lines, values):
        line.colour = REFERENCE
        if value == value:
            line.label = f"{setting.rsplit('.', 1)[-1]} = {value:g}"
            line.colour = plt.get_cmap("viridis")(0.9 * (value - low) / span)
    lines = [lines[index] for index in np.argsort(values, kind="stable")]
    figure, axes = plt.subplots(1, 2, figsize=(13.5, 4.5), sharex=True, layout="constrained")
    _task_panel(axes[0], ds, lines, lambda frame: frame[frame["train_task"] == frame["eval_task"]], x,
                "paper")
    _task_panel(axes[1], ds, lines, lambda frame: frame[frame["eval_task"] == 0], x, "paper")
    axes[0].set(ylabel="accuracy on the newest task")
    axes[1].set(ylabel="accuracy on task 1")
    _legend_beside(axes[1])
    return _finish(figure, ds, notes + _undrawn(axes[0], lines, NO_TASK), "paper")


def methods(datasets, x=None):
    """All methods of the class-incremental comparison, and what else the files hold: mean accuracy on the
    tasks seen so far, and forgetting (what was lost of the best earlier accuracy, over earlier tasks),
    after each task. `x`: as in stability.

    A method trained on everything at once is a dashed line across.
    """
    lines, notes = method_lines(datasets)
    figure, axes = plt.subplots(1, 2, figsize=(13.5, 4.5), sharex=True, layout="constrained")
    matrix = labelled(datasets, "accuracy_matrix", lines)
    several = len(matrix) > 0 and matrix["eval_task"].max() > 0
    across = []
    for index, line in enumerate(lines):
        part = matrix[matrix["line"] == index]
        if several and part["train_task"].max() == 0:
            across.append(line)
            axes[0].axhline(part["value"].mean(), color=line.colour, linestyle="--", linewidth=1.2,
                            label=line.label)
    _task_panel(axes[0], datasets, lines, accuracy_so_far, x, "student", across)
    _task_panel(axes[1], datasets, lines, forgetting_so_far, x, "student", across)
    axes[0].set(ylabel="accuracy on the tasks seen")
    axes[1].set(ylabel="forgetting")
    # In the order of the comparison, whatever was drawn first.
    handles = dict(zip(*reversed(axes[0].get_legend_handles_labels())))
    labels = [line.label for line in lines if line.label in handles]
    axes[1].legend([handles[label] for label in labels], labels, fontsize="small", loc="upper left",
                   bbox_to_anchor=(1.01, 1.0))
    return _finish(figure, datasets, notes + _undrawn(axes[0], lines, NO_TASK), "student")


def accuracy_so_far(matrix):
    """Of tidy accuracy matrices, for every trial and task i: the mean over j <= i of R[i, j]."""
    return _per_task(matrix[matrix["eval_task"] <= matrix["train_task"]])


def forgetting_so_far(matrix):
    """The mean over j < i of max_{l < i} R[l, j] - R[i, j], from the second task on."""
    matrix = matrix.sort_values("train_task")
    best = matrix.groupby(["trial", "eval_task"])["value"].transform(
        lambda column: column.cummax().shift())
    lost = matrix.assign(value=best - matrix["value"])
    return _per_task(lost[lost["eval_task"] < lost["train_task"]])


def _per_task(matrix):
    means = matrix.groupby(["trial", "train_task"], as_index=False)["value"].mean()
    return means.assign(task=means["train_task"] + 1)


FIGURES = {
    "1": figure1,
    "2": lambda ds, x=None: stability(ds, "model.activation.z_k", x),
    "3": lambda ds, x=None: stability(ds, "model.activation.alpha", x),
    "methods": methods,
    "scr": plasticity_figures.scr,
    "opm": plasticity_figures.opm,
    "cin": plasticity_figures.cin,
    "cic": plasticity_figures.cic,
    "alma": alma_figures.alma,
    "apd": apd_figures.capacity,
    "apd-orders": apd_figures.orders,
}
# These take several files.
OF_MANY = ("methods", "scr", "opm", "cin", "cic", "alma", "apd", "apd-orders")


def save(figure, path):
    """Writes the figure; the ending of the path chooses the format."""
    try:
        figure.savefig(pathlib.Path(path), dpi=130)
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: cannot be written: {error}") from error
    finally:
        plt.close(figure)


def _finish(figure, datasets, notes, interval, more=""):
    figure.text(0.005, 0.005, f"bands: {INTERVALS[interval]}", fontsize="x-small", color="0.4")
    figure.suptitle(", ".join(_headline(ds) for ds in as_list(datasets)) + more)
    figure.left_out = notes
    return figure


def _undrawn(axis, lines, why):
    """Sentences about lines of which nothing is on the axis."""
    drawn = axis.get_legend_handles_labels()[1]
    return [f"left out {line.label}: {why}" for line in lines if line.label not in drawn]


def _curve_panel(axis, ds, name, lines, x, interval):
    """One curve over the axis `x`: a band per line, and what went a part of the way."""
    column, label = AXES[x]
    if column != "evaluation":
        need(ds, column)
    finished, unfinished = (labelled(ds, name, lines, statuses) for statuses in (FINISHED, UNFINISHED))
    if not (finished["line"] >= 0).any() and unfinished.empty:
        raise ResultError("no trial has finished yet" if not lines
                          else f"no finished trial has measured `{name}`")
    for index, line in enumerate(lines):
        if line.finished:
            _band(axis, finished[finished["line"] == index], column, line.colour, line.label,
                  interval)
        _partial(axis, unfinished[unfinished["line"] == index], column, line)
    others = unfinished[unfinished["line"] < 0]
    for number, (_, part) in enumerate(others.groupby("trial")):
        count = others["trial"].nunique()
        _trial(axis, part, column, GREY,
               f"stopped, {count} trials of other points" if number == 0 else None)
    _boundaries(axis, ds, column)
    axis.set(xlabel=label, ylabel=_title(ds, name))


def _task_panel(axis, datasets, lines, measure, x, interval, without=()):
    """What `measure` makes of accuracy matrices, over tasks seen or the axis `x` at the ends of tasks."""
    column, label = ("task", "tasks seen") if x is None else AXES[x]
    ends = {} if x is None else phase_ends(datasets, column)
    finished, unfinished = (labelled(datasets, "accuracy_matrix", lines, statuses)
                            for statuses in (FINISHED, UNFINISHED))

    def part(matrix, index):
        frame = measure(matrix[matrix["line"] == index])
        frame = frame.assign(task=frame["train_task"] + 1)
        if x is None:
            return frame
        keys = zip(frame["trial"], frame["train_task"])
        return frame.assign(**{column: [ends.get(key, np.nan) for key in keys]})

    for index, line in enumerate(lines):
        if line not in without:
            if line.finished:
                _band(axis, part(finished, index), column, line.colour, line.label, interval)
            _partial(axis, part(unfinished, index), column, line)
    if x is None:
        axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axis.set(xlabel=label)


def _band(axis, frame, over, colour, label, interval):
    if frame.empty:
        return
    grouped = frame.groupby(over)["value"]
    mean, count = grouped.mean(), grouped.count()
    factor = np.array(factors(int(count.max()), interval))[count.to_numpy()]
    half = (grouped.std(ddof=1) * factor).fillna(0.0)
    axis.plot(mean.index, mean, color=colour, label=label, linewidth=1.4)
    axis.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


def _partial(axis, frame, over, line):
    """The trials of a line that went a part of the way; they carry its label if there is nothing else of it."""
    for number, (_, part) in enumerate(frame.groupby("trial")):
        _trial(axis, part, over, line.colour, line.label if number == 0 and not line.finished else None)


def _trial(axis, frame, over, colour, label):
    frame = frame.sort_values(over)
    axis.plot(frame[over], frame["value"], color=colour, label=label, linewidth=0.7, marker="x",
              markersize=4, markevery=[-1], zorder=1)


def _legend_beside(axis):
    # Outside the axes: it would cover curves wherever it stood inside.
    axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1.0))


def _boundaries(axis, ds, column):
    """A thin line at the last evaluation of every phase, if there are few enough to be of use."""
    if "phase" not in ds.variables or (column != "evaluation" and column not in ds.variables):
        return
    phase = ds["phase"].values
    place = (np.broadcast_to(np.arange(1.0, phase.shape[1] + 1), phase.shape) if column == "evaluation"
             else ds[column].values)
    ends = np.unique(place[:, :-1][phase[:, 1:] > phase[:, :-1]])
    if ends.size <= 20:
        for end in ends:
            axis.axvline(end, color="0.85", linewidth=0.8, zorder=0)


def _title(ds, name):
    return {"accuracy": "test accuracy, all classes", "loss": "training loss, running mean"}.get(
        name, str(ds[name].attrs.get("long_name", name)))


def _headline(ds):
    title = str(ds.attrs.get("title", ""))
    return title if ds.attrs.get("complete", 1) else f"{title} (still running)".strip()
