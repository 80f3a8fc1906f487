"""Claims C1 to C6: class-incremental CIFAR-100 without forgetting.

The paper's size is 20 increments of 5 classes, 200 epochs each, in a residual net of width 64. A smaller sweep can show
the direction of C3, C4 and C5, which then have a row of their own that says what was cut; the relative accuracies of C1,
C2 and C6 need the long version. The accuracy of an increment is the largest on the test images over its epochs, as in
the paper; the one of the epoch that held-out images select is in the numbers beside it. Accuracies of single classes
(C5) are those of what an increment leaves behind.
"""

import numpy as np

from . import published
from .plasticity import best_of_each, late, rank_correlation
from .runs import lead, standard_error
from .verdict import ERRORS, Case, above_zero, concluded, mean_text, untested, within

PEAK, SELECTED, DORMANT, RANK = "peak_accuracy", "selected_accuracy", "dormant_percent", "stable_rank_percent"
CLASSES = "class_accuracy"
FEWEST_RUNS = 2  # a verdict is not told from a single run
FULL = {"stream.tasks": 20, "stream.classes": 5, "stream.epochs": 200, "model.width": 64}
METHODS = ("base", "head_reset", "snp", "cbp")  # from the most to the least loss of plasticity
STATEMENTS = {
    "C1": "89-90 at 5 classes for all; at 100 classes: retrained 76.1, CBP 76.13, S&P 74.5, head reset 73.7, base 71.1",
    "C2": "less the retrained network: base above until near 40 classes, -5 at 100; head reset -2.4; S&P -1.5; CBP within 0.3",
    "C3": "dormant units at the start of the last increments, %: base 56, head reset 41, S&P 7.7, CBP 1.4",
    "C4": "stable rank of the last hidden layer, % of its units: 95.6 untrained; at 100 classes base 75, head reset 89.7, "
          "S&P 89.4, CBP 92.6",
    "C5": "when a class was introduced does not tell its final accuracy",
    "C6": "CBP, maturity 1000: replacement rate 1e-5 is the best of 1e-4, 1e-5, 1e-6"}
DIRECTIONS = {
    "C3": "dormant units at the start of the last increment: base most, then head reset, S&P, CBP",
    "C4": "stable rank of the last hidden layer: base lowest at the end, CBP highest"}


def judge(points):
    """Verdicts for C1 to C6, and the direction of C3 to C5 for each smaller problem in the files."""
    levels = published.loss_of_plasticity()["cic"]
    points = [point for point in points if point.n >= FEWEST_RUNS and point.has(PEAK)]
    full = [point for point in points if _is_full(point)]
    best = best_of_each(full, PEAK)
    verdicts = [_c1(best, levels), _c2(best, levels), _c3(best, levels), _c4(best, levels), _c5("C5", best), _c6(full)]
    groups = {}
    for point in points:
        if not _is_full(point):
            groups.setdefault(_problem(point), []).append(point)
    for name in sorted(groups) or ["any smaller net and fewer epochs"]:
        verdicts += _directions(name, groups.get(name, []))
    return verdicts


def _is_full(point):
    return point.get("dataset") == "cifar100" and all(point.near(name, value) for name, value in FULL.items())


def _problem(point):
    return ", ".join(f"{point.get(name):g} {words}" for name, words in (
        ("stream.tasks", "increments"), ("stream.classes", "classes each"), ("stream.epochs", "epochs"),
        ("model.width", "filters at first")) if point.get(name) is not None)


def _percent(point, name=PEAK):
    return 100 * point.curve(name)


def _have(best, *names, curves=(PEAK,)):
    return all(name in best and all(best[name].has(curve) for curve in curves) for name in names)


def _table(best, values, what):
    """"what: base 71.1 ± 0.2, …" of all methods."""
    return f"{what}: " + ", ".join(f"{point.label} {mean_text(values(point))}" for point in
                                   sorted(best.values(), key=lambda point: -values(point).mean()))


def _c1(best, levels):
    if not _have(best, *levels["last"]):
        return untested("C1", STATEMENTS["C1"])
    low, high = levels["first"]
    cases = []
    for name, wanted in levels["last"].items():
        curve = _percent(best[name])
        cases += [Case(within(curve[:, 0], low, high, levels["reading"]),
                       f"{name} at 5 classes: {mean_text(curve[:, 0])} (published {low:g}-{high:g})"),
                  Case(within(curve[:, -1], wanted, wanted, levels["reading"]),
                       f"{name} at 100 classes: {mean_text(curve[:, -1])} (published {wanted:g})")]
    verdict = concluded("C1", STATEMENTS["C1"], cases, [best[name] for name in levels["last"]])
    chosen = {name: point for name, point in best.items() if point.has(SELECTED)}
    if chosen:
        verdict.numbers.append(_table(chosen, lambda point: _percent(point, SELECTED)[:, -1],
                                      "at the epoch that held-out images select"))
    return verdict


def _relative(best, name, increment):
    return lead(best[name], best["retrained"], lambda which: _percent(which)[:, increment])


def _c2(best, levels):
    if not _have(best, "retrained", *METHODS):
        return untested("C2", STATEMENTS["C2"])
    cases = []
    for name, wanted in levels["relative"].items():
        last = _relative(best, name, -1)
        cases.append(Case(within(last, wanted, wanted, levels["reading"]),
                          f"{name} less retrained at 100 classes: {mean_text(last)} (published {wanted:g})"))
    gained = _relative(best, "base", 2)
    cases.append(Case(above_zero(gained), f"base less retrained at 15 classes: {mean_text(gained)} (published 2.4)"))
    means = [_relative(best, "base", k).mean() for k in range(20)]
    crosses = next((5 * (k + 1) for k in range(20) if all(mean < 0 for mean in means[k:])), None)
    near = crosses is not None and abs(crosses - levels["base_crosses"]) <= 10
    cases.append(Case(near, f"base is below the retrained network from {crosses or 'no'} classes on (published near 40)"))
    after = lead(best["cbp"], best["retrained"], lambda which: _percent(which)[:, 8:].mean(axis=1))
    cases.append(Case(within(after, -0.3, 0.3, 0), f"CBP less retrained after 40 classes: {mean_text(after)}"))
    return concluded("C2", STATEMENTS["C2"], cases, [best[name] for name in (*METHODS, "retrained")])


def _c3(best, levels):
    if not _have(best, *METHODS, curves=(PEAK, DORMANT)):
        return untested("C3", STATEMENTS["C3"])
    cases = [Case(within(late(best[name].curve(DORMANT)), wanted, wanted, levels["reading_dormant"]),
                  f"{name}: {mean_text(late(best[name].curve(DORMANT)), 1)} (published {wanted:g})")
             for name, wanted in levels["dormant"].items()]
    return concluded("C3", STATEMENTS["C3"], cases, [best[name] for name in METHODS])


def _c4(best, levels):
    if not _have(best, *METHODS, curves=(PEAK, RANK)):
        return untested("C4", STATEMENTS["C4"])
    first = best["base"].curve(RANK)[:, 0]
    wanted = levels["stable_rank_first"]
    cases = [Case(within(first, wanted, wanted, levels["reading_dormant"]),
                  f"untrained: {mean_text(first, 1)} (published {wanted:g})")]
    cases += [Case(within(best[name].curve(RANK)[:, -1], wanted, wanted, levels["reading_dormant"]),
                   f"{name}: {mean_text(best[name].curve(RANK)[:, -1], 1)} (published {wanted:g})")
              for name, wanted in levels["stable_rank"].items()]
    return concluded("C4", STATEMENTS["C4"], cases, [best[name] for name in METHODS])


def _c5(claim, best):
    """A case per method of which every run recorded the accuracy of every class on all that are there, and nothing else:
    an evaluation that covers earlier tasks has the same classes among fewer, too."""
    there = [point for point in best.values() if point.has(CLASSES) and point.everywhere("eval.tasks", "current_only")]
    if not there:
        why = "the measure class_accuracy with eval.tasks = current_only is not in the files"
        return untested(claim, STATEMENTS["C5"], why if best else "")
    cases = []
    for point in there:
        correlations, classes = zip(*(_of_introduction(run) for run in point.each(CLASSES)))
        slack = ERRORS * float(np.nan_to_num(standard_error(correlations)))
        cases.append(Case(within(correlations, 0, 0, 0),
                          f"{point.label}: {mean_text(correlations)} (within ±{slack:.2f} is none), {min(classes)} classes, "
                          f"{point.n} runs"))
    verdict = concluded(claim, STATEMENTS["C5"], cases, there)
    verdict.numbers.append("each is Spearman's rank correlation, over the classes of a run, of the increment that introduced a class with "
                           f"its accuracy after the last; it holds if no mean is more than {ERRORS} standard errors from 0")
    return verdict


def _of_introduction(accuracy):
    """Of one run [increments, classes]: the correlation, and how many classes there are. The order of the classes is
    another one in every run; a class was introduced in the first increment that has a value of it."""
    known = np.isfinite(accuracy)
    there = known.any(axis=0)
    return rank_correlation(known.argmax(axis=0)[there], accuracy[-1, there]), int(there.sum())


def _c6(full):
    rates = {}
    for point in full:
        rate = next((value for name, value in point.settings.items() if name.endswith(".replacement_rate")), None)
        mature = next((value for name, value in point.settings.items() if name.endswith(".maturity")), None)
        if point.method == "cbp" and rate and mature == 1000:
            rates[float(rate)] = point
    if not all(any(np.isclose(rate, wanted) for rate in rates) for wanted in (1e-4, 1e-5, 1e-6)):
        return untested("C6", STATEMENTS["C6"])
    middle = next(point for rate, point in rates.items() if np.isclose(rate, 1e-5))
    cases = []
    for rate, point in sorted(rates.items()):
        if point is not middle:
            over = lead(middle, point, lambda which: _percent(which).mean(axis=1))
            cases.append(Case(above_zero(over), f"1e-5 above {rate:g}: {mean_text(over)}"))
    return concluded("C6", STATEMENTS["C6"], cases, list(rates.values()))


def _directions(name, points):
    """The rows of one smaller problem."""
    best = best_of_each(points, PEAK)
    verdicts = [_order(f"C3 ({name})", DIRECTIONS["C3"], best, DORMANT, lambda point: late(point.curve(DORMANT)), 1),
                _order(f"C4 ({name})", DIRECTIONS["C4"], best, RANK, lambda point: point.curve(RANK)[:, -1], -1),
                _c5(f"C5 ({name})", best)]
    for verdict in verdicts:
        if verdict.runs:
            verdict.numbers += [
                _table(best, lambda point: _percent(point)[:, -1], "largest test accuracy in the last increment"),
                f"cut: {name} (paper 20 increments, 5 classes each, 200 epochs, 64 filters at first); "
                f"{min(point.n for point in points)} runs (15 to 30)"]
    return verdicts


def _order(claim, statement, best, curve, values, sign):
    """A case per pair that the statement names; sign 1: falls from base to CBP, -1: rises."""
    if not _have(best, "base", "cbp", curves=(PEAK, curve)):
        return untested(claim, statement)
    there = [name for name in METHODS if _have(best, name, curves=(PEAK, curve))]
    pairs = zip(there, there[1:]) if sign > 0 else [("base", name) for name in there[1:]] + [
        (name, "cbp") for name in there[1:-1]]
    cases = []
    for first, second in pairs:
        by = sign * lead(best[first], best[second], values)
        cases.append(Case(above_zero(by), f"{first} {'above' if sign > 0 else 'below'} {second}: {mean_text(by, 1)}"))
    verdict = concluded(claim, statement, cases, [best[name] for name in there])
    verdict.numbers.append(_table({name: point for name, point in best.items() if point.has(curve)}, values,
                                  "before the last increment"))
    return verdict
