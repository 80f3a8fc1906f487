"""How good the best of k tried points is to be expected: what tuning a method costs (Dodge et al. 2019,
"Show your work")."""

import numpy as np


def tuning_curve(selected, reported=None, maximise=True):
    """[N]: entry k - 1 is the expected value of the best of k points drawn from the N given ones.

    selected: a value per point, by which the best is chosen; reported: what is then reported of it (default:
    the same). Points without both values (NaN) are left out and make N smaller.
    """
    selected = np.asarray(selected, dtype=float)
    reported = selected if reported is None else np.asarray(reported, dtype=float)
    both = ~(np.isnan(selected) | np.isnan(reported))
    return np.array([expected_best(selected[both], k, reported[both], maximise)
                     for k in range(1, int(both.sum()) + 1)])


def expected_best(selected, k, reported=None, maximise=True):
    """The expected value of the best of k draws with replacement from the N points, exactly.

        E = Σ_i r_(i) [ (i / N)^k - ((i - 1) / N)^k ],   s_(1) <= … <= s_(N) from worst to best

    r: the values to report, in the order of s, those by which is chosen; points with equal s share their weights.
    No value may be NaN.
    """
    selected = np.asarray(selected, dtype=float)
    reported = selected if reported is None else np.asarray(reported, dtype=float)
    if len(selected) == 0 or len(selected) != len(reported) or k < 1 or np.isnan(selected + reported).any():
        raise ValueError("the expected best needs points with a value, as many to report, and k >= 1")
    worth = selected if maximise else -selected
    _, groups, sizes = np.unique(worth, return_inverse=True, return_counts=True)
    below = np.concatenate([[0], np.cumsum(sizes)]) / len(worth)
    weights = (below[1:] ** k - below[:-1] ** k) / sizes
    return float(np.sum(weights[groups] * reported))
