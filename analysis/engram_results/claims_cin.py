"""Claims I1 to I6: Continual ImageNet, pairs of classes one after the other.

The paper's size is 1000 classes with 600 training images each, 250 epochs a task and 2000 to 5000 tasks. What a
smaller sweep can show, the direction, has rows of its own for every dataset in the files, which say what was cut.
Accuracies are those on the task's test images after its last epoch. Methods are compared with their best settings in
the files (mean over all tasks), over as many tasks as all of them have.
"""

import numpy as np

from . import published
from .plasticity import best_of_each, late
from .runs import lead
from .verdict import Case, above_zero, concluded, mean_text, untested, within

ACCURACY, BEST_AT = "learning_accuracy", "peak_examples"
FEWEST_RUNS = 2     # a verdict is not told from a single run
FEWEST_TASKS = 100  # of a sweep that can show a direction
BIN = 50            # tasks of a bin of the paper's figures
FULL_EPOCHS, FULL_CLASSES = 250, 1000
SIZES = {"bp": 2000, "linear": 2000, "cbp": 5000, "l2": 5000, "snp": 5000}  # the paper's tasks
STATEMENTS = {
    "I1": "BP, step 0.01: 84.2 in the first 50 tasks, at most 85.3, 81.5 at task 1000, 73.9 at task 2000: below linear",
    "I2": "BP, step 0.001: 83.3 in the first 50 tasks, then 78-79 from task 250 to 2000",
    "I3": "BP, step 0.0001: below 70 for about 120 tasks, 80.2 near task 300, 77 at 600-1000, 78.3 at 2000",
    "I4": "linear: 77.1 over all tasks",
    "I5": "5000 tasks: CBP 84.4 → 90.4, L2 85.2 → 89.2, S&P 84.3 → 89.2; CBP on top from task 300 on; BP below 82 before 900",
    "I6": "at task 5000 CBP has its best accuracy after about 10 epochs, a fresh network after about 125"}
DIRECTIONS = {
    "I1": "BP, step 0.01: late tasks are learned less well than early ones",
    "I2": "BP, step 0.001: late tasks are learned less well than early ones",
    "I4": "linear: neither rises nor falls",
    "I5": "CBP, L2 and S&P end above BP, CBP highest, and none of the three falls",
    "I6": "CBP has its best accuracy after fewer epochs in late tasks than a fresh network"}


def judge(points):
    """Verdicts for I1 to I6: of the paper's size, and of the direction for each smaller problem in the files."""
    levels = published.loss_of_plasticity()["cin"]
    points = [point for point in points if point.n >= FEWEST_RUNS and point.has(ACCURACY)]
    full = [point for point in points if _is_full(point)]
    verdicts = [_i1(full, levels), _i2(full, levels), _i3(full, levels), _i4(full, levels), _i5(full, levels),
                _i6(full, levels)]
    groups = {}
    for point in points:
        if not _is_full(point) and _tasks(point) >= FEWEST_TASKS:
            groups.setdefault(_problem(point), []).append(point)
    for name in sorted(groups) or ["at least 100 tasks of any dataset"]:
        verdicts += _directions(name, groups.get(name, []))
    return verdicts


def _tasks(point):
    return point.curve(ACCURACY).shape[1]


def _is_full(point):
    return (point.get("dataset") == "images" and point.near("dataset.classes", FULL_CLASSES)
            and point.near("stream.epochs", FULL_EPOCHS) and _tasks(point) >= SIZES.get(point.method, 5000))


def _problem(point):
    """What points must share to be compared: "cifar100, 10 epochs a task"."""
    classes = point.get("dataset.classes")
    name = f"{point.get('dataset')}{'' if classes is None else f' of {classes:g} classes'}"
    return f"{name}, {point.get('stream.epochs', 1):g} epochs a task"


def _cut(points):
    """What a smaller sweep leaves out, in words."""
    tasks = sorted({_tasks(point) for point in points})
    images = points[0].get("stream.train_examples")
    words = [f"cut: {points[0].get('stream.epochs', 1):g} epochs a task (paper {FULL_EPOCHS})",
             f"{'-'.join(str(t) for t in dict.fromkeys((tasks[0], tasks[-1])))} tasks (2000 to 5000)",
             f"dataset {points[0].get('dataset')} (ImageNet, {FULL_CLASSES} classes of 600 + 100 images)",
             f"{min(point.n for point in points)} runs (30)"]
    return "; ".join(words + ([f"{images:g} training images of a class used"] if images else []))


def _percent(point, tasks=None):
    return 100 * point.curve(ACCURACY)[:, :tasks]


def _bin(point, task):
    """[runs]: mean over the 50-task bin that ends with this task (from 1), or the first one."""
    curve = _percent(point)
    return curve[:, max(0, int(task) - BIN):max(int(task), BIN)].mean(axis=1)


def _bp(points, step):
    found = [point for point in points if point.method == "bp" and point.near("optimizer.lr", step)]
    return max(found, key=_tasks, default=None)


def _level(values, wanted, reading, words):
    low, high = wanted if isinstance(wanted, list) else (wanted, wanted)
    text = f"{low:g}-{high:g}" if high != low else f"{low:g}"
    return Case(within(values, low, high, reading), f"{words}: {mean_text(values)} (published {text})")


def _linear(points):
    found = [point for point in points if point.method == "linear"]
    return max(found, key=lambda point: _percent(point).mean(), default=None)


def _i1(points, levels):
    point, linear = _bp(points, 0.01), _linear(points)
    if point is None or linear is None:
        return untested("I1", STATEMENTS["I1"])
    wanted, reading = levels["0.01"], levels["reading"]
    cases = [_level(_bin(point, BIN), wanted["first_bin"], reading, "first 50 tasks"),
             _level(_bin(point, 3 * BIN), wanted["third_bin"], reading, "tasks 101 to 150")]
    cases += [_level(_bin(point, task), wanted[task], reading, f"50 tasks to {task}") for task in ("1000", "1500", "2000")]
    below = lead(linear, point, lambda which: _percent(which, 2000)[:, -BIN:].mean(axis=1))
    cases.append(Case(above_zero(below), f"ends {mean_text(below)} below linear"))
    return concluded("I1", STATEMENTS["I1"], cases, [point, linear])


def _i2(points, levels):
    point = _bp(points, 0.001)
    if point is None:
        return untested("I2", STATEMENTS["I2"])
    wanted, reading = levels["0.001"], levels["reading"]
    return concluded("I2", STATEMENTS["I2"], [
        _level(_bin(point, BIN), wanted["first_bin"], reading, "first 50 tasks"),
        _level(_bin(point, 300), wanted["250"], reading, "tasks 251 to 300"),
        _level(_bin(point, 2000), wanted["2000"], reading, "50 tasks to 2000")], [point])


def _i3(points, levels):
    point = _bp(points, 0.0001)
    if point is None:
        return untested("I3", STATEMENTS["I3"])
    wanted, reading = levels["0.0001"], levels["reading"]
    start = _percent(point)[:, :BIN].mean(axis=1)
    cases = [Case(within(start, 0, 70, 0), f"first 50 tasks: {mean_text(start)} (published below 70)")]
    cases += [_level(_bin(point, task), level, reading, f"50 tasks to {task}") for task, level in wanted.items()]
    return concluded("I3", STATEMENTS["I3"], cases, [point])


def _i4(points, levels):
    point = _linear(points)
    if point is None:
        return untested("I4", STATEMENTS["I4"])
    return concluded("I4", STATEMENTS["I4"], [
        _level(_percent(point).mean(axis=1), levels["linear"], levels["reading"], "all tasks")], [point])


def _best(points):
    """{method: its best point}; BP at step 0.01."""
    best = best_of_each([point for point in points if point.method != "bp"], ACCURACY)
    bp = _bp(points, 0.01)
    return best if bp is None else {**best, "bp": bp}


def _i5(points, levels):
    best = _best(points)
    if not all(name in best for name in ("cbp", "l2", "snp", "bp")):
        return untested("I5", STATEMENTS["I5"])
    cases = []
    for name, (first, last) in levels["5000"].items():
        cases += [_level(_bin(best[name], BIN), first, levels["reading"], f"{name}, first 50 tasks"),
                  _level(_bin(best[name], 5000), last, levels["reading"], f"{name}, 50 tasks to 5000")]
    for name in ("l2", "snp"):
        over = lead(best["cbp"], best[name], lambda which: _percent(which, 5000)[:, 300:].mean(axis=1))
        cases.append(Case(above_zero(over), f"CBP above {name} from task 300 on by {mean_text(over)}"))
    low = _bin(best["bp"], 900)
    cases.append(Case(within(low, 0, 82, 0), f"BP, 50 tasks to 900: {mean_text(low)} (published below 82)"))
    return concluded("I5", STATEMENTS["I5"], cases, [best[name] for name in ("cbp", "l2", "snp", "bp")])


def _epochs_to_best(point):
    """[runs, tasks]: epochs until the test accuracy of a task was largest."""
    epoch = point.curve("examples_seen")[:, -1:] / (_tasks(point) * point.get("stream.epochs", 1))
    return point.curve(BEST_AT) / epoch


def _i6(points, levels):
    best = _best(points)
    if "cbp" not in best or "bp" not in best or not all(best[name].has(BEST_AT) for name in ("cbp", "bp")):
        return untested("I6", STATEMENTS["I6"])
    wanted = levels["epochs_to_best"]
    old = _epochs_to_best(best["cbp"])[:, 5000 - BIN:5000].mean(axis=1)
    fresh = _epochs_to_best(best["bp"])[:, 0]
    return concluded("I6", STATEMENTS["I6"], [
        Case(within(old, 0.5 * wanted["cbp"], 2 * wanted["cbp"], 0),
             f"CBP, 50 tasks to 5000: {mean_text(old, 1)} epochs (published about {wanted['cbp']})"),
        Case(within(fresh, 0.5 * wanted["fresh"], 2 * wanted["fresh"], 0),
             f"first task of BP: {mean_text(fresh, 1)} epochs (published about {wanted['fresh']})")],
        [best["cbp"], best["bp"]])


def _directions(name, points):
    """The rows of one smaller problem."""
    def row(claim):
        return f"{claim} ({name})", DIRECTIONS[claim]

    tasks = min((_tasks(point) for point in points), default=0)
    best = _best(points)
    verdicts = [_falls(*row("I1"), _bp(points, 0.01)), _falls(*row("I2"), _bp(points, 0.001)),
                _stays(*row("I4"), _linear(points)), _order(*row("I5"), best, tasks),
                _quicker(*row("I6"), best)]
    for verdict in verdicts:
        if points and verdict.runs:
            verdict.numbers.append(_cut(points))
    return verdicts


def _early(curve):
    """[runs]: mean over the best tenth of the tasks within the first half, and which it is."""
    tenth = max(1, curve.shape[1] // 10)
    mean = curve.mean(axis=0)
    starts = range(0, max(1, curve.shape[1] // 2 - tenth + 1))
    at = max(starts, key=lambda i: mean[i:i + tenth].mean())
    return curve[:, at:at + tenth].mean(axis=1), at + 1, at + tenth


def _falls(claim, statement, point):
    if point is None:
        return untested(claim, statement)
    curve = _percent(point)
    before, first, last = _early(curve)
    lost = before - late(curve)
    return concluded(claim, statement, [Case(above_zero(lost), (
        f"task 1: {mean_text(curve[:, 0])}, at best (tasks {first} to {last}): {mean_text(before)}, "
        f"last tenth of {curve.shape[1]}: {mean_text(late(curve))}; lost {mean_text(lost)}"))], [point])


def _stays(claim, statement, point):
    if point is None:
        return untested(claim, statement)
    curve = _percent(point)
    half = curve.shape[1] // 2
    change = curve[:, half:].mean(axis=1) - curve[:, :half].mean(axis=1)
    return concluded(claim, statement, [Case(within(change, 0, 0, 0), (
        f"all tasks: {mean_text(curve.mean(axis=1))}; second half less first half: {mean_text(change)}"))], [point])


def _order(claim, statement, best, tasks):
    if not all(name in best for name in ("cbp", "l2", "snp", "bp")):
        return untested(claim, statement)

    def end(point):
        return late(_percent(point, tasks))

    cases = []
    for name in ("cbp", "l2", "snp"):
        over = lead(best[name], best["bp"], end)
        cases.append(Case(above_zero(over), f"{name} ends {mean_text(over)} above BP"))
        curve = _percent(best[name], tasks)
        before, first, last = _early(curve)
        lost = before - late(curve)
        cases.append(Case(not above_zero(lost), f"{name}: {mean_text(before)} (tasks {first} to {last}) → "
                          f"{mean_text(late(curve))}"))
    for name in ("l2", "snp"):
        over = lead(best["cbp"], best[name], end)
        cases.append(Case(above_zero(over), f"CBP above {name}: {mean_text(over)}"))
    verdict = concluded(claim, statement, cases, [best[name] for name in ("cbp", "l2", "snp", "bp")])
    ranked = sorted(best.values(), key=lambda point: -end(point).mean())
    verdict.numbers.append(f"last tenth of {tasks} tasks: "
                           + ", ".join(f"{point.label} {mean_text(end(point))}" for point in ranked))
    return verdict


def _quicker(claim, statement, best):
    if not all(name in best and best[name].has(BEST_AT) for name in ("cbp", "bp")):
        return untested(claim, statement)
    old = late(_epochs_to_best(best["cbp"]))
    fresh = _epochs_to_best(best["bp"])[:, 0]
    return concluded(claim, statement, [Case(bool(old.mean() < fresh.mean()), (
        f"CBP, last tenth of the tasks: {mean_text(old, 1)} epochs; BP on task 1: {mean_text(fresh, 1)}"))],
        [best["cbp"], best["bp"]])
