"""Sweeps of anytime learning at macroscale (Caccia et al. 2022): methods, their configurations, and how they are compared.

A configuration is a method at one size, waiting time and replay, with all its seeds. Configurations of one problem (data,
number of mega-batches, epochs) can be compared. Errors are fractions; the cumulative error rate (CER) is their sum
over mega-batches 1 to B.
"""

import dataclasses
import math
import re

import numpy as np

from . import runs
from .files import ResultError
from .ranking import number

PROBLEMS = {"mega_batches": "alma"}
FEWEST_RUNS = 2   # a verdict is not told from a single run
AGREE = 2 / 3     # of the paired seeds, for a mean difference to count
# Learners that are a method, wherever they stand among those that are inside each other.
LEARNERS = {"ensemble": "ens", "growing_ensemble": "gens", "growing_mixture": "gmoe", "growing_experts": "gmoe",
            "firefly": "ff"}
# Learners that are none.
ORDINARY = ("early_stopping", "plain")
# Settings with which a method is another one: {method: {end of the name: ordinary value}}.
OTHERWISE = {"ens": {"average": "probabilities"}, "gens": {"average": "probabilities", "start": "warm"},
             "gmoe": {"gate": "soft"}, "umix": {"combine": "mean"}}
ORDER = ("sm", "ens", "umix", "gens", "gens scratch", "gmoe", "ff")
# What a problem is made of: {setting: what it is if the files do not say}.
PROBLEM = {"dataset": "", "dataset.limit": 0, "stream.chunks": None, "stream.subset": 0, "stream.epochs": 1}


def method_of(get, _problem=None):
    """The method of a trial: "sm", "ens", "umix", "gens", "gmoe", "ff", with a word for what is not ordinary about it.
    `get` gives a setting by its dotted name, or None."""
    names = []
    for name in _chain(get, "learner"):
        if get(name) not in ORDINARY:
            names.append(_named(get, name, LEARNERS.get(get(name), get(name))))
    if get("model") == "umix":
        names.append(_named(get, "model", "umix"))
    return " of ".join(names) or "sm"


def _chain(get, name):
    """The settings that say which component is inside which: learner, learner.of, …"""
    while get(name) is not None:
        yield name
        name += ".of"


def _named(get, prefix, name):
    values = [(get(f"{prefix}.{end}"), ordinary) for end, ordinary in OTHERWISE.get(name, {}).items()]
    return " ".join([name] + [value for value, ordinary in values if value not in (None, ordinary)])


def _innermost_model(get):
    return list(_chain(get, "model"))[-1]


def _size_name(get):
    model = _innermost_model(get)
    return f"{model}.hidden" if get(model) == "mlp" else f"{model}.width"


def _size(get):
    """Units of each hidden layer, or filters of each convolution; None if they are not all the same."""
    numbers = set(re.findall(r"\d+", str(get(_size_name(get)))) if isinstance(get(_size_name(get)), str)
                  else [f"{get(_size_name(get), 0):g}"])
    return int(numbers.pop()) if len(numbers) == 1 else None


@dataclasses.dataclass(eq=False)
class Configuration:
    """A method at one size, waiting time and replay; arrays are [runs], or [runs, B + 1] over mega-batches 0 to B."""

    point: runs.Point
    size: int
    wait: int
    replay: bool
    variant: tuple       # what else was set, ((dotted name, text), …)
    cer: np.ndarray
    error: np.ndarray
    memory: np.ndarray   # parameters, summed over mega-batches 0 to B
    compute: np.ndarray  # operations of training, summed

    @property
    def method(self):
        """Its method, as method_of names it."""
        return self.point.method

    @property
    def seeds(self):
        """Of its runs."""
        return self.point.seeds

    @property
    def n(self):
        """Number of runs."""
        return self.point.n

    @property
    def members(self):
        """Networks that a method begins with."""
        get = self.point.get
        return math.prod(int(get(f"{name}.members", 1)) for name in (*_chain(get, "learner"), "model"))

    @property
    def final(self):
        """[runs]: the error after the last mega-batch."""
        return self.error[:, -1]

    def at(self, chunk):
        """[runs]: the error after a mega-batch, 0 to B."""
        return self.error[:, chunk]


@dataclasses.dataclass(eq=False)
class Problem:
    """Configurations that can be compared, those with and those without replay."""

    net: str               # "mlp", "vgg", …
    settings: dict         # those of PROBLEM
    configurations: list
    diverged: int          # runs that are not among those of the configurations

    @property
    def chunks(self):
        """Mega-batches, B."""
        return int(self.settings["stream.chunks"])

    @property
    def name(self):
        """"mnist, mlp, 500 mega-batches, 20 epochs"; and how many images, if not all."""
        used = [int(self.settings[name]) for name in ("stream.subset", "dataset.limit") if self.settings[name]]
        words = [str(self.settings["dataset"]), self.net, f"{self.chunks} mega-batches"]
        words += [f"{min(used)} images"] if used else []
        return ", ".join(words + [f"{self.settings['stream.epochs']:g} epochs"])

    def of(self, method, replay=False):
        """All configurations of a method."""
        return [one for one in self.configurations if one.method == method and one.replay == replay]

    def methods(self, replay=False):
        """Names of the methods, in their order."""
        found = {one.method for one in self.configurations if one.replay == replay}
        return sorted(found, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))

    def choice(self, method, used):
        """"sm with patience=25", what tells the one variant of a method that is in `used` from others; "" if there are none or
        several are used."""
        variants = {one.variant for one in self.configurations if one.method == method}
        mine = {one.variant for one in used if one.method == method}
        if len(variants) < 2 or len(mine) != 1:
            return ""
        others = set().union(*(variants - mine))
        words = [f"{name.rsplit('.', 1)[-1]}={value}" for name, value in sorted(set(*mine) - set.intersection(
            *map(set, variants))) if any(name == other for other, _ in others)]
        return f"{method} with {', '.join(words)}"

    def chosen(self, method, replay=False, members=None):
        """{(size, wait): configuration} of one variant of a method, with so many members if that is given: of those with
        the most configurations the one whose mean CER is least, so that sizes and waiting times are compared with
        everything else equal."""
        variants = {}
        for one in self.of(method, replay):
            if members in (None, one.members):
                variants.setdefault(one.variant, {})[one.size, one.wait] = one
        return max(variants.values(), default={},
                   key=lambda found: (len(found), -np.mean([one.cer.mean() for one in found.values()])))


def problems_of(datasets):
    """All problems in the files; configurations have at least FEWEST_RUNS runs, and a problem may have none."""
    found = {}
    for point in runs.find(datasets, PROBLEMS, method_of):
        values = {name: point.get(name, missing) for name, missing in PROBLEM.items()}
        key = (str(point.get(_innermost_model(point.get))), *values.values())
        problem = found.setdefault(key, Problem(key[0], values, [], 0))
        problem.diverged += point.diverged
        one = _configuration(point)
        if one is not None:
            problem.configurations.append(one)
    for problem in found.values():
        _leave_out_what_is_new(problem.configurations)
    return [found[key] for key in sorted(found, key=str)]


def _leave_out_what_is_new(configurations):
    """A program that did not have a setting yet did not write it, and what it did is what a later one does unless the
    setting is changed. So a setting that some configurations of a method lack tells them apart only if the others differ
    in it; one that belongs to a choice is lacking where the choice differs, which tells them apart."""
    for method in {one.method for one in configurations}:
        variants = [dict(one.variant) for one in configurations if one.method == method]
        values = {}
        for variant in variants:
            for name, value in variant.items():
                values.setdefault(name, []).append(value)
        new = {name for name, those in values.items() if len(those) < len(variants) and len(set(those)) == 1}
        for one in configurations:
            if one.method == method:
                one.variant = tuple(item for item in one.variant if item[0] not in new)


def _configuration(point):
    """The configuration of a point; None if there is nothing to be compared in it."""
    size = _size(point.get)
    if point.n < FEWEST_RUNS or size is None or not all(
            point.has(name) for name in ("anytime_error", "anytime_parameters", "comp_train_flop")):
        return None
    apart = {"stream.wait", "stream.replay", _size_name(point.get), *PROBLEM}
    variant = tuple(sorted((name, number(value)) for name, value in point.settings.items()
                           if name not in apart and point.get(name) is not None))
    error = point.curve("anytime_error")
    cer = point.scalar("cer")
    if not np.allclose(cer, cumulative_error(error), rtol=1e-6):
        raise ResultError(f"{point.label}: `cer` is not the sum of `anytime_error` over mega-batches 1 to B")
    return Configuration(point, size, int(point.get("stream.wait", 1)), bool(point.get("stream.replay", 0)), variant, cer,
                         error, point.curve("anytime_parameters").sum(axis=1), point.curve("comp_train_flop").sum(axis=1))


def cumulative_error(error):
    """[runs]: the sum of errors [runs, B + 1] over mega-batches 1 to B; mega-batch 0 is before the first."""
    return error[:, 1:].sum(axis=1)


def pairs(ones, others, apart=()):
    """[(one, other)] that are alike in size, waiting time and all else but settings whose names end so."""
    def key(one):
        return one.size, one.wait, tuple(item for item in one.variant if not item[0].endswith(apart))

    by = {key(other): other for other in others}
    return [(one, by[key(one)]) for one in ones if key(one) in by]


def agreed(differences):
    """Whether differences of paired seeds are above zero: their mean, and 2/3 of them."""
    differences = np.asarray(differences)
    return bool(differences.size) and bool(differences.mean() > 0) and \
        int((differences > 0).sum()) >= AGREE * differences.size - 1e-9


def spread(values):
    """Standard deviation over seeds, divisor n - 1; NaN for one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def overlap(values, others):
    """Whether two means differ by no more than their standard deviations over seeds together."""
    slack = float(np.nan_to_num([spread(values), spread(others)]).sum())
    return bool(abs(np.mean(values) - np.mean(others)) <= slack)


def text(values, digits=2):
    """"31.20 ± 0.40": mean and standard deviation over seeds."""
    deviation = spread(values)
    mean = f"{np.mean(values):.{digits}f}"
    return mean if math.isnan(deviation) else f"{mean} ± {deviation:.{digits}f}"


def difference_text(differences, digits=2):
    """"3.90 ± 0.40 (3 of 3 seeds)": of paired seeds, and how many are above zero."""
    differences = np.asarray(differences)
    return f"{text(differences, digits)} ({int((differences > 0).sum())} of {differences.size} seeds)"
