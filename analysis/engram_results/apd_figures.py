"""Figures of task-incremental learning over orders of tasks: accuracy against capacity, and disparity of tasks between orders.

As the other figures, they have the attribute `left_out`.
"""

import matplotlib

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from .alma import spread
from .apd import problems_of
from .files import ResultError
from .lines import colour
from .orders import disparity
from .plasticity_figures import finish

BANDS = "bars: ± one standard deviation over seeds (divisor n − 1)"


def capacity(datasets):
    """Mean accuracy over capacity after the last task, a panel per problem and a point per method."""
    figure, panels, notes = _panels(datasets)
    for axis, problem in panels:
        for index, (method, one) in enumerate(problem.best().items()):
            if one.capacity is None:
                notes.append(f"left out {method} of {problem.name}: it has not measured capacity")
                continue
            axis.errorbar(one.capacity.mean(), one.mean.mean(), np.nan_to_num(spread(one.mean)), np.nan_to_num(spread(one.capacity)),
                          fmt="o", color=colour(index), label=f"{method} (n = {one.n})")
        axis.set(xscale="log", xlabel="capacity, % of one network", ylabel="accuracy, %", title=problem.name)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
        _explain(axis)
    return finish(figure, datasets, notes, BANDS)


def orders(datasets):
    """Disparity between orders (OPD) of every task, sorted, a line per method: its mean is AOPD and its end MOPD."""
    figure, panels, notes = _panels(datasets)
    for axis, problem in panels:
        for index, (method, one) in enumerate(problem.best().items()):
            if len(one.points) < 2:
                notes.append(f"left out {method} of {problem.name}: it has one order")
                continue
            opd = np.sort(disparity(one.accuracy.mean(axis=0))[0])
            axis.plot(np.arange(1, len(opd) + 1), opd, marker=".", color=colour(index),
                      label=f"{method}: AOPD {opd.mean():.2f}, MOPD {opd.max():.2f}")
        axis.set(xlabel="tasks, by disparity", ylabel="disparity between orders, points", title=problem.name)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        _explain(axis)
    return finish(figure, datasets, notes, "of accuracies that are means over seeds")


def _panels(datasets):
    """A figure, (axis, problem) of every problem, two in a row, and an empty list for what is left out."""
    problems = problems_of(datasets)
    if not problems:
        raise ResultError("no finished trials of tasks with a head each in several orders")
    columns = min(len(problems), 2)
    rows = -(-len(problems) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(7.5 * columns, 4.2 * rows), squeeze=False, layout="constrained")
    for axis in axes.flat[len(problems):]:
        axis.set_axis_off()
    return figure, zip(axes.flat, problems), []


def _explain(axis):
    """A dozen methods: their names stand beside the panel, where they hide none."""
    axis.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1))
