"""The views of the page, in its order; each module has `view(sweep)`, which raises NoData where there is nothing to show."""

from . import (anytime, curves, effects, failures, matrices, measures, missing, orders, parallel, plasticity, provenance,
               times, verdict)

# {name: (module, what the page calls it where the files have nothing for it)}
VIEWS = {
    "verdict": (verdict, "Verdict"),
    "curves": (curves, "Learning curves"),
    "matrices": (matrices, "Accuracy matrices"),
    "measures": (measures, "Accuracy, forgetting and transfer"),
    "plasticity": (plasticity, "Plasticity"),
    "anytime": (anytime, "Anytime learning"),
    "orders": (orders, "Disparity between orders of tasks"),
    "effects": (effects, "Main effects and pairs of settings"),
    "parallel": (parallel, "Parallel coordinates"),
    "failures": (failures, "Failures and divergence"),
    "times": (times, "Time per trial"),
    "missing": (missing, "Missing seeds"),
    "provenance": (provenance, "Provenance"),
}
