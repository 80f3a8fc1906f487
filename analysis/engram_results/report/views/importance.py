"""Which settings matter: the exact decomposition of the variance over a grid, or an approximation of it."""

import numpy as np

from ...ranking import number, owner, stages
from ...statistics import NotFactorial, approximate, decompose, factor_shares
from ..view import NoData, Table, View

MOST_SETTINGS = 10   # of a design that is no grid: beyond it the approximation takes too long for a page


def view(sweep):
    """Tables `terms`, `settings` and `rest`; the shares of terms and rest sum to one."""
    rows = sweep.frame[sweep.frame["status"].isin(("done", "diverged")) & (stages(sweep.frame) < 2)
                       & np.isfinite(sweep.frame["objective"].astype(float))]
    factors = {dotted: rows[column].to_numpy() for dotted, column in sweep.telling.items() if rows[column].astype(str).nunique() > 1}
    if not factors:
        raise NoData("no setting has two values among the trials that have a result")
    values = rows["objective"].to_numpy(dtype=float)
    if np.ptp(values) == 0:
        raise NoData("all trials have the same objective")
    try:
        return _exact(sweep, factors, values, rows["seed"].to_numpy() if "seed" in rows else None)
    except NotFactorial as reason:
        return _approximate(sweep, factors, values, str(reason))


def _exact(sweep, factors, values, seeds):
    found = decompose(factors, values, seeds, _parents(sweep, factors))
    within = [" and ".join(f"{name} = {number(value)}" for name, value in term.within) for term in found.terms]
    terms = [[" × ".join(term.factors), where, term.share, term.squares, term.freedom, term.f, term.p]
             for term, where in zip(found.terms, within)]
    settings = [[name, alone, everything] for name, (alone, everything) in factor_shares(found).items()]
    notes = []
    if found.left_out:
        notes.append(f"{found.left_out} values of seeds that not every point has are left out")
    if found.nested_in:
        notes.append(f"the points are no full grid over {', '.join(found.nested_in)}: the other settings are decomposed within their values")
    shown = (f"Exact decomposition of the variance (ANOVA) of {sweep.selected_on} over a grid of {found.points} points × {found.seeds} "
             f"{'paired ' if found.paired else ''}seeds, first stage, no selection: shares of the total sum of squares of every setting alone, "
             "of settings together (×), of seeds, and of noise; they sum to one. Settings of a component are nested in it. F: mean square over "
             "that of the noise.")
    return View("Importance of settings", shown, {
        "terms": Table("shares of the variance", [("term", "text"), ("within", "text"), ("share", "number"), ("squares", "number"),
                                                  ("freedom", "integer"), ("F", "number"), ("p", "number")], terms),
        "settings": Table("every setting", [("setting", "text"), ("alone", "number"), ("in_all", "number")], settings),
        "rest": Table("seeds and noise", [("part", "text"), ("share", "number")],
                      [["seeds", found.seed_share], ["noise", found.noise_share]])}, {"exact": True}, notes)


def _approximate(sweep, factors, values, reason):
    if len(factors) > MOST_SETTINGS:
        raise NoData(f"{reason}; with {len(factors)} settings the approximation is left out too")
    try:
        found = approximate(factors, values)
    except ValueError as error:
        raise NoData(str(error)) from error
    shown = (f"An approximation, as the points are no grid: {found.model}, of {sweep.selected_on} over {found.points} points, first stage, no "
             "selection. Shares of the sum of squares of all values; with what the model leaves unexplained and noise between seeds they sum to "
             f"one. R² of the means of points {found.r2:.4g}, of points left out {found.r2_left_out:.4g}.")
    return View("Importance of settings", shown, {
        "terms": Table("shares", [("term", "text"), ("within", "text"), ("share", "number")],
                       [[name, "", share] for name, share in found.shares.items()]),
        "rest": Table("what is left", [("part", "text"), ("share", "number")],
                      [["unexplained", found.unexplained], ["noise", found.noise]])}, {"exact": False},
        [f"{reason[0].upper()}{reason[1:]}"] + ([f"by their logarithm: {', '.join(found.logarithmic)}"] if found.logarithmic else []))


def _parents(sweep, factors):
    columns = {column: dotted for dotted, column in sweep.known.items()}
    found = {name: columns.get(owner(name, sweep.known)) for name in factors}
    return {name: parent for name, parent in found.items() if parent in factors}
