"""What is said of many runs at once instead of a mean (Agarwal et al. 2021, "Deep RL at the edge of the
statistical precipice")."""

import typing

import numpy as np
import scipy.stats


class Profile(typing.NamedTuple):
    """A performance profile: for every threshold the share of runs beyond it, and its pointwise band."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: int


def probability_of_improvement(first, second, maximise=True):
    """The probability that a run of the first method is better than one of the second.

        P(X > Y) = (1 / (n m)) Σ_i Σ_j [x_i > y_j] + [x_i = y_j] / 2

    which is Mann and Whitney's U / (n m); 0.5 where neither is better, NaN where either has no runs.
    """
    first, second = (_present(values) if maximise else -_present(values) for values in (first, second))
    if len(first) == 0 or len(second) == 0:
        return np.nan
    difference = first[:, None] - second[None, :]
    return float(np.mean((np.sign(difference) + 1) / 2))


def interquartile_mean(values, axis=None):
    """The mean of the middle half of all runs: the smallest and the largest quarter (rounded down) are cut.

    More robust than the mean, and needs fewer runs than the median; with fewer than four runs it is the mean.
    """
    return scipy.stats.trim_mean(np.asarray(values, dtype=float), 0.25, axis=axis)


def performance_profile(values, thresholds=None, strata=None, maximise=True, level=0.95, resamples=2000,
                        seed=0):
    """The share of runs beyond every threshold, with a pointwise percentile band by stratified bootstrap.

        share(τ) = (1 / n) Σ_i [x_i > τ]      (x_i < τ if small values are good)

    thresholds: by default 101 from the smallest to the largest value. strata: a label per run, resampled
    each on its own. The band is NaN where a stratum has a single run.
    """
    values = np.asarray(values, dtype=float)
    labels = np.zeros(len(values), dtype=int) if strata is None else np.asarray(strata)
    labels, values = labels[~np.isnan(values)], values[~np.isnan(values)]
    if len(values) == 0:
        raise ValueError("a performance profile needs a run")
    if thresholds is None:
        thresholds = np.linspace(values.min(), values.max(), 101)
    thresholds = np.asarray(thresholds, dtype=float)
    sign = 1 if maximise else -1
    beyond = (sign * values[None, :] > sign * thresholds[:, None]).astype(float)
    share = beyond.mean(axis=1)
    groups = [np.flatnonzero(labels == label) for label in dict.fromkeys(labels.tolist())]
    if min(map(len, groups)) < 2:
        nothing = np.full(len(thresholds), np.nan)
        return Profile(thresholds, share, nothing, nothing.copy(), len(values))
    rng = np.random.default_rng(seed)
    rows = np.concatenate([rng.choice(group, (resamples, len(group))) for group in groups], axis=1)
    sums = np.stack([line[rows].mean(axis=1) for line in beyond])
    tail = (1 - level) / 2
    low, high = np.quantile(sums, [tail, 1 - tail], axis=1)
    return Profile(thresholds, share, low, high, len(values))


def _present(values):
    values = np.asarray(values, dtype=float).ravel()
    return values[~np.isnan(values)]
