"""Anytime learning: the cumulative error of every configuration against compute and memory, with frontiers, and error
over mega-batches."""

import numpy as np

from ...alma import problems_of, spread
from ...alma_cases import BUDGETS
from ...frontier import frontier
from ..view import NoData, Table, View

PLACES = 60


def view(sweep):
    """Tables `configurations`, `frontiers` and `error`; of several problems the one with the most runs."""
    if "stream" not in sweep.known or not sweep.has("anytime_error"):
        raise NoData("no trial is of the stream mega_batches with the measure anytime")
    problems = [problem for problem in problems_of(sweep.datasets) if problem.configurations]
    if not problems:
        raise NoData("no configuration of the stream mega_batches has two finished seeds")
    problem = max(problems, key=lambda one: sum(of.n for of in one.configurations))
    methods = list(dict.fromkeys(problem.methods() + problem.methods(replay=True)))
    order = sorted(problem.configurations, key=lambda one: (methods.index(one.method), one.replay, one.size, one.wait))
    rows = [[at, one.method, one.size, one.wait, "yes" if one.replay else "no", one.cer.mean(), spread(one.cer),
             one.compute.mean(), one.memory.mean(), one.n] for at, one in enumerate(order)]
    lines = []
    for method in methods:
        for replay in (False, True):
            there = problem.of(method, replay)
            for budget, of in BUDGETS.items() if there else ():
                line = frontier(there, of)
                lines += [[budget, method, "yes" if replay else "no", order.index(one), of(one).mean(), one.cer.mean()]
                          for one in line.members]
                lines += [[budget, method, "yes" if replay else "no", None, 10 ** line.last, line.at(line.last)]] \
                    if line.last > line.budgets[-1] else []
    shown = (f"{problem.name}: every method at every size, waiting time w and replay (a configuration), mean over seeds (at least "
             "2) of the cumulative error rate, the sum of test errors over mega-batches; sd with divisor n − 1. Compute: operations "
             "of training, summed; memory: parameters, summed over mega-batches. A frontier keeps the configurations that no "
             "cheaper one is as good as, and is level after the last. No selection but that.")
    return View("Anytime learning: error against compute and memory", shown, {
        "configurations": Table("every configuration", [("configuration", "integer"), ("method", "text"), ("size", "integer"),
                                                        ("w", "integer"), ("replay", "text"), ("cer", "number"), ("sd", "number"),
                                                        ("compute", "number"), ("memory", "number"), ("n", "integer")], rows),
        "frontiers": Table("frontiers", [("budget", "text"), ("method", "text"), ("replay", "text"), ("configuration", "integer"),
                                         ("cost", "number"), ("cer", "number")], lines),
        "error": Table("test error over mega-batches of the best configuration of each method",
                       [("method", "text"), ("configuration", "integer"), ("mega_batch", "integer"), ("mean", "number"),
                        ("sd", "number"), ("n", "integer")], _errors(problem, methods, order))},
        {}, [f"left out {other.name}: {problem.name} has more runs" for other in problems if other is not problem])


def _errors(problem, methods, order):
    rows = []
    for method in methods:
        there = problem.of(method) or problem.of(method, True)
        best = min(there, key=lambda one: one.cer.mean())
        width = best.error.shape[1]
        stride = max(1, -(-width // PLACES))
        for at in sorted({*range(0, width, stride), width - 1}):
            column = best.error[:, at]
            rows.append([method, order.index(best), int(at), np.mean(column), spread(column), best.n])
    return rows
