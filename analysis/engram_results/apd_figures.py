"""Figures of task-incremental learning over orders of tasks: accuracy against capacity, and disparity of tasks between orders.

As the other figures, they have the attribute `left_out`.
"""

import matplotlib

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np

from .alma import spread
from .apd import problems_of
from .files import ResultError
from .lines import colour
from .orders import disparity
from .plasticity_figures import finish

BANDS = "bars: ± one standard deviation over seeds (divisor n − 1)"


def capacity(datasets):
    """Mean accuracy over capacity after the last task, a panel per problem and a point per method."""
    problems, notes = _problems(datasets), []
    figure, axes = plt.subplots(1, len(problems), figsize=(5.6 * len(problems), 4.6), squeeze=False, layout="constrained")
    for axis, problem in zip(axes[0], problems):
        for index, (method, one) in enumerate(problem.best().items()):
            if one.capacity is None:
                notes.append(f"left out {method} of {problem.name}: it has not measured capacity")
                continue
            axis.errorbar(one.capacity.mean(), one.mean.mean(), np.nan_to_num(spread(one.mean)), np.nan_to_num(spread(one.capacity)),
                          fmt="o", color=colour(index), label=f"{method} (n = {one.n})")
        axis.set(xscale="log", xlabel="capacity, % of one network", ylabel="accuracy, %", title=problem.name)
        axis.legend(fontsize="x-small")
    return finish(figure, datasets, notes, BANDS)


def orders(datasets):
    """Disparity between orders (OPD) of every task, sorted, a line per method: its mean is AOPD and its end MOPD."""
    problems, notes = _problems(datasets), []
    figure, axes = plt.subplots(1, len(problems), figsize=(5.6 * len(problems), 4.6), squeeze=False, layout="constrained")
    for axis, problem in zip(axes[0], problems):
        for index, (method, one) in enumerate(problem.best().items()):
            if len(one.points) < 2:
                notes.append(f"left out {method} of {problem.name}: it has one order")
                continue
            opd = np.sort(disparity(one.accuracy.mean(axis=0))[0])
            axis.plot(np.arange(1, len(opd) + 1), opd, marker=".", color=colour(index),
                      label=f"{method}: AOPD {opd.mean():.2f}, MOPD {opd.max():.2f}")
        axis.set(xlabel="tasks, by disparity", ylabel="disparity between orders, points", title=problem.name)
        axis.legend(fontsize="x-small")
    return finish(figure, datasets, notes, "of accuracies that are means over seeds")


def _problems(datasets):
    problems = problems_of(datasets)
    if not problems:
        raise ResultError("no finished trials of tasks with a head each in several orders")
    return problems
