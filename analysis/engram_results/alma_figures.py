"""Figure of anytime learning at macroscale: error over mega-batches, and CER at equal compute and memory.

As the other figures, it has the attribute `left_out`.
"""

import matplotlib

matplotlib.use("Agg")  # no display is needed to write a file

import matplotlib.pyplot as plt
import numpy as np

from .alma import problems_of, spread
from .alma_cases import BUDGETS, ends
from .files import ResultError
from .frontier import frontier
from .lines import colour
from .plasticity_figures import finish

BANDS = "bands and bars: ± one standard deviation over seeds (divisor n − 1)"
AXES = {"compute": "operations of training, all mega-batches together", "memory": "parameters, summed over mega-batches"}
MARKERS = {False: "o", True: "^"}   # with replay


def alma(datasets):
    """Error over mega-batches of every method without replay, a line per waiting time, at the smallest and the largest
    size; and CER of all configurations over compute and over memory with the frontier of each method. Of several problems
    the one with the most runs."""
    problems = [problem for problem in problems_of(datasets) if problem.configurations]
    if not problems:
        raise ResultError("no finished runs of the stream mega_batches, with two seeds and the measure anytime")
    problem = max(problems, key=lambda one: sum(of.n for of in one.configurations))
    notes = [f"left out {other.name}: {problem.name} has more runs" for other in problems if other is not problem]
    methods = {method: problem.chosen(method) for method in problem.methods()}
    sizes = sorted({size for chosen in methods.values() for size in ends(chosen)})
    sizes = list(dict.fromkeys((sizes[0], sizes[-1]))) if sizes else []
    figure = plt.figure(figsize=(max(13.5, 3.6 * len(methods)), 4.8 + 3.2 * len(sizes)), layout="constrained")
    parts = figure.subfigures(2, 1, height_ratios=(3.2 * len(sizes), 4.8)) if sizes else [None, figure]
    if sizes:
        notes += _curves(parts[0], problem, methods, sizes)
    _frontiers(parts[1], problem)
    return finish(figure, datasets, notes, BANDS)


def _curves(part, problem, methods, sizes):
    """A panel for every size and method; sentences about what is not in them."""
    axes = part.subplots(len(sizes), len(methods), squeeze=False, sharex=True, sharey=True)
    waits = sorted({one.wait for one in problem.configurations if not one.replay})
    for row, size in zip(axes, sizes):
        for axis, (method, chosen) in zip(row, methods.items()):
            for index, wait in enumerate(waits):
                if (size, wait) in chosen:
                    _steps(axis, chosen[size, wait], colour(index))
            axis.set_title(f"{method}, size {size}", fontsize="medium")
    for axis in axes[-1]:
        axis.set_xlabel("mega-batch")
    for row in axes:
        row[0].set_ylabel("test error")
    handles = [matplotlib.lines.Line2D([], [], color=colour(index), label=f"w = {wait}") for index, wait in enumerate(waits)]
    axes[0][-1].legend(handles=handles, fontsize="x-small", loc="upper left", bbox_to_anchor=(1.01, 1.0))
    others = sorted({size for chosen in methods.values() for size, _ in chosen} - set(sizes))
    notes = [f"left out of the error curves: sizes {', '.join(map(str, others))}"] if others else []
    choices = [problem.choice(method, chosen.values()) for method, chosen in methods.items()]
    return notes + [f"of several variants the curves show {words}" for words in choices if words]


def _steps(axis, one, colour_):
    places = np.arange(one.error.shape[1])
    mean = one.error.mean(axis=0)
    deviation = np.nan_to_num([spread(column) for column in one.error.T])
    axis.plot(places, mean, color=colour_, linewidth=1.2, drawstyle="steps-post", label=f"w = {one.wait} (n = {one.n})")
    axis.fill_between(places, mean - deviation, mean + deviation, step="post", color=colour_, alpha=0.2, linewidth=0)


def _frontiers(part, problem):
    """CER over compute and over memory, a colour per method; with replay dashed."""
    axes = part.subplots(1, len(BUDGETS), sharey=True)
    methods = list(dict.fromkeys(problem.methods() + problem.methods(replay=True)))
    for axis, (budget, of) in zip(axes, BUDGETS.items()):
        for index, method in enumerate(methods):
            for replay in (False, True):
                there = problem.of(method, replay)
                if there:
                    label = f"{method}{', replay' if replay else ''} ({len(there)} configurations)"
                    _frontier(axis, there, of, colour(index), replay, label)
        axis.set(xscale="log", xlabel=AXES[budget], title=f"frontiers at equal {budget}")
    axes[0].set_ylabel(f"CER, 0 to {problem.chunks}")
    axes[-1].legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1.01, 1.0))


def _frontier(axis, there, of, colour_, replay, label):
    """All configurations, and the frontier, level behind its last point as in comparisons."""
    axis.errorbar([of(one).mean() for one in there], [one.cer.mean() for one in there],
                  [np.nan_to_num(spread(one.cer)) for one in there], color=colour_, alpha=0.5, fmt=MARKERS[replay], markersize=3,
                  linewidth=0.8)
    line = frontier(there, of)
    places = np.append(line.budgets, line.last)
    axis.plot(10 ** places, [line.at(place) for place in places], "--" if replay else "-", color=colour_, linewidth=1.4,
              label=label)
