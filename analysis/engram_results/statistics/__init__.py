"""Statistics of results: small functions of arrays, without files, one definition each.

interval    mean and interval: Student (the default), the papers' 1.96 s/sqrt(n), bootstrap
anova       exact decomposition of the variance over a full grid with paired seeds
sampled     an approximation of it for designs that are no grid: shares of R²
paired      differences seed by seed, Wilcoxon's signed-rank test, Holm's correction
aggregate   probability of improvement, interquartile mean, performance profiles
ranks       methods over several blocks: Friedman's test, Nemenyi's critical difference
tuning      the expected best of k tried points

NaN means "no value" and is left out wherever the number of values may change.
"""

from .aggregate import Profile, interquartile_mean, performance_profile, probability_of_improvement
from .anova import Decomposition, NotFactorial, Term, decompose, factor_shares
from .interval import Interval, bootstrap, mean_interval, paper, student
from .paired import Comparison, compare, holm, wilcoxon
from .ranks import Ranks, compare_ranks, critical_difference
from .sampled import Approximation, approximate
from .tuning import expected_best, tuning_curve

__all__ = ["Approximation", "Comparison", "Decomposition", "Interval", "NotFactorial", "Profile", "Ranks", "Term",
           "approximate", "bootstrap", "compare", "compare_ranks", "critical_difference", "decompose",
           "expected_best", "factor_shares", "holm", "interquartile_mean", "mean_interval", "paper",
           "performance_profile", "probability_of_improvement", "student", "tuning_curve", "wilcoxon"]
