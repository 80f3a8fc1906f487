"""Which settings matter: the exact decomposition of the variance over a full grid (Fisher 1925).

A grid of settings is tried with the same seeds everywhere. The sum of squares of all values about their mean
is the sum of those of

    every setting alone, of every set of settings together (interactions),
    the seeds (what they do to all points alike), and the rest, which is noise

and shares of it sum to one. A term U of settings has, with m_V the mean of all values that agree in V,

    f_U = Σ_{V ⊆ U} (-1)^{|U| - |V|} m_V,   SS_U = Σ over all values of f_U²

(the functional ANOVA of Hutter et al. 2014 without a model, as every point was run). F is the term's mean
square over that of the noise, p its tail.

Settings that exist only under some values of another, as `optimizer.beta` under `optimizer: adam`, are decomposed
within each of those values: the other setting then has the means over all its blocks, and `beta` what it
moves within its own. See `design.py` for how the structure is found.
"""

import itertools
import typing

import numpy as np
import scipy.stats

from .design import NotFactorial, find_design

__all__ = ["Decomposition", "NotFactorial", "Term", "decompose", "factor_shares"]


class Term(typing.NamedTuple):
    """One share of the variance: a setting, or several together."""

    factors: tuple         # names
    within: tuple          # of (name, value): where the settings exist; () for everywhere
    squares: float         # sum of squares
    freedom: int
    share: float           # of the total
    f: float               # NaN without noise to compare with
    p: float


class Decomposition(typing.NamedTuple):
    """All terms, largest share first; the shares of terms, seeds and noise sum to one."""

    terms: list
    seed_share: float      # what seeds do to all points alike; 0 for unpaired seeds
    noise_share: float
    noise_freedom: int
    total: float           # sum of squares
    points: int
    seeds: int             # per point
    paired: bool
    left_out: int          # values of seeds that not every point has
    nested_in: tuple       # settings within whose values all others stand, as their grids differ (or miss points)


def decompose(factors, values, seeds=None, parents=None):
    """factors: {name: value per row}, where None, NaN and "" mean that the row has no such setting; values: one per
    row; seeds: one per row (default: all rows are different points). Rows whose value is NaN do not count.

    parents: {name: name of the setting under whose values it exists}, where the data leave it open. Seeds that some
    point lacks are left out. Without a common seed all points need equally many, which are then noise alone.
    Raises NotFactorial if the points are no full grid; `approximate` is for those.
    """
    rows = np.asarray(values, dtype=float)
    kept = ~np.isnan(rows)
    columns = {name: _column(column)[kept] for name, column in factors.items()}
    labels = (np.zeros(len(rows), dtype=int) if seeds is None else np.asarray(seeds))[kept]
    points, matrix, paired = _matrix(columns, labels, rows[kept])
    pieces, nested_in = find_design({name: [point[i] for point in points] for i, name in enumerate(columns)},
                                    len(points), parents or {})
    means, count = matrix.mean(axis=1), matrix.shape[1]
    total = float(np.sum((matrix - matrix.mean()) ** 2))
    seed_squares = len(points) * float(np.sum((matrix.mean(axis=0) - matrix.mean()) ** 2)) if paired else 0.0
    within = matrix - means[:, None]
    noise = max(float(np.sum(within ** 2)) - seed_squares, 0.0)
    freedom = (len(points) - 1) * (count - 1) if paired else len(points) * (count - 1)
    terms = [_term(piece, count * float(np.sum(piece.effect(means) ** 2)), total, noise, freedom)
             for piece in pieces]
    return Decomposition(sorted(terms, key=lambda term: -term.share), _share(seed_squares, total),
                         _share(noise, total), freedom, total, len(points), count, paired,
                         int(kept.sum()) - matrix.size, nested_in)


def factor_shares(decomposition):
    """{name: (alone, in all)}: the share of a setting by itself, and of all terms it takes part in, as Sobol's first
    and total indices. Those in all count an interaction for each of its settings and do not sum to one."""
    shares = {}
    for term in decomposition.terms:
        for name in term.factors:
            alone, everything = shares.get(name, (0.0, 0.0))
            shares[name] = (alone + term.share * (len(term.factors) == 1), everything + term.share)
    return dict(sorted(shares.items(), key=lambda item: -item[1][1]))


def _term(piece, squares, total, noise, freedom):
    f = p = np.nan
    if freedom > 0 and noise > 0:
        f = squares / piece.freedom / (noise / freedom)
        p = float(scipy.stats.f.sf(f, piece.freedom, freedom))
    return Term(piece.factors, piece.within, squares, piece.freedom, _share(squares, total), f, p)


def _share(squares, total):
    return squares / total if total > 0 else 0.0


def _column(column):
    """Values with None for "no such setting"."""
    out = np.empty(len(column), dtype=object)
    for i, value in enumerate(column):
        value = value.item() if isinstance(value, np.generic) else value
        out[i] = None if value is None or value == "" or value != value else value
    return out


def _matrix(columns, seeds, values):
    """(points, [points, seeds] of values, whether column j is the same seed everywhere)."""
    found = {}
    for point, seed, value in zip(zip(*columns.values()), seeds.tolist(), values.tolist()):
        found.setdefault(point, {}).setdefault(seed, []).append(value)
    if len(found) < 2:
        raise NotFactorial("a decomposition needs two points")
    if any(len(again) > 1 for of in found.values() for again in of.values()):
        raise NotFactorial("a point has the same seed twice: a setting in which its trials differ is missing")
    common = set.intersection(*(set(of) for of in found.values()))
    if common:
        order = sorted(common)
        return list(found), np.array([[of[seed][0] for seed in order] for of in found.values()]), True
    counts = {len(of) for of in found.values()}
    if len(counts) > 1:
        raise NotFactorial("no seed is common to all points, and they have different numbers of seeds")
    return list(found), np.array([list(itertools.chain(*of.values())) for of in found.values()]), False
