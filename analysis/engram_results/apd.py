"""Task-incremental sweeps over orders of tasks (Yoon et al. 2020): methods, and what they come to by accuracy, order and size.

A candidate is a method with one set of strengths, in all its orders and seeds; of those of a method the one with the best mean
objective (held-out images) stands for it. Accuracies are in per cent; P is [seeds, tasks, orders], by what tasks are.
"""

import dataclasses

import numpy as np

from . import runs
from .orders import ORDER, by_identity, disparity
from .ranking import number

PROBLEMS = {name: name for name in ("cifar100_split", "cifar100_superclass", "omniglot_rotation", "split", "permuted")}
# What a problem is made of; the rest is of the method.
PROBLEM = ("dataset", "stream", "model", "dataset.limit", "dataset.characters", "dataset.layout", "stream.tasks", "stream.epochs",
           "model.hidden", "model.filters")
METHODS = ("stl", "mtl", "apd (2)", "apd (1)", "apd fixed", "ewc", "mas", "si", "l2t", "plain", "hat", "packnet", "wsn",
           "progressive")
APD = ("apd fixed", "apd (1)", "apd (2)")


def method_of(get, _problem=None):
    """The method of a trial: the innermost learner that is one, stl around anything, or mtl if all tasks are learned together."""
    names, name = [], "learner"
    while get(name) is not None:
        names.append((name, get(name)))
        name += ".of"
    chosen = [(at, what) for at, what in names if what not in ("early_stopping", "plain")]
    if get("stream.joint") in (True, 1, "true"):
        return "mtl" if not chosen else f"{chosen[-1][1]} of mtl"
    if "stl" in (what for _, what in chosen):
        return "stl"
    if not chosen:
        return "plain"
    at, what = chosen[-1]
    if what != "apd":
        return what
    if float(get(f"{at}.retroactive") or 0) == 0:
        return "apd fixed"
    return "apd (2)" if float(get(f"{at}.consolidate_every") or 0) > 0 else "apd (1)"


@dataclasses.dataclass(eq=False)
class Candidate:
    """A method with one set of strengths: its orders, each with all its runs."""

    method: str
    points: list   # runs.Point, one per order
    strengths: str = ""   # "lambda=100": settings of the learner that not all of its method have

    def __post_init__(self):
        self.seeds = sorted(set.intersection(*(set(point.seeds) for point in self.points)))

    @property
    def n(self):
        """Runs that all orders have."""
        return len(self.seeds)

    @property
    def selected(self):
        """What it is selected by: the mean objective."""
        return float(np.mean([self._of(point, point.scalar("objective")) for point in self.points]))

    @property
    def accuracy(self):
        """P, [seeds, tasks, orders], in per cent."""
        return 100 * np.stack([np.stack(self._of(point, by_identity(point))) for point in self.points], axis=2)

    @property
    def mean(self):
        """[seeds]: mean accuracy over tasks and orders."""
        return self.accuracy.mean(axis=(1, 2))

    @property
    def worst(self):
        """[seeds]: the accuracy of the worst task, each a mean over orders."""
        return self.accuracy.mean(axis=2).min(axis=1)

    @property
    def disparity(self):
        """(AOPD, MOPD) of accuracies that are means over seeds."""
        return disparity(self.accuracy.mean(axis=0))[1:]

    @property
    def disparity_by_seed(self):
        """[seeds, 2]: AOPD and MOPD of each."""
        return np.array([disparity(of)[1:] for of in self.accuracy])

    @property
    def capacity(self):
        """[orders x seeds]: after the last task, in per cent of one network; None: not measured."""
        if not all(point.has("capacity") for point in self.points):
            return None
        return np.concatenate([[row[-1] for row in self._of(point, point.each("capacity"))] for point in self.points])

    @property
    def forgetting(self):
        """[seeds]: by how much accuracy on old tasks fell since they were learned, mean over tasks and orders; NaN: joint."""
        falls = []
        for point in self.points:
            for matrix in self._of(point, point.each("accuracy_matrix")):
                old = np.diagonal(matrix)[:-1] - matrix[-1][:len(matrix) - 1]
                falls.append(100 * np.mean(old) if len(matrix) > 1 else np.nan)
        return np.reshape(falls, (len(self.points), -1)).mean(axis=0)

    def _of(self, point, values):
        return [values[point.seeds.index(seed)] for seed in self.seeds]


@dataclasses.dataclass(eq=False)
class Problem:
    """What was learned, and all candidates."""

    settings: dict
    candidates: list
    diverged: int

    @property
    def stream(self):
        """Its name."""
        return str(self.settings["stream"])

    @property
    def epochs(self):
        """Per task."""
        return int(self.settings["stream.epochs"])

    @property
    def name(self):
        """"mnist, split, 20 epochs"; and how many images, if not all."""
        limit = self.settings["dataset.limit"]
        words = [str(self.settings["dataset"]), self.stream] + ([f"{int(limit)} images"] if limit else [])
        return ", ".join(words + [f"{self.epochs} epochs"])

    def best(self):
        """{method: candidate}, in the order of METHODS."""
        found = {}
        for one in self.candidates:
            if one.method not in found or one.selected > found[one.method].selected:
                found[one.method] = one
        return dict(sorted(found.items(), key=lambda item: (METHODS.index(item[0]) if item[0] in METHODS else len(METHODS),
                                                            item[0])))


def problems_of(datasets):
    """All task-incremental problems in the files of which a method has several orders."""
    groups = {}
    for point in runs.find(datasets, PROBLEMS, method_of):
        if _task_incremental(point) and point.n and point.has("accuracy_matrix"):
            key = tuple(str(point.get(name, "")) for name in PROBLEM)
            other = tuple(sorted((name, str(value)) for name, value in point.settings.items()
                                 if name not in (*ORDER, *PROBLEM) and point.get(name) is not None))
            settings, members = groups.setdefault(key, ({name: point.get(name, 0) for name in PROBLEM}, {}))
            members.setdefault(other, []).append(point)
    problems = []
    for key in sorted(groups):
        settings, members = groups[key]
        most = max(map(len, members.values()))
        whole = [points for points in members.values() if len(points) == most or points[0].method == "mtl"]
        candidates = [one for one in (Candidate(points[0].method, points) for points in whole) if one.n]
        _name_strengths(candidates)
        if most > 1 and candidates:
            problems.append(Problem(settings, candidates, sum(point.diverged for points in members.values() for point in points)))
    return problems


def _name_strengths(candidates):
    for one in candidates:
        family = [other.points[0].settings for other in candidates if other.method == one.method]
        mine = one.points[0].settings
        one.strengths = ", ".join(f"{name.rsplit('.', 1)[-1]}={number(mine[name])}" for name in sorted(mine)
                                  if name.startswith("learner.") and len({str(other[name]) for other in family}) > 1)


def _task_incremental(point):
    return {"split": point.get("stream.active") == "task", "permuted": point.get("stream.heads") == "task"}.get(
        str(point.get("stream")), True)
