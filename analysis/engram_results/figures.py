"""Learning curves, figures 1 to 3 of the Hard ASH paper, and class-incremental methods compared."""

import pathlib

import matplotlib
import matplotlib.ticker

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np

from .files import ResultError, settings
from .frames import curves, gather
from .ranking import best_points, describe, group_ids, maximise, points, telling
from .tables import method_points

REFERENCE = "black"


def learning_curves(ds, variables=("accuracy", "loss"), by=None, most=8):
    """Mean ± 95 % interval over seeds of every variable, a panel each and a line per point.

    With more than `most` points the best ones are drawn. Returns the figure.
    """
    lines, left = _lines(ds, points(ds, by=by), most)
    figure, axes = plt.subplots(1, len(variables), figsize=(6 * len(variables) + 2, 4.5),
                                squeeze=False, layout="constrained")
    for axis, name in zip(axes[0], variables):
        frame = _labelled(ds, name, lines)
        _draw(axis, frame, lines, "step")
        _boundaries(axis, ds)
        axis.set(xlabel="minibatches", ylabel=_title(ds, name))
    _legend_beside(axes[0][-1])
    figure.suptitle(_headline(ds) + (f" – best {len(lines)} of {len(lines) + left} points"
                                     if left else ""))
    return figure


def figure1(ds):
    """Split-MNIST: overall accuracy, training loss, and the accuracy on every task, for the best
    point of every activation."""
    lines, _ = _lines(ds, best_points(ds, by=["model.activation"]), most=9)
    across = max(2, min(4, len(lines)))
    down = -(-len(lines) // across)
    figure = plt.figure(figsize=(4 * across, 4 + 2.8 * down), layout="constrained")
    grid = figure.add_gridspec(2 + down, 2 * across)
    for place, name in ((slice(0, across), "accuracy"), (slice(across, None), "loss")):
        axis = figure.add_subplot(grid[:2, place])
        _draw(axis, _labelled(ds, name, lines), lines, "step")
        _boundaries(axis, ds)
        axis.set(xlabel="minibatches", ylabel=_title(ds, name))
    axis.legend(fontsize="small")
    tasks = _labelled(ds, "task_accuracy", lines)
    colours = plt.get_cmap("viridis")
    for index, (group, (label, _)) in enumerate(lines.items()):
        row, column = divmod(index, across)
        axis = figure.add_subplot(grid[2 + row, 2 * column:2 * column + 2])
        last = max(1, int(tasks["task"].max()))
        for task, part in tasks[tasks["line"] == group].groupby("task"):
            _band(axis, part, "step", colours(0.9 * task / last), f"task {task + 1}")
        _boundaries(axis, ds)
        axis.set(title=label, ylim=(0, 1))
        axis.title.set_fontsize("small")
        if index == 0:
            axis.legend(fontsize="xx-small")
            axis.set_ylabel("accuracy on each task")
    figure.suptitle(_headline(ds))
    return figure


def stability(ds, setting):
    """Permuted MNIST over values of one setting of the activation: accuracy on the newest task after
    each task (plasticity) and on task 1 throughout (stability). Points without the setting, such
    as relu, are drawn as reference in black."""
    names = settings(ds)
    if setting not in names:
        raise ResultError(f"the file has no setting `{setting}`")
    columns = ["model.activation"] if "model.activation" in names else []
    ranked = best_points(ds, by=columns + [setting])
    ranked = ranked.sort_values(names[setting], na_position="last", kind="stable")
    lines, _ = _lines(ds, ranked, most=len(ranked))
    values = ranked[names[setting]].astype(float)
    low, span = values.min(), (values.max() - values.min()) or 1.0
    for group, value in zip(lines, values):
        has = value == value
        label = f"{setting.rsplit('.', 1)[-1]} = {value:g}" if has else lines[group][0]
        lines[group] = (label, plt.get_cmap("viridis")(0.9 * (value - low) / span) if has
                        else REFERENCE)
    matrix = _labelled(ds, "accuracy_matrix", lines)
    matrix = matrix.assign(task=matrix["train_task"] + 1)
    figure, axes = plt.subplots(1, 2, figsize=(13.5, 4.5), sharex=True, layout="constrained")
    newest = matrix[matrix["train_task"] == matrix["eval_task"]]
    _draw(axes[0], newest, lines, "task")
    _draw(axes[1], matrix[matrix["eval_task"] == 0], lines, "task")
    axes[0].set(xlabel="tasks seen", ylabel="accuracy on the newest task")
    axes[1].set(xlabel="tasks seen", ylabel="accuracy on task 1")
    _legend_beside(axes[1])
    figure.suptitle(_headline(ds))
    return figure


def methods(ds):
    """All methods of the class-incremental comparison: mean accuracy on the tasks seen so far, and
    forgetting (what was lost of the best earlier accuracy, over earlier tasks), after each task.

    A method trained on everything at once is a dashed line across. Returns the figure.
    """
    lines = _method_lines(ds)
    matrix = _labelled(ds, "accuracy_matrix", lines)
    tasks = int(matrix["eval_task"].max()) + 1
    figure, axes = plt.subplots(1, 2, figsize=(13.5, 4.5), sharex=True, layout="constrained")
    for group, (label, colour) in lines.items():
        part = matrix[matrix["line"] == group]
        if tasks > 1 and part["train_task"].max() == 0:
            final = part["value"].mean()
            axes[0].axhline(final, color=colour, linestyle="--", linewidth=1.2, label=label)
            continue
        _band(axes[0], accuracy_so_far(part), "task", colour, label)
        _band(axes[1], forgetting_so_far(part), "task", colour, label)
    axes[0].xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(integer=True))
    axes[0].set(xlabel="tasks seen", ylabel="accuracy on the tasks seen")
    axes[1].set(xlabel="tasks seen", ylabel="forgetting")
    handles, labels = axes[0].get_legend_handles_labels()
    axes[1].legend(handles, labels, fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1.0))
    figure.suptitle(_headline(ds))
    return figure


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


def _colour(index):
    """Twenty colours: ten strong ones, then a lighter one of each."""
    return matplotlib.colormaps["tab20"].colors[(2 * index) % 20 + (index // 10) % 2]


def _method_lines(ds):
    """As _lines: the best point of every method."""
    lines = {}
    for entry, best in method_points(ds):
        if best.empty:
            continue
        row = best.sort_values("score", ascending=not maximise(ds), kind="stable").iloc[0]
        columns = [column for column in best.columns if column in settings(ds).values()]
        members = _groups(ds, columns)[row["group"]]
        lines[members] = (f"{entry['label']} (n = {row['n']:.0f})", _colour(len(lines)))
    if not lines:
        raise ResultError("no finished trial belongs to the class-incremental comparison")
    return lines


FIGURES = {
    "1": figure1,
    "2": lambda ds: stability(ds, "model.activation.z_k"),
    "3": lambda ds: stability(ds, "model.activation.alpha"),
    "methods": methods,
}


def save(figure, path):
    """Writes the figure; the ending of the path chooses the format."""
    try:
        figure.savefig(pathlib.Path(path), dpi=130)
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: cannot be written: {error}") from error
    finally:
        plt.close(figure)


def _lines(ds, ranked, most):
    """{group of trials: (label, colour)} for the first points that have results, and how many more
    there are."""
    ranked = ranked[ranked["n"] > 0]
    if ranked.empty:
        raise ResultError("no trial has finished yet")
    shown = {dotted: column for dotted, column in telling(ds).items() if column in ranked}
    columns = [column for column in ranked.columns if column in settings(ds).values()]
    groups = _groups(ds, columns)
    lines = {}
    for index, (_, row) in enumerate(ranked.head(most).iterrows()):
        label = describe(row, shown) or "all trials"
        lines[groups[row["group"]]] = (f"{label} (n = {row['n']:.0f})", _colour(index))
    return lines, max(0, len(ranked) - most)


def _groups(ds, columns):
    """{group number of a summary: positions of its trials}."""
    ids = group_ids(gather(ds)[0], columns)
    return {group: tuple(np.nonzero(ids == group)[0]) for group in np.unique(ids)}


def _labelled(ds, name, lines):
    """The curve `name` of the trials that are drawn, with the group each belongs to in `line`."""
    frame = curves(ds, name)
    owner = {trial: group for group in lines for trial in group}
    frame = frame[frame["trial"].isin(owner.keys())]
    if frame.empty:
        raise ResultError(f"no finished trial has measured `{name}`")
    return frame.assign(line=[owner[trial] for trial in frame["trial"]])


def _draw(axis, frame, lines, over):
    for group, (label, colour) in lines.items():
        _band(axis, frame[frame["line"] == group], over, colour, label)


def _band(axis, frame, over, colour, label):
    grouped = frame.groupby(over)["value"]
    mean = grouped.mean()
    half = (1.96 * grouped.std(ddof=0) / np.sqrt(grouped.count())).fillna(0.0)
    axis.plot(mean.index, mean, color=colour, label=label, linewidth=1.4)
    axis.fill_between(mean.index, mean - half, mean + half, color=colour, alpha=0.2, linewidth=0)


def _legend_beside(axis):
    # Outside the axes: it would cover curves wherever it stood inside.
    axis.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1.01, 1.0))


def _boundaries(axis, ds):
    """A thin line at the last evaluation of every phase, if there are few enough to be of use."""
    if "phase" not in ds.variables or "step" not in ds.variables:
        return
    step, phase = ds["step"].values, ds["phase"].values
    ends = np.unique(step[:, :-1][phase[:, 1:] > phase[:, :-1]])
    if ends.size <= 20:
        for end in ends:
            axis.axvline(end, color="0.85", linewidth=0.8, zorder=0)


def _title(ds, name):
    return {"accuracy": "test accuracy, all classes", "loss": "training loss, running mean"}.get(
        name, str(ds[name].attrs.get("long_name", name)))


def _headline(ds):
    title = str(ds.attrs.get("title", ""))
    return title if ds.attrs.get("complete", 1) else f"{title} (still running)".strip()
