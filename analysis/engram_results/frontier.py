"""Methods at equal budget: frontiers in (log10 budget, cumulative error), and when one is below another.

A configuration has a mean over seeds of its budget and of its error. The frontier of a method keeps those that no
cheaper one is as good as. Between them it is a straight line over log10 budget; behind the last it is level up to the
method's dearest configuration, since a budget need not be spent. One method beats another if its frontier is lower at
80 % of the other's frontier points, or more, whose budgets both cover.
"""

import dataclasses

import numpy as np

ENOUGH = 0.8      # of the points, to beat another method
CLOSE = 1e-9      # budgets that differ by less, as a ratio, are the same


@dataclasses.dataclass(eq=False)
class Frontier:
    """The frontier of some configurations; each has `seeds` and `cer` [runs]."""

    budgets: np.ndarray    # log10 of the mean budget of each configuration on it, rising
    members: list          # the configurations on it
    last: float            # log10 of the dearest configuration, on it or not

    def at(self, budget, seed=None):
        """The error at a log10 budget: of the mean over seeds, or of one seed."""
        values = [member.cer.mean() if seed is None else member.cer[member.seeds.index(seed)]
                  for member in self.members]
        return float(np.interp(budget, self.budgets, values))

    def covers(self, budget):
        """Whether a log10 budget is among those of the method."""
        return self.budgets[0] - CLOSE <= budget <= self.last + CLOSE

    def seeds(self):
        """Seeds that all its configurations have."""
        return sorted(set.intersection(*(set(member.seeds) for member in self.members)))


@dataclasses.dataclass
class Comparison:
    """One frontier at the points of another."""

    budgets: np.ndarray    # log10, of the other's points whose budgets both cover
    gains: np.ndarray      # by how much the first is lower at each, of the means
    by_seed: np.ndarray    # [seeds] the mean of that over the points, seed by seed

    @property
    def share(self):
        """At which part of the points the first is lower."""
        return float(np.mean(self.gains > 0)) if self.gains.size else float("nan")

    @property
    def beats(self):
        """Whether the first beats the other."""
        return bool(self.gains.size) and self.share >= ENOUGH - CLOSE


def frontier(configurations, budget, seed=None):
    """The frontier of configurations; budget(configuration): [runs]. Of the means over seeds, or of one seed."""
    def of(one, values):
        return float(values.mean() if seed is None else values[one.seeds.index(seed)])

    priced = sorted((np.log10(of(one, budget(one))), of(one, one.cer), place) for place, one in enumerate(configurations))
    kept, least = [], np.inf
    for price, error, place in priced:
        if error < least:
            kept.append((price, configurations[place]))
            least = error
    return Frontier(np.array([price for price, _ in kept]), [one for _, one in kept], priced[-1][0])


def compare(first, other):
    """The frontier `first` at the points of the frontier `other` whose budgets both cover."""
    points = [(budget, member) for budget, member in zip(other.budgets, other.members)
              if first.covers(budget)]
    gains = [member.cer.mean() - first.at(budget) for budget, member in points]
    shared = [seed for seed in first.seeds() if all(seed in member.seeds for _, member in points)]
    by_seed = [np.mean([member.cer[member.seeds.index(seed)] - first.at(budget, seed) for budget, member in points])
               for seed in shared] if points else []
    return Comparison(np.array([budget for budget, _ in points]), np.array(gains), np.array(by_seed))
