"""The views of the page, in its order; each module has `view(sweep)`, which raises NoData where there is nothing to show."""

from . import (anytime, curves, effects, failures, importance, matrices, measures, missing, orders, paired, parallel, plasticity,
               profiles, provenance, ranks, times, tuning, verdict)

# {name: (module, what the page calls it where the files have nothing for it)}
VIEWS = {
    "verdict": (verdict, "Verdict"),
    "curves": (curves, "Learning curves"),
    "matrices": (matrices, "Accuracy matrices"),
    "measures": (measures, "Accuracy, forgetting and transfer"),
    "plasticity": (plasticity, "Plasticity"),
    "anytime": (anytime, "Anytime learning"),
    "orders": (orders, "Disparity between orders of tasks"),
    "importance": (importance, "Importance of settings"),
    "effects": (effects, "Main effects and pairs of settings"),
    "parallel": (parallel, "Parallel coordinates"),
    "paired": (paired, "Paired differences"),
    "profiles": (profiles, "Interquartile means and performance profiles"),
    "ranks": (ranks, "Critical differences over streams"),
    "tuning": (tuning, "Tuning curve"),
    "failures": (failures, "Failures and divergence"),
    "times": (times, "Time per trial"),
    "missing": (missing, "Missing seeds"),
    "provenance": (provenance, "Provenance"),
}
