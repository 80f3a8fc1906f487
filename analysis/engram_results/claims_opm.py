"""Claims M1 to M12: online permuted MNIST.

Most are about networks of 3 × 2000 units and 800 tasks. What can be seen at 3 × 100 units has rows of its own,
which say so; the finer order of the methods belongs to the full width. Methods are compared with their best
settings in the files (mean online accuracy), BP at step 0.003, over as many tasks as all of them have.
"""

import numpy as np

from . import published
from .plasticity import late
from .runs import lead
from .verdict import Case, above_zero, concluded, mean_text, untested, within

FULL, SMALL = 2000, 100
FULL_TASKS, SMALL_TASKS = 800, 50
FEWEST_RUNS = 2      # a verdict is not told from a single run
CLOSE = 1.0          # points of accuracy by which a width may miss the published curve
CBP_LEAD = 1.5       # points that CBP ends above BP, at width 100
FEW_DEAD = 1.0       # per cent of units that count as almost none
SHARE_OF_GROWTH = 0.25  # of BP's growth of |w| in the second half: less is not growing
ACCURACY, DEAD, RANK, WEIGHT = ("online_accuracy", "dead_percent", "effective_rank_percent",
                                "mean_abs_weight")

STEPS = {"M1": ("0.003", "3×2000, step 0.003: 94.1 on task 1, 95.2 near task 10, 93.7 at task 800"),
         "M2": ("0.01", "3×2000, step 0.01: 94.1 on task 1, 90.2 at task 800"),
         "M3": ("0.001", "3×2000, step 0.001: 92.6 on task 1, 94.8 near task 50, 94.0 at task 800")}
M4 = "width {}, step 0.003: the published curve, within 1 point"
M5 = "{}: accuracy falls at every rate of change"
M6 = "{}: dead units and |w| grow and the effective rank falls, at all step sizes"
M7 = {FULL: "order at task 800: CBP, S&P, L2, BP, online norm, dropout, Adam",
      SMALL: "3×100: CBP ends on top, at least 1.5 points above BP; BP below L2, S&P and CBP"}
M8 = {FULL: "dead units at the end: CBP about 0, then S&P, dropout, BP, online norm, L2, Adam",
      SMALL: "3×100: CBP has almost no dead units, BP has more"}
M9 = {FULL: "effective rank at the end: CBP, dropout, BP, S&P, L2, Adam",
      SMALL: "3×100: CBP keeps the highest effective rank"}
M10 = "{}: mean |w| does not keep growing for L2, S&P and CBP; it does for BP"
M11 = "{}: CBP ends above BP's first task, and above a network reset at each task"
M12 = "{}: the more dropout, the lower it ends; 0.03 is about equal to BP"
ORDERS = {"M7": ("cbp", "snp", "l2", "bp", "online_norm", "dropout", "adam"),
          "M8": ("cbp", "snp", "dropout", "bp", "online_norm", "l2", "adam"),
          "M9": ("cbp", "dropout", "bp", "snp", "l2", "adam")}
SIZE = {FULL: "3×2000, 800 tasks", SMALL: "3×100, at least 50 tasks"}


def judge(points):
    """Verdicts for M1 to M12; those that a smaller network can show have a second row."""
    levels = published.loss_of_plasticity()["opm"]
    points = [point for point in points if point.n >= FEWEST_RUNS]
    verdicts = [_steps(points, claim, levels) for claim in STEPS]
    verdicts += [_width(points, width, levels) for width in (100, 1000, 10000)]
    for size in (FULL, SMALL):
        verdicts.append(_m5(points, size))
    for size in (FULL, SMALL):
        verdicts.append(_m6(points, size))
    methods = {size: _Methods(points, size) for size in (FULL, SMALL)}
    for claim in (_m7, _m8, _m9, _m10, _m11, _m12):
        verdicts += [claim(methods[size], size) for size in (FULL, SMALL)]
    return verdicts


def _name(claim, size):
    return claim if size == FULL else f"{claim} (width {size})"


def width_of(point):
    """The width of three equal hidden layers, or 0."""
    widths = str(point.get("model.hidden", "")).strip("[]").replace(",", " ").split()
    return int(widths[0]) if len(widths) == 3 and len(set(widths)) == 1 else 0


def pace_of(point):
    """Examples of a task."""
    return int(point.get("stream.change_after", 60000))


def _bp(points, width, step, pace=60000):
    """Plain backpropagation with this width, step and rate of change: the longest, or None."""
    found = [point for point in points if point.method == "bp" and width_of(point) == width
             and point.near("optimizer.lr", float(step)) and pace_of(point) == pace]
    return max(found, key=lambda point: point.curve(ACCURACY).shape[1], default=None)


def _percent(point, tasks=None):
    return 100 * point.curve(ACCURACY)[:, :tasks]


def _level_cases(point, levels, reading):
    curve = _percent(point)
    return [Case(within(curve[:, int(task) - 1], wanted, wanted, reading),
                 f"task {task}: {mean_text(curve[:, int(task) - 1])} (published {wanted:g})")
            for task, wanted in levels.items()]


def _long_enough(point, levels):
    return point is not None and point.curve(ACCURACY).shape[1] >= max(int(task) for task in levels)


def _steps(points, claim, levels):
    step, statement = STEPS[claim]
    point = _bp(points, FULL, step)
    if not _long_enough(point, levels[str(FULL)][step]):
        seen = [] if point is None else _level_cases(
            point, {task: value for task, value in levels[str(FULL)][step].items()
                    if int(task) <= point.curve(ACCURACY).shape[1]}, levels["reading"])
        return untested(claim, statement, "; ".join(case.words for case in seen))
    return concluded(claim, statement, _level_cases(point, levels[str(FULL)][step], levels["reading"]), [point])


def _width(points, width, levels):
    claim, statement = f"M4 (width {width})", M4.format(width)
    point = _bp(points, width, "0.003")
    if not _long_enough(point, levels["width"][str(width)]):
        return untested(claim, statement)
    return concluded(claim, statement, _level_cases(point, levels["width"][str(width)], CLOSE), [point])


def _m5(points, size):
    claim, statement = _name("M5", size), M5.format("3×2000, new task every 10 k, 100 k, 1 M examples" if size == FULL
                                                   else "3×100, new task every 10 k and 60 k examples")
    paces = (10_000, 100_000, 1_000_000) if size == FULL else (10_000, 60_000)
    found = [_bp(points, size, "0.003", pace) for pace in paces]
    examples = 48_000_000 if size == FULL else 1_000_000
    if any(point is None or point.curve("online_examples").max() < examples for point in found):
        return untested(claim, statement)
    cases = []
    for pace, point in zip(paces, found):
        curve = _percent(point)
        mean = curve.mean(axis=0)
        at = int(np.argmax([mean[i:i + 3].mean() for i in range(len(mean) - 2)]))
        lost = curve[:, at:at + 3].mean(axis=1) - late(curve)
        cases.append(Case(above_zero(lost), f"every {pace:,}: {mean_text(curve[:, at:at + 3].mean(axis=1))} "
                          f"at best → {mean_text(late(curve))}"))
    return concluded(claim, statement, cases, found)


def _m6(points, size):
    claim, statement = _name("M6", size), M6.format(SIZE[size])
    found = [_bp(points, size, step) for step in ("0.01", "0.003", "0.001")]
    if any(point is None or not all(point.has(name) for name in (DEAD, RANK, WEIGHT)) or
           point.curve(ACCURACY).shape[1] < _tasks(size) for point in found):
        return untested(claim, statement)
    cases = []
    for point in found:
        step = f"step {point.get('optimizer.lr'):g}"
        for name, what, sign, digits in ((DEAD, "dead units, %", 1, 1), (RANK, "effective rank, %", -1, 1),
                                         (WEIGHT, "mean |w|", 1, 4)):
            curve = point.curve(name)
            change = curve[:, -1] - curve[:, 0]
            cases.append(Case(above_zero(sign * change), f"{step}: {what} {mean_text(curve[:, 0], digits)} → "
                              f"{mean_text(curve[:, -1], digits)}"))
    if size == FULL:
        dead = found[0].curve(DEAD)[:, -1]
        cases.append(Case(within(dead, 25, 25, 5), f"step 0.01: {mean_text(dead, 1)} % dead (published up to 25)"))
    return concluded(claim, statement, cases, found)


def _tasks(size):
    return FULL_TASKS if size == FULL else SMALL_TASKS


class _Methods:
    """The best point of every method at one width, over the tasks that all have."""

    def __init__(self, points, size):
        self.points = [point for point in points if width_of(point) == size and pace_of(point) == 60000
                       and point.curve(ACCURACY).shape[1] >= _tasks(size)]
        self.tasks = min((point.curve(ACCURACY).shape[1] for point in self.points), default=0)
        self.best = {}
        for point in self.points:
            if point.method == "bp" and not point.near("optimizer.lr", 0.003):
                continue
            known = self.best.get(point.method)
            if known is None or self.accuracy(point).mean() > self.accuracy(known).mean():
                self.best[point.method] = point

    def accuracy(self, point):
        """[runs, tasks] in per cent."""
        return _percent(point, self.tasks)

    def last(self, point, name):
        """[runs]: what the curve `name` was at the last of the tasks; accuracies as late means."""
        if name == ACCURACY:
            return late(self.accuracy(point))
        return point.curve(name)[:, self.tasks - 1]

    def lead(self, point, other, name):
        """[seeds of both]: by how much `point` ends above `other`."""
        return lead(point, other, lambda which: self.last(which, name))

    def have(self, *names, curves=(ACCURACY,)):
        """Whether the files have these methods with these curves."""
        return all(name in self.best and all(self.best[name].has(curve) for curve in curves) for name in names)

    def table(self, name, digits=1):
        """"cbp 93.1 ± 0.1, bp …", the largest first."""
        there = [point for point in self.best.values() if point.has(name)]
        there.sort(key=lambda point: -self.last(point, name).mean())
        return f"after {self.tasks} tasks: " + ", ".join(
            f"{point.label} {mean_text(self.last(point, name), digits)}" for point in there)

    def in_order(self, order, name, falling=True):
        """A case per neighbouring pair: the first is larger (smaller if not falling)."""
        sign = 1 if falling else -1
        return [Case(above_zero(sign * self.lead(self.best[a], self.best[b], name)),
                     f"{a} {'above' if falling else 'below'} {b}: {mean_text(sign * self.lead(self.best[a], self.best[b], name))}")
                for a, b in zip(order, order[1:])]


def _end(methods, claim, statement, cases, name, digits=1):
    """The verdict, with the whole table of the methods behind the cases."""
    verdict = concluded(claim, statement, cases, list(methods.best.values()))
    verdict.numbers.append(methods.table(name, digits))
    return verdict


def _m7(methods, size):
    claim, statement = _name("M7", size), M7[size]
    if size == FULL:
        if not methods.have(*ORDERS["M7"]):
            return untested(claim, statement)
        return _end(methods, claim, statement, methods.in_order(ORDERS["M7"], ACCURACY), ACCURACY)
    if not methods.have("cbp", "bp", "l2", "snp"):
        return untested(claim, statement)
    best = methods.best
    lead = methods.lead(best["cbp"], best["bp"], ACCURACY)
    cases = [Case(bool(lead.mean() >= CBP_LEAD), f"CBP ends {mean_text(lead)} points above BP")]
    for name in ("l2", "snp"):
        over = methods.lead(best["cbp"], best[name], ACCURACY)
        under = methods.lead(best[name], best["bp"], ACCURACY)
        cases.append(Case(above_zero(over), f"CBP above {name}: {mean_text(over)}"))
        cases.append(Case(above_zero(under), f"{name} above BP: {mean_text(under)}"))
    return _end(methods, claim, statement, cases, ACCURACY)


def _m8(methods, size):
    claim, statement = _name("M8", size), M8[size]
    if not methods.have(*(ORDERS["M8"] if size == FULL else ("cbp", "bp")), curves=(ACCURACY, DEAD)):
        return untested(claim, statement)
    dead = methods.last(methods.best["cbp"], DEAD)
    cases = [Case(within(dead, 0, FEW_DEAD, 0), f"CBP: {mean_text(dead)} % dead")]
    if size == FULL:
        cases += methods.in_order(ORDERS["M8"], DEAD, falling=False)
    else:
        more = methods.lead(methods.best["bp"], methods.best["cbp"], DEAD)
        cases.append(Case(above_zero(more), f"BP has {mean_text(more)} % more"))
    return _end(methods, claim, statement, cases, DEAD)


def _m9(methods, size):
    claim, statement = _name("M9", size), M9[size]
    if not methods.have(*(ORDERS["M9"] if size == FULL else ("cbp", "bp", "l2", "snp")), curves=(ACCURACY, RANK)):
        return untested(claim, statement)
    if size == FULL:
        return _end(methods, claim, statement, methods.in_order(ORDERS["M9"], RANK), RANK)
    cases = []
    for name in [name for name in ORDERS["M9"][1:] if methods.have(name, curves=(RANK,))]:
        over = methods.lead(methods.best["cbp"], methods.best[name], RANK)
        cases.append(Case(above_zero(over), f"CBP above {name}: {mean_text(over, 1)}"))
    return _end(methods, claim, statement, cases, RANK)


def _m10(methods, size):
    claim, statement = _name("M10", size), M10.format(SIZE[size])
    if not methods.have("bp", "l2", "snp", "cbp", curves=(ACCURACY, WEIGHT)):
        return untested(claim, statement)

    def growth(name):
        curve = methods.best[name].curve(WEIGHT)[:, :methods.tasks]
        return curve[:, -1] - curve[:, methods.tasks // 2 - 1]

    bp = growth("bp")
    cases = [Case(above_zero(bp), f"BP grows by {mean_text(bp, 4)} in the second half")]
    cases += [Case(bool(growth(name).mean() < SHARE_OF_GROWTH * bp.mean()), f"{name} by {mean_text(growth(name), 4)}; less than "
                   f"{SHARE_OF_GROWTH:g} of BP's counts as not growing")
              for name in ("l2", "snp", "cbp")]
    return _end(methods, claim, statement, cases, WEIGHT, 4)


def _m11(methods, size):
    claim, statement = _name("M11", size), M11.format(SIZE[size])
    if not methods.have("cbp", "bp", "reset_all"):
        return untested(claim, statement)
    cbp, bp = methods.best["cbp"], methods.best["bp"]
    seeds = [seed for seed in cbp.seeds if seed in bp.seeds]
    first = methods.accuracy(bp)[[bp.seeds.index(seed) for seed in seeds], 0]
    over = methods.last(cbp, ACCURACY)[[cbp.seeds.index(seed) for seed in seeds]] - first
    anew = methods.lead(cbp, methods.best["reset_all"], ACCURACY)
    return concluded(claim, statement, [
        Case(above_zero(over), f"CBP ends {mean_text(over)} points above BP's first task ({mean_text(first)})"),
        Case(above_zero(anew), f"and {mean_text(anew)} above reset_all")], [cbp, bp, methods.best["reset_all"]])


def _m12(methods, size):
    claim, statement = _name("M12", size), M12.format(SIZE[size])
    dropout = sorted((point for point in methods.points if point.method == "dropout"),
                     key=lambda point: point.get("model.dropout"))
    least = [point for point in dropout if point.near("model.dropout", 0.03)]
    if len(dropout) < 2 or not least or not methods.have("bp"):
        return untested(claim, statement)
    cases = []
    for weak, strong in zip(dropout, dropout[1:]):
        lower = methods.lead(weak, strong, ACCURACY)
        cases.append(Case(above_zero(lower), f"{strong.get('model.dropout'):g} ends {mean_text(lower)} below "
                          f"{weak.get('model.dropout'):g}"))
    beside = methods.lead(least[0], methods.best["bp"], ACCURACY)
    cases.append(Case(within(beside, 0, 0, 0.5), f"0.03 ends {mean_text(beside)} beside BP"))
    return concluded(claim, statement, cases, dropout + [methods.best["bp"]])
