"""Several methods over several blocks (streams, datasets): mean ranks and which differ (Demšar 2006)."""

import typing

import numpy as np
import scipy.stats


class Ranks(typing.NamedTuple):
    """Mean ranks of methods over blocks; rank 1 is best."""

    ranks: np.ndarray      # [methods], the mean over blocks
    blocks: int
    friedman: float        # p that all methods are the same; NaN with two methods or one block
    critical: float        # Nemenyi's critical difference of two mean ranks
    cliques: list          # of tuples of methods (indices, best first) that do not differ; two members or more


def compare_ranks(values, maximise=True, alpha=0.05):
    """values: [blocks, methods], the mean of every method on every block. All must be there.

    Friedman's chi-square test (scipy), then Nemenyi's: two methods differ if their mean ranks do by more
    than `critical_difference`. A clique is a run of methods in the order of their mean ranks
    whose first and last do not differ, as long as possible: the bars of a critical-difference diagram.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 2 or np.isnan(values).any():
        raise ValueError("ranks need the value of every method on every block")
    blocks, methods = values.shape
    if methods < 2 or blocks < 1:
        raise ValueError("ranks need two methods and a block")
    ranks = scipy.stats.rankdata(-values if maximise else values, axis=1).mean(axis=0)
    tested = methods > 2 and blocks > 1 and not np.all(values == values[:, :1])
    friedman = float(scipy.stats.friedmanchisquare(*values.T).pvalue) if tested else np.nan
    critical = critical_difference(methods, blocks, alpha)
    return Ranks(ranks, blocks, friedman, critical, _cliques(ranks, critical))


def critical_difference(methods, blocks, alpha=0.05):
    """Nemenyi's critical difference of mean ranks.

        CD = q sqrt(k (k + 1) / (6 N)),   k methods, N blocks,
        q = the 1 - alpha quantile of the studentized range of k values (∞ degrees of freedom) / sqrt(2)
    """
    q = scipy.stats.studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(methods * (methods + 1) / (6 * blocks)))


def _cliques(ranks, critical):
    order = np.argsort(ranks, kind="stable")
    cliques, reached = [], -1
    for first in range(len(order)):
        last = max(i for i in range(first, len(order)) if ranks[order[i]] - ranks[order[first]] <= critical)
        if last > first and last > reached:
            cliques.append(tuple(int(method) for method in order[first:last + 1]))
        reached = max(reached, last)
    return cliques
