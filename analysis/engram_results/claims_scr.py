"""Claims R1 to R9: slowly-changing regression.

Size: the whole stream of 3,000,000 examples (R9: 1,000,000), and at least 10 runs. All learners of a seed share one stream, whose
difficulty wanders with the slow bits; with fewer than 100 runs learners are judged beside the linear learner of
the same streams: a level is the published one of the linear learner plus the measured difference to it.
"""

import numpy as np

from . import published
from .plasticity import early, early_at, late, reference, rise
from .runs import paired, standard_error
from .verdict import Case, above_zero, concluded, mean_text, untested, within

STEPS = (0.01, 0.003, 0.001)
ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky_relu", "elu", "swish")
FEWEST_RUNS = 10   # fewer say nothing about a mean: runs differ by as much as learners do
ENOUGH_RUNS = 100  # then curves stand by themselves
ERROR = "online_loss"

R1 = "BP's error rises after its first drop, for six activations and three step sizes"
R2 = "ReLU: the error climbs, far above the linear learner at step 0.01"
R3 = "leaky ReLU is about as bad as ReLU"
R4 = "tanh and sigmoid rise to about 0.85"
R5 = "ELU degrades least; Swish rises to 1.05, 0.75, 0.75"
R6 = "the linear learner's error has no trend"
R7 = "Adam is usually worse than SGD"
R8 = "CBP (ReLU, 0.01) stays below BP in the second half"
R9 = "all slow bits drawn anew: levels of ReLU, tanh and the linear learner"


def judge(points):
    """Verdicts for R1 to R9."""
    levels = published.loss_of_plasticity()
    points = [point for point in points if point.n >= FEWEST_RUNS]
    one = _Runs([point for point in points if _size(point) == ("one", 3_000_000)], levels["scr"])
    all_bits = _Runs([point for point in points if _size(point) == ("all", 1_000_000)],
                     levels["scr_all"])
    return [_r1(one), _r2(one), _r3(one), _r4(one), _r5(one), _r6(one), _r7(one), _r8(one),
            _r9(all_bits, levels["scr"]["reading"])]


def _size(point):
    return point.get("stream.flips"), int(point.get("stream.examples", 0))


class _Runs:
    """The points of one size, and their curves beside the linear learner's."""

    def __init__(self, points, levels):
        self.points, self.levels = points, levels
        self.linear = reference(points)

    def bp(self, activation, step, method="bp"):
        """The point of backpropagation with these, or None."""
        found = [point for point in self.points if point.method == method and
                 point.get("model.activation") == activation and point.near("optimizer.lr", step)]
        return found[0] if found else None

    def beside(self, point):
        """The curves to judge a point by: as they are, or at the published level of the linear learner."""
        if point.n >= ENOUGH_RUNS or self.linear is None:
            return point.curve(ERROR)
        return paired(point, self.linear, ERROR) + self.levels["linear"]

    def level_cases(self, activation, reading):
        """Early and late level and rise of an activation at the three steps, against the figures."""
        cases, used = [], []
        for step in STEPS:
            point = self.bp(activation, step)
            if point is None:
                return [], []
            curves = self.beside(point)
            at = early_at(curves)
            first = curves[:, at:at + 3].mean(axis=1)
            (low, high), (low_end, high_end) = self.levels["levels"][activation][f"{step:g}"]
            true = (within(first, low, high, reading) and within(late(curves), low_end, high_end, reading)
                    and rise(curves).mean() > 0)
            cases.append(Case(bool(true), f"{activation} {step:g}: {mean_text(first)} → {mean_text(late(curves))}"
                              f" (published {low:g} → {_range(low_end, high_end)})"))
            used.append(point)
        return cases, used


def _range(low, high):
    if high is None:
        return f">{low:g}"
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"


def _r1(runs):
    found = [(activation, step, runs.bp(activation, step)) for activation in ACTIVATIONS for step in STEPS]
    if any(point is None for _, _, point in found):
        return untested("R1", R1)
    cases = []
    for activation, step, point in found:
        curves = runs.beside(point)
        gap = float(late(curves).mean() - early(curves))
        cases.append(Case(gap > 0, f"{activation} {step:g}: {gap:+.2f} (mean of the last tenth less the least "
                          f"of the first tenth, ± {float(standard_error(rise(curves))):.2f})"))
    return concluded("R1", R1, cases, [point for _, _, point in found])


def _r2(runs):
    cases, used = runs.level_cases("relu", runs.levels.get("reading"))
    if not cases or runs.linear is None:
        return untested("R2", R2)
    above = late(paired(used[0], runs.linear, ERROR))
    cases.append(Case(above_zero(above), f"relu 0.01 ends {mean_text(above)} above the linear learner"))
    climbs = rise(runs.beside(used[0]))
    cases.append(Case(above_zero(climbs), f"relu 0.01 climbs by {mean_text(climbs)}"))
    return concluded("R2", R2, cases, used)


def _r3(runs):
    cases, used = runs.level_cases("leaky_relu", runs.levels.get("reading"))
    return concluded("R3", R3, cases, used)


def _r4(runs):
    tanh, used_tanh = runs.level_cases("tanh", runs.levels.get("reading"))
    sigmoid, used_sigmoid = runs.level_cases("sigmoid", runs.levels.get("reading"))
    if not tanh or not sigmoid:
        return untested("R4", R4)
    return concluded("R4", R4, tanh + sigmoid, used_tanh + used_sigmoid)


def _r5(runs):
    elu, used_elu = runs.level_cases("elu", runs.levels.get("reading"))
    swish, used_swish = runs.level_cases("swish", runs.levels.get("reading"))
    rises = {}
    for activation in ACTIVATIONS:
        mine = [runs.bp(activation, step) for step in STEPS]
        if all(point is not None for point in mine):
            rises[activation] = float(np.mean([rise(runs.beside(point)).mean() for point in mine]))
    if not elu or not swish or len(rises) < len(ACTIVATIONS):
        return untested("R5", R5)
    least = min(rises, key=rises.get)
    words = ", ".join(f"{name} {value:+.2f}" for name, value in sorted(rises.items(), key=lambda e: e[1]))
    return concluded("R5", R5, [Case(least == "elu", f"mean rise over the steps: {words}")] + elu + swish,
                     used_elu + used_swish)


def _r6(runs):
    linear = [point for point in runs.points if point.method == "linear" and point.get("optimizer") == "sgd"
              and any(point.near("optimizer.lr", step) for step in STEPS)]
    cases = []
    for point in linear:
        curves = point.curve(ERROR)[:, 2:]  # it learns first
        bins = np.arange(curves.shape[1]) - (curves.shape[1] - 1) / 2
        trend = curves @ bins / (bins @ bins) * len(bins)
        bound = max(runs.levels["reading"], 2 * float(np.nan_to_num(standard_error(trend))))
        cases.append(Case(abs(float(trend.mean())) <= bound,
                          f"step {point.get('optimizer.lr'):g}: error {mean_text(curves.mean(axis=1))}, "
                          f"trend over the stream {mean_text(trend)}"))
    return concluded("R6", R6, cases, linear)


def _r7(runs):
    pairs = []
    for activation in ACTIVATIONS:
        for step in STEPS:
            both = runs.bp(activation, step, "adam"), runs.bp(activation, step)
            pairs += [both] if None not in both else []
    if len(pairs) < 3:
        return untested("R7", R7)
    words, worse = [], 0
    for adam, sgd in pairs:
        more = late(paired(adam, sgd, ERROR))
        worse += more.mean() > 0
        words.append(f"{sgd.get('model.activation')} {sgd.get('optimizer.lr'):g} {mean_text(more)}")
    case = Case(worse > len(pairs) / 2, f"worse in {worse} of {len(pairs)}, late error of Adam less that of "
                f"SGD: {', '.join(words)}")
    return concluded("R7", R7, [case], [point for pair in pairs for point in pair])


def _r8(runs):
    bp = runs.bp("relu", 0.01)
    cbp = [point for point in runs.points if point.method == "cbp" and point.near("optimizer.lr", 0.01)
           and point.get("model.activation") == "relu"]
    if bp is None or not cbp:
        return untested("R8", R8)
    halves = {}
    for point in cbp:
        difference = paired(point, bp, ERROR)
        halves[point] = difference[:, difference.shape[1] // 2:]
    best = min(cbp, key=lambda point: halves[point].mean())
    words = ", ".join(f"{point.label[4:]} {mean_text(halves[point].mean(axis=1))}" for point in cbp)
    below = halves[best].mean(axis=0) < 0
    cases = [Case(bool(below.all()), f"{best.label}: below BP in {int(below.sum())} of {below.size} bins of the "
                  "second half"),
             Case(above_zero(-halves[best].mean(axis=1)), f"error of the second half less that of BP: {words}")]
    return concluded("R8", R8, cases, [bp, *cbp])


def _r9(runs, reading):
    wanted = [(activation, step) for activation, steps in runs.levels["levels"].items() for step in steps]
    found = [(activation, step, runs.bp(activation, float(step))) for activation, step in wanted]
    if runs.linear is None or any(point is None for _, _, point in found):
        return untested("R9", R9)
    cases = []
    for activation, step, point in found:
        curves = runs.beside(point)
        first, last = runs.levels["levels"][activation][step]
        true = (within(curves[:, 0], first, first, reading) and within(late(curves), last, last, reading))
        cases.append(Case(true, f"{activation} {step}: {mean_text(curves[:, 0])} → {mean_text(late(curves))} "
                          f"(published {first:g} → {last:g})"))
    level = runs.linear.curve(ERROR).mean(axis=1)
    cases.append(Case(within(level, runs.levels["linear"], runs.levels["linear"], reading),
                      f"linear: {mean_text(level)} (published {runs.levels['linear']:g})"))
    return concluded("R9", R9, cases, [point for _, _, point in found])
