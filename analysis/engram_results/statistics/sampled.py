"""Which settings matter in a design that is no full grid (sampled points, an unfinished grid): an approximation.

The means of points are regressed on the settings one by one, without interactions: numbers as a parabola (of the
logarithm where positive values are less skewed by it), words as categories. What the regression explains, R², is
shared among the settings by the average, over all orders of adding them, of what each adds (Lindeman, Merenda and Gold
1980; Grömping 2007; the Shapley value of R²): shares are not negative and sum to R².
"""

import functools
import itertools
import math
import typing

import numpy as np
import scipy.stats

EXACT_SETTINGS = 12     # up to which all sets of settings are fitted; beyond, ORDERS random orders are
ORDERS = 1000


class Approximation(typing.NamedTuple):
    """Shares of the sum of squares of all values; shares, unexplained and noise sum to one."""

    shares: dict           # {name: share}, largest first
    unexplained: float     # differences between points that the model misses: interactions, other shapes
    noise: float           # differences between seeds of one point; 0 if points have one seed each
    r2: float              # of the points' means
    r2_left_out: float     # the same for points predicted from all others; far below r2: too few points
    points: int
    logarithmic: tuple     # settings taken by their logarithm
    model: str


def approximate(factors, values):
    """factors: {name: value per row}, where None, NaN and "" mean "no such setting"; values: one per row. Rows of equal
    settings are seeds of one point. Rows whose value is NaN do not count."""
    values = np.asarray(values, dtype=float)
    kept = np.flatnonzero(~np.isnan(values))
    columns = {name: [_value(column[i]) for i in kept] for name, column in factors.items()}
    columns = {name: column for name, column in columns.items() if len(set(column)) > 1}
    rows = list(zip(*columns.values())) if columns else []
    points = {row: i for i, row in enumerate(dict.fromkeys(rows))}
    if len(points) < 2:
        raise ValueError("an approximation needs two points")
    places = np.array([points[row] for row in rows])
    values = values[kept]
    counts = np.bincount(places).astype(float)
    means = np.bincount(places, values) / counts
    total = float(np.sum((values - values.mean()) ** 2))
    noise = float(np.sum((values - means[places]) ** 2))
    shapes, logarithmic = {}, []
    for i, name in enumerate(columns):
        shapes[name], is_log = _shape(list(columns), i, list(points))
        logarithmic += [name] * is_log
    names, shares, r2, left_out = _shares(shapes, means, counts)
    between = 1 - noise / total if total > 0 else 0.0
    ordered = sorted(((n, float(s * between)) for n, s in zip(names, shares)), key=lambda item: -item[1])
    return Approximation(dict(ordered), between * (1 - r2), noise / total if total > 0 else 0.0, r2, left_out,
                         len(points), tuple(logarithmic),
                         "additive regression, parabolas and categories; Lindeman-Merenda-Gold shares of R²")


def _value(value):
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is None or value == "" or value != value else value


def _shape(names, which, points):
    """(columns of the regression [points, …], whether of the logarithm)."""
    column = [point[which] for point in points]
    there = np.array([value is not None for value in column])
    given = [value for value in column if value is not None]
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in given) and len(set(given)) > 2
    logarithmic = numbers and min(given) > 0 and _skew(np.log(given)) < _skew(given)
    if numbers:
        x = np.zeros(len(column))
        x[there] = np.log(given) if logarithmic else given
        x[there] = (x[there] - x[there].mean()) / np.ptp(x[there])
        square = np.where(there, x ** 2 - np.mean(x[there] ** 2), 0)
        parts = [x, square]
    else:
        parts = [[v == one for v in column] for one in dict.fromkeys(given)]
    # Whether the setting is there at all is its own effect, unless another setting decides it.
    if not there.all() and not any(_decides([p[i] for p in points], there) for i in range(len(names)) if i != which):
        parts.append(there)
    return np.array(parts, dtype=float).T, logarithmic


def _skew(given):
    return abs(scipy.stats.skew(np.unique(given)))


def _decides(column, there):
    seen = {}
    return all(seen.setdefault(value, here) == here for value, here in zip(column, there))


def _shares(shapes, means, counts):
    """(names, shares of R², R², R² of left-out points); points weigh as many values as they have."""
    weight = np.sqrt(counts)
    names = list(shapes)
    centred = [shape - np.average(shape, axis=0, weights=counts) for shape in shapes.values()]
    design = np.concatenate(centred, axis=1) * weight[:, None]
    target = (means - np.average(means, weights=counts)) * weight
    squares = float(target @ target)
    if squares == 0:
        return names, np.zeros(len(names)), 0.0, 0.0
    ends = np.cumsum([part.shape[1] for part in centred])
    of = [np.arange(end - part.shape[1], end) for part, end in zip(centred, ends)]
    gram, cross = design.T @ design, design.T @ target

    @functools.lru_cache(maxsize=None)
    def explained(members):
        places = np.concatenate([of[i] for i in sorted(members)]) if members else []
        if len(places) == 0:
            return 0.0
        solution = np.linalg.pinv(gram[np.ix_(places, places)], rcond=1e-10, hermitian=True) @ cross[places]
        return float(cross[places] @ solution) / squares

    shares = _average_gain(len(names), explained)
    return names, shares, min(explained(frozenset(range(len(names)))), 1.0), _left_out(design, target, weight)


def _average_gain(count, explained):
    shares = np.zeros(count)
    if count > EXACT_SETTINGS:
        rng = np.random.default_rng(0)
        for _ in range(ORDERS):
            order = rng.permutation(count).tolist()
            for i, one in enumerate(order):
                shares[one] += explained(frozenset(order[:i + 1])) - explained(frozenset(order[:i]))
        return shares / ORDERS
    for one in range(count):
        others = [i for i in range(count) if i != one]
        for size in range(count):
            weight = 1 / (count * math.comb(count - 1, size))
            for members in itertools.combinations(others, size):
                before = frozenset(members)
                shares[one] += weight * (explained(before | {one}) - explained(before))
    return shares


def _left_out(design, target, weight):
    """1 - Σ e² / Σ y², e of every point predicted from the others (PRESS, by the leverages h: e / (1 - h))."""
    full = np.concatenate([weight[:, None], design], axis=1)
    inverse = np.linalg.pinv(full, rcond=1e-10)
    leverage = np.einsum("ij,ji->i", full, inverse)
    residual = target - full @ (inverse @ target)
    if np.any(leverage > 1 - 1e-9):
        return np.nan
    return float(1 - np.sum((residual / (1 - leverage)) ** 2) / (target @ target))
