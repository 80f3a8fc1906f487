"""A mean over seeds and its interval."""

import typing

import numpy as np
import scipy.stats


class Interval(typing.NamedTuple):
    """An estimate and its bounds, which are NaN where there are fewer than two values."""

    estimate: float
    low: float
    high: float
    n: int

    @property
    def half(self):
        """Half of the interval's width: the number after ±."""
        return (self.high - self.low) / 2


def student(values, level=0.95):
    """Student's interval of the mean, the default everywhere (Student 1908).

        mean ± t s / sqrt(n),   s² = Σ (x - mean)² / (n - 1),   t = the (1 + level) / 2 quantile, n - 1 degrees

    Exact for normal values at any n >= 2; that is why it is the default, with the 3 to 10 seeds of a sweep.
    """
    values = _present(values)
    if len(values) < 2:
        return _around(values, np.nan)
    return _around(values, _bound((1 - level) / 2, len(values) - 1) * scipy.stats.sem(values))


def paper(values):
    """The interval of the Hard ASH paper (and of many others), for comparing with published tables.

        mean ± 1.96 s / sqrt(n),   s² = Σ (x - mean)² / n   (numpy.std)

    It is too short with few seeds: of the 95 % it covers 60 % at n = 2, 75 % at n = 3, 85 % at n = 5.
    """
    values = _present(values)
    half = 1.96 * np.std(values) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return _around(values, half)


def bootstrap(values, statistic=np.mean, strata=None, method="percentile", level=0.95, resamples=9999,
              seed=0):
    """A bootstrap interval of any statistic (Efron and Tibshirani 1993), by scipy.stats.bootstrap.

    statistic(array, axis=...) over the last axis. strata: a label per value; each stratum (a stream, a task)
    is resampled on its own, with its own number of values (Agarwal et al. 2021). method: percentile, basic
    or bca (bias-corrected and accelerated). A stratum needs two values. With fewer than about 20 values
    of the mean these intervals are too short: use `student`.
    """
    values = np.asarray(values, dtype=float)
    labels = np.zeros(len(values), dtype=int) if strata is None else np.asarray(strata)
    labels, values = labels[~np.isnan(values)], values[~np.isnan(values)]
    groups = [values[labels == label] for label in dict.fromkeys(labels.tolist())]
    if not groups:
        return Interval(np.nan, np.nan, np.nan, 0)
    estimate = float(statistic(np.concatenate(groups), axis=-1))
    if min(map(len, groups)) < 2:
        return Interval(estimate, np.nan, np.nan, len(values))
    if all(np.ptp(group) == 0 for group in groups):
        return Interval(estimate, estimate, estimate, len(values))
    low, high = scipy.stats.bootstrap(
        groups, lambda *parts, axis: statistic(np.concatenate(parts, axis=-1), axis=axis), vectorized=True,
        confidence_level=level, n_resamples=resamples, method=method,
        random_state=np.random.default_rng(seed)).confidence_interval
    return Interval(estimate, float(low), float(high), len(values))


def mean_interval(values, kind="student", level=0.95):
    """The mean with the interval of a name: student, paper, bootstrap (percentile), bca."""
    if kind == "student":
        return student(values, level)
    if kind == "paper":
        return paper(values)
    if kind in ("bootstrap", "bca"):
        return bootstrap(values, level=level, method="bca" if kind == "bca" else "percentile")
    raise ValueError(f"no interval called `{kind}`; there are student, paper, bootstrap, bca")


def _bound(tail, freedom):
    """The t with P(T >= t) = tail. SciPy's quantile is wrong by up to 4e-9 (at 40 degrees of freedom), its tail is not:
    one step of Newton's method makes it exact."""
    t = scipy.stats.t.isf(tail, freedom)
    return t + (scipy.stats.t.sf(t, freedom) - tail) / scipy.stats.t.pdf(t, freedom)


def _present(values):
    values = np.asarray(values, dtype=float).ravel()
    return values[~np.isnan(values)]


def _around(values, half):
    mean = float(np.mean(values)) if len(values) else np.nan
    return Interval(mean, float(mean - half), float(mean + half), len(values))
