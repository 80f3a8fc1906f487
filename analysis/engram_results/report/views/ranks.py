"""Methods over several streams: mean ranks with Nemenyi's critical difference."""

import numpy as np

from ...ranking import first_of_each
from ...statistics import compare_ranks
from ..view import NoData, Table, View


def view(sweep):
    """Tables `ranks`, `blocks` and `cliques`; a block is a stream and dataset, a method has its best point there."""
    ranked = sweep.ranked[sweep.ranked["n"] > 0]
    names = list(dict.fromkeys(ranked["problem"]))
    if len(names) < 2:
        raise NoData("the files have one stream and dataset alone, and ranks over blocks need several")
    best = first_of_each(ranked, ["problem", "method_alone"]).set_index(["problem", "method_alone"])["reported"].unstack()
    best = best.loc[names].dropna(axis=1)
    if best.shape[1] < 2:
        raise NoData("no two methods have a result on all streams")
    found = compare_ranks(best.to_numpy(dtype=float), sweep.maximise)
    order = np.argsort(found.ranks, kind="stable")
    methods = list(best.columns)
    shown = (f"Ranks of methods over {len(names)} blocks (stream and dataset): the best point of each method there, selected on {sweep.selected_on}, "
             f"by the mean of {sweep.reported_on}; 1 is best. Methods whose mean ranks differ by less than the critical difference "
             f"{found.critical:.4g} (Nemenyi, 5 %) are joined by a bar. p of Friedman's test that all are the same: {found.friedman:.3g}.")
    return View("Critical differences over streams", shown, {
        "ranks": Table("mean ranks", [("method", "text"), ("rank", "number")], [[methods[at], found.ranks[at]] for at in order]),
        "blocks": Table("values", [("block", "text"), ("method", "text"), ("value", "number")],
                        [[block, method, best.at[block, method]] for block in names for method in methods]),
        "cliques": Table("not told apart", [("bar", "integer"), ("method", "text")],
                         [[bar + 1, methods[at]] for bar, clique in enumerate(found.cliques) for at in clique])},
        {"critical": found.critical, "friedman": None if found.friedman != found.friedman else found.friedman})
