"""What claims about anytime learning are told from: a difference of means has its sign if 2/3 of the paired seeds agree;
beside it stands the standard deviation over seeds."""

import dataclasses

import numpy as np

from . import frontier
from .alma import FEWEST_RUNS, agreed, difference_text, text
from .runs import lead
from .verdict import Case

BUDGETS = {"compute": lambda one: one.compute, "memory": lambda one: one.memory}


@dataclasses.dataclass
class Found:
    """What a problem says of a claim."""

    cases: list = dataclasses.field(default_factory=list)
    used: list = dataclasses.field(default_factory=list)    # configurations
    notes: list = dataclasses.field(default_factory=list)   # numbers that decide nothing
    lacks: list = dataclasses.field(default_factory=list)   # what else would be needed, in words

    def lower(self, one, other, values, names):
        """A case: values(one) [runs] is below values(other). names: what is compared, and what the two are."""
        differences = lead(other, one, values)
        if differences.size < FEWEST_RUNS:
            self.lacks.append(f"{FEWEST_RUNS} seeds of both {names[1]} and {names[2]} ({names[0]})")
            return
        self.use(one, other)
        self.cases.append(Case(agreed(differences), (
            f"{names[0]}: {names[1]} {text(values(one))}, {names[2]} {text(values(other))}, lower by "
            f"{difference_text(differences)}")))

    def use(self, *configurations):
        """Says that the claim rests on these."""
        self.used += [one for one in configurations if one not in self.used]

    def say(self, true, words, *configurations):
        """A case of any kind."""
        self.use(*configurations)
        self.cases.append(Case(bool(true), words))


def cer(one):
    """[runs]"""
    return one.cer


def percent(one):
    """[runs]: the error at the end, %."""
    return 100 * one.final


def ends(chosen):
    """The smallest and the largest size of {(size, wait): configuration}; one if they are the same."""
    sizes = sorted({size for size, _ in chosen})
    return list(dict.fromkeys((sizes[0], sizes[-1]))) if sizes else []


def waits_of(problem):
    """(greedy, middle, whole) waiting times for claims about 2, 10 and 100 of 100 mega-batches: whole is B, or None; of
    those below, middle is nearest to B/10 of all but the least, greedy nearest to B/50 of those below middle."""
    chunks = problem.chunks
    there = sorted({one.wait for one in problem.configurations if not one.replay})
    below = [wait for wait in there if wait < chunks]
    middle = _nearest(below[1:], chunks / 10)
    greedy = _nearest([wait for wait in below if middle is not None and wait < middle], chunks / 50)
    return greedy, middle, chunks if chunks in there else None


def _nearest(waits, wanted):
    return min(waits, key=lambda wait: abs(np.log(wait / wanted)), default=None)


def at_equal(found, problem, first, other, budget):
    """The comparison of two methods without replay at equal budget and words about it, or None if either is missing or no
    budget is both's; found: where configurations and what is missing are noted."""
    ones, others = problem.of(first), problem.of(other)
    for name, there in ((first, ones), (other, others)):
        if not there and f"method {name}" not in found.lacks:
            found.lacks.append(f"method {name}")
    if not ones or not others:
        return None
    lines = [frontier.frontier(there, BUDGETS[budget]) for there in (ones, others)]
    comparison = frontier.compare(*lines)
    if not comparison.gains.size:
        found.lacks.append(f"budgets that {first} and {other} share ({budget})")
        return None
    found.use(*lines[0].members, *lines[1].members)
    return comparison, comparison_text(first, other, budget, comparison)


def comparison_text(first, other, budget, comparison):
    """"compute: ens lower than gens at 4 of 5 frontier points, on average by 1.20 ± 0.30"."""
    gains = comparison.gains
    size = comparison.by_seed if comparison.by_seed.size else gains[:0]
    by = difference_text(size) if size.size else f"{gains.mean():.2f}, no seed in common"
    return (f"equal {budget}: {first} lower at {int((gains > 0).sum())} of {gains.size} frontier points of {other}, "
            f"on average by {by}")
