"""The state of the network over tasks: what is learned online, dead and dormant units, ranks, weights, replacements."""

import numpy as np

from ..view import POINT, NoData, Table, View

PANELS = ("online_accuracy", "online_loss", "learning_accuracy", "peak_accuracy", "dead_units", "dormant_units",
          "saturated_units", "dead_percent", "dormant_percent", "effective_rank", "stable_rank", "approximate_rank",
          "effective_rank_percent", "stable_rank_percent", "mean_abs_weight", "replaced_units")
# Without one of these a file says nothing about plasticity.
NEEDED = ("dead_units", "dormant_units", "dead_percent", "effective_rank", "stable_rank", "effective_rank_percent",
          "replaced_units", "online_accuracy", "online_loss")
MOST_POINTS, PLACES = 12, 60


def view(sweep):
    """Table `panels`: layer 0 is all layers together, or what belongs to none."""
    if not any(sweep.has(name) for name in NEEDED):
        raise NoData("no trial has recorded units, ranks, replacements or online accuracy (measures units, rank, online)")
    rows, thinned = [], False
    chosen = sweep.chosen[:MOST_POINTS]
    for name in PANELS:
        if not sweep.has(name):
            continue
        for index, one in enumerate(chosen):
            mean, _, half, n = sweep.summary(sweep.values(name, one.finished))
            if mean.ndim not in (1, 2):
                continue
            places = np.nonzero((n > 0).reshape(len(n), -1).any(axis=1))[0]
            stride = max(1, -(-len(places) // PLACES))
            thinned |= stride > 1
            kept = [at for order, at in enumerate(places) if order % stride == 0 or order == len(places) - 1]
            for layer in range(mean.shape[1] if mean.ndim == 2 else 1):
                cell = (lambda array, at, layer=layer: array[at, layer] if array.ndim == 2 else array[at])
                rows += [[name, layer + 1 if mean.ndim == 2 else 0, index, int(at) + 1, cell(mean, at), cell(half, at),
                          int(cell(n, at))] for at in kept if cell(n, at) > 0]
    if not rows:
        raise NoData("no finished trial of a chosen point has a value of these measures")
    dims = {name: next(ds[name].dims[1] for ds in sweep.datasets if name in ds.variables) for name in PANELS if sweep.has(name)}
    shown = (f"{sweep.who[0].upper() + sweep.who[1:]} (at most {MOST_POINTS}), selected on {sweep.selected_on}: mean over finished "
             f"seeds and {sweep.interval_words}, over the places of each measure (look: before each task or so many examples; bin: "
             "of a task or so many examples; eval: evaluations). Layer 0: all layers together.")
    return View("Plasticity", shown, {"panels": Table("every place", [
        ("measure", "text"), ("layer", "integer"), ("point", POINT), ("place", "integer"), ("mean", "number"),
        ("half", "number"), ("n", "integer")], rows)},
        {"words": {name: f"{sweep.attribute(name, 'long_name', name)}" for name in dims}, "places": dims},
        ["places are thinned to about 60 a curve"] if thinned else [])
