"""Two methods on the same seeds: the differences, and whether they may be chance."""

import typing

import numpy as np
import scipy.stats

from .aggregate import probability_of_improvement
from .interval import Interval, student

EXACT_PAIRS = 1000  # pairs up to which Wilcoxon's distribution is computed; beyond it the normal one stands in


class Comparison(typing.NamedTuple):
    """First less second. Of pairs with both values; probabilities are two-sided."""

    n: int
    difference: Interval       # Student's interval of the mean difference
    wilcoxon: float            # p of the signed-rank test
    student: float             # p of Student's paired test
    wins: int                  # pairs in which the first is better
    ties: int
    losses: int
    improvement: float         # probability of improvement of the first over the second


def compare(first, second, maximise=True, level=0.95):
    """Compares two arrays of the same seeds in the same order; pairs with a NaN are left out."""
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape:
        raise ValueError(f"{first.size} and {second.size} values are no pairs")
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    difference = first - second
    better = np.sign(difference) * (1 if maximise else -1)
    return Comparison(len(difference), student(difference, level), wilcoxon(difference), paired_t(difference),
                      int(np.sum(better > 0)), int(np.sum(better == 0)), int(np.sum(better < 0)),
                      probability_of_improvement(first, second, maximise))


def paired_t(differences):
    """p of Student's paired test that the mean difference is 0.

    NaN with fewer than two pairs, and where all differences are the same, of which t is not defined.
    """
    differences = _present(differences)
    if len(differences) < 2 or np.ptp(differences) == 0:
        return np.nan
    return float(scipy.stats.ttest_1samp(differences, 0).pvalue)


def wilcoxon(differences):
    """p of Wilcoxon's signed-rank test (1945) that the differences are symmetric about 0.

    Differences of 0 are left out, the others are ranked by |d| with midranks, and W is the sum of the ranks of the
    positive ones. Under the hypothesis every sign is a coin: all 2^n sums are counted exactly, also
    with ties (by dynamic programming over sums of doubled ranks, which are integers):

        p = min(1, 2 min(P(W <= w), P(W >= w)))

    It cannot be below 2 / 2^n: with 5 pairs 0.0625, with 6 0.03125. No differences but 0: p = 1; none at all: NaN.
    Beyond 1,000 pairs it is the normal approximation with correction for ties.
    """
    differences = _present(differences)
    if len(differences) == 0:
        return np.nan
    differences = differences[differences != 0]
    if len(differences) == 0:
        return 1.0
    if len(differences) > EXACT_PAIRS:
        return float(scipy.stats.wilcoxon(differences, mode="approx", correction=False).pvalue)
    ranks = np.rint(2 * scipy.stats.rankdata(np.abs(differences))).astype(int)
    probability = np.zeros(int(ranks.sum()) + 1)
    probability[0] = 1
    for rank in ranks:
        moved = np.zeros_like(probability)
        moved[rank:] = probability[:-rank]
        probability = (probability + moved) / 2
    w = int(ranks[differences > 0].sum())
    return float(min(1.0, 2 * min(probability[:w + 1].sum(), probability[w:].sum())))


def holm(probabilities):
    """Holm's (1979) step-down correction for several comparisons: adjusted p, in the order given.

        p_(i) adjusted = max over j <= i of min(1, (m - j + 1) p_(j)),   p_(1) <= … <= p_(m)

    NaN stays NaN and does not count.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    adjusted = np.full(len(probabilities), np.nan)
    places = np.flatnonzero(~np.isnan(probabilities))
    order = places[np.argsort(probabilities[places], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, factors * probabilities[order]))
    return adjusted


def _present(values):
    values = np.asarray(values, dtype=float).ravel()
    return values[~np.isnan(values)]
