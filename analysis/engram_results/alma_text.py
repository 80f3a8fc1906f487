"""Sweeps of anytime learning over text (Caccia et al. 2022, section on language modelling): methods, their configurations, and the
two orders of the same mega-batches.

A configuration is a method at one size with all its seeds. Of those that differ only in what is tuned (learning rate, dropout) the one with
the best objective is taken, which is of the validation set. Configurations of one problem (text, sequences, minibatches of a
mega-batch) can be compared. Perplexities are of the evaluation chunk.
"""

import dataclasses

import numpy as np

from . import runs
from .alma import FEWEST_RUNS, method_of

PROBLEMS = {"text_mega_batches": "text", "text_iid": "text"}
# Presets of the model: {name: (what the sizes belong to, size)}.
PRESETS = {"base": ("paper", "base"), "large": ("paper", "large"), "tiny_a": ("tiny-A", "base"),
           "tiny_a_large": ("tiny-A", "large"), "tiny_b": ("tiny-B", "base"), "tiny_b_large": ("tiny-B", "large")}
SIZES = ("base", "large")
TUNED = ("optimizer.lr", "model.dropout")
# What a problem is made of besides the preset: {setting: what it is if the files do not say}.
PROBLEM = {"dataset.file": "", "dataset.limit": 0, "dataset.unit": "character", "dataset.vocabulary": None, "dataset.sequence": None,
           "stream.chunks": 4, "stream.steps": None, "stream.batch": None}


@dataclasses.dataclass(eq=False)
class Configuration:
    """A method at one size; arrays are [runs, t + 1] over mega-batches 0 to t."""

    point: runs.Point
    size: str                # "base" or "large"
    experts: int             # at the start
    together: bool           # stream text_iid: all mega-batches at once
    treatment: str           # of the optimizer at mega-batches: "never" or "phase" begins it anew
    perplexity: np.ndarray
    parameters: np.ndarray
    compute: np.ndarray      # [runs] operations of training, summed
    objective: np.ndarray    # [runs] of the validation set

    @property
    def method(self):
        """As alma.method_of names it."""
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
    def last(self):
        """Mega-batches that were learned."""
        return self.perplexity.shape[1] - 1

    @property
    def average(self):
        """[runs]: mean perplexity over mega-batches 1 to the last."""
        return self.perplexity[:, 1:].mean(axis=1)

    @property
    def memory(self):
        """[runs]: parameters, summed over mega-batches 1 to the last."""
        return self.parameters[:, 1:].sum(axis=1)

    @property
    def name(self):
        """"sm 4": its method and the experts it begins with."""
        return f"{self.method} {self.experts}"

    @property
    def tuned(self):
        """"lr=0.003, dropout=0"."""
        return ", ".join(f"{name.rsplit('.', 1)[-1]}={float(self.point.get(name, 0)):g}" for name in TUNED)

    def at(self, chunk):
        """[runs]: perplexity after mega-batch `chunk`."""
        return self.perplexity[:, chunk]


@dataclasses.dataclass(eq=False)
class Problem:
    """Configurations that can be compared."""

    family: str         # "tiny-A", "tiny-B", "paper"
    settings: dict      # those of PROBLEM
    configurations: list
    diverged: int

    @property
    def name(self):
        """"tiny-A, tinyshakespeare.txt, vocabulary of 128 characters, sequences of 64, 4 x 500 minibatches of 16"."""
        s = self.settings
        unit = {"character": "characters", "byte_pair": "byte pairs"}.get(s["dataset.unit"], s["dataset.unit"])
        part = f" (the first {s['dataset.limit']:g} sequences)" if s["dataset.limit"] else ""
        return (f"{self.family}, {s['dataset.file']}{part}, vocabulary of {s['dataset.vocabulary']:g} {unit}, "
                f"sequences of {s['dataset.sequence']:g}, "
                f"{s['stream.chunks']:g} x {s['stream.steps']:g} minibatches of {s['stream.batch']:g}")

    def anytime(self, size):
        """{name: configuration} of the stream of mega-batches, whose optimizer begins anew with each: of every method and number of
        experts the one with the best objective."""
        found = {}
        for one in self.configurations:
            if one.size == size and not one.together and one.treatment == "phase":
                best = found.get(one.name)
                if best is None or one.objective.mean() < best.objective.mean():
                    found[one.name] = one
        return dict(sorted(found.items()))

    def orders(self):
        """[Order] of all pairs of a configuration in sequence and the same one together; of one mega-batch there is no order."""
        found = []
        for iid in self.configurations:
            twins = [one for one in self.configurations if iid.together and not one.together and _alike(one, iid)]
            found += [Order(seq, iid) for seq in twins if seq.last >= iid.last > 1]
        return sorted(found, key=lambda one: (one.label, one.k, SIZES.index(one.size)))


@dataclasses.dataclass(eq=False)
class Order:
    """The first k mega-batches one after the other, and together."""

    sequential: Configuration
    iid: Configuration

    @property
    def size(self):
        """Of the networks."""
        return self.iid.size

    @property
    def k(self):
        """Mega-batches."""
        return self.iid.last

    @property
    def label(self):
        """Everything but size and k."""
        begins = {"never": "one optimizer", "phase": "a new optimizer a mega-batch"}
        return f"{self.iid.name}, {begins.get(self.iid.treatment, self.iid.treatment)}, {self.iid.tuned}"

    @property
    def seeds(self):
        """Of both."""
        return [seed for seed in self.iid.seeds if seed in self.sequential.seeds]

    @property
    def perplexities(self):
        """[2, seeds]: in sequence, and together."""
        return np.array([[one.at(self.k)[one.seeds.index(seed)] for seed in self.seeds] for one in (self.sequential, self.iid)])

    @property
    def gaps(self):
        """[seeds]: perplexity in sequence less that together."""
        return self.perplexities[0] - self.perplexities[1]

    @property
    def relative(self):
        """[seeds]: the gap, in per cent of the perplexity together."""
        return 100 * self.gaps / self.perplexities[1]


def _alike(one, other):
    apart = ("stream", "stream.first")
    return one.method == other.method and all(
        str(one.point.get(name, "")) == str(other.point.get(name, "")) for name in {*one.point.settings, *other.point.settings}
        if name not in apart)


def paired(one, other, values):
    """[seeds of both]: values(one) less values(other), seed by seed."""
    return runs.lead(one, other, values)


def problems_of(datasets):
    """All problems in the files; configurations have at least FEWEST_RUNS runs."""
    found = {}
    for point in runs.find(datasets, PROBLEMS, method_of):
        family, size = PRESETS.get(point.get("model.preset", "tiny_a"), (None, None))
        if point.get("model") != "switch_transformer" or family is None:
            continue
        values = {name: point.get(name, missing) for name, missing in PROBLEM.items()}
        problem = found.setdefault((family, *values.values()), Problem(family, values, [], 0))
        problem.diverged += point.diverged
        if point.n >= FEWEST_RUNS and all(map(point.has, ("perplexity", "anytime_parameters", "comp_train_flop"))):
            problem.configurations.append(_configuration(point, size))
    return [found[key] for key in sorted(found, key=str)]


def _configuration(point, size):
    return Configuration(point, size, int(point.get("model.experts", 4)), point.get("stream") == "text_iid",
                         point.get("optimizer.restart", "never"), point.curve("perplexity"), point.curve("anytime_parameters"),
                         point.curve("comp_train_flop").sum(axis=1), point.scalar("objective"))
