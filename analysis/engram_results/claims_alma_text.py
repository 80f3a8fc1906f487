"""Claims L1 to L5 about anytime learning over text (Caccia et al. 2022), of every problem with text in the files.

Every row says its size. The paper's perplexities cannot be reached by the small problems, only the directions can be tested.
"""

import numpy as np

from .alma import agreed, difference_text, text
from .alma_text import SIZES, paired, problems_of
from .verdict import HOLDS, Case, above_zero, concluded, untested

STATEMENTS = {
    "L1": "the large model after one mega-batch beats every base model after four",
    "L2": "a fixed intermediate number of experts (8) beats a growing one in the mean of perplexities",
    "L3": "gEns beats gMoE at equal compute for the large model, they tie for base; gMoE needs less memory",
    "L4": "at equal compute Ens is best for large; for base some SM are better in both compute and memory",
    "L5": "the same data in sequence are harder than together, more so for the larger model"}
PARTLY = "holds where tested"   # not all of what the statement compares is in the files
MIDDLE = 8          # experts
SAME_COMPUTE = 0.05  # share by which compute may differ where it is called equal


def judge(datasets):
    """Verdicts of every problem; [] if the files have none."""
    verdicts = []
    for problem in problems_of(datasets):
        for claim, cases_of in CASES.items():
            name = f"{claim} ({problem.name})"
            cases, used, lacks = cases_of(problem)
            if not cases:
                verdicts.append(untested(name, STATEMENTS[claim], f"not in the files: {lacks}" if lacks else ""))
                continue
            verdict = concluded(name, STATEMENTS[claim], cases, used)
            if claim != "L5":
                verdict.numbers.append("chosen: " + "; ".join(f"{one.size} {one.name} {one.tuned}" for one in dict.fromkeys(used)))
            if lacks:
                verdict.verdict = PARTLY if verdict.verdict == HOLDS else verdict.verdict
                verdict.numbers.append(f"not in the files: {lacks}")
            if problem.diverged:
                verdict.numbers.append(f"{problem.diverged} runs that diverged are left out")
            verdicts.append(verdict)
    return verdicts


def _mean(values):
    return float(np.mean(values))


def _first_beats_last(problem):
    base, large = (problem.anytime(size) for size in SIZES)
    if not base or not large:
        return [], [], "base and large networks"
    best = min(base.values(), key=lambda one: _mean(one.at(one.last)))
    cases = []
    for one in large.values():
        seeds = [seed for seed in one.seeds if seed in best.seeds]
        difference = np.array([best.at(best.last)[best.seeds.index(seed)] - one.at(1)[one.seeds.index(seed)] for seed in seeds])
        cases.append(Case(agreed(difference), f"large {one.name} after 1: {text(one.at(1))}; the best base, {best.name}, after "
                          f"{best.last}: {text(best.at(best.last))}; lower by {difference_text(difference)}"))
    return cases, [best, *large.values()], ""


def _fixed_beats_growing(problem):
    cases, used, lacking = [], [], []
    for size in SIZES:
        found = problem.anytime(size)
        fixed, growing = found.get(f"sm {MIDDLE}"), _best(found, "gmoe")
        if fixed is None or growing is None:
            lacking.append(f"{size} sm {MIDDLE} and gmoe")
            continue
        difference = paired(growing, fixed, lambda one: one.average)
        cases.append(Case(agreed(difference), f"{size}, average perplexity: {fixed.name} {text(fixed.average)}, growing from "
                          f"{growing.experts} {text(growing.average)}; lower by {difference_text(difference)}"))
        used += [fixed, growing]
    return cases, used, "; ".join(lacking)


def _best(found, method):
    """The configuration of a method, whatever its variant, with the best objective."""
    mine = [one for one in found.values() if one.method.split()[0] == method]
    return min(mine, key=lambda one: one.objective.mean(), default=None)


def _growers(problem):
    cases, used, lacking = [], [], []
    for size in SIZES:
        found = problem.anytime(size)
        ensemble, mixture = _best(found, "gens"), _best(found, "gmoe")
        if ensemble is None or mixture is None:
            lacking.append(f"{size} gens and gmoe")
            continue
        difference = paired(mixture, ensemble, lambda one: one.average)
        words = (f"{size}, average perplexity: {ensemble.name} {text(ensemble.average)}, {mixture.name} {text(mixture.average)}; gEns "
                 f"lower by {difference_text(difference)}")
        ratio = _mean(mixture.compute) / _mean(ensemble.compute)
        words += f"; gMoE with {ratio:.2f} of its compute"
        if size == "large":   # gEns may not have bought it
            cases.append(Case(agreed(difference) and ratio >= 1 - SAME_COMPUTE, words))
        else:
            tie = not above_zero(difference) and not above_zero(-difference)
            cases.append(Case(tie, words + ", to be a tie: within two standard errors of the difference"))
        cases.append(Case(_mean(mixture.memory) < _mean(ensemble.memory),
                          f"{size}, parameters: gMoE {_mean(mixture.memory) / _mean(ensemble.memory):.2f} of gEns"))
        used += [ensemble, mixture]
    return cases, used, "; ".join(lacking)


def _ensembles(problem):
    cases, used, lacking = [], [], []
    for size in SIZES:
        found = problem.anytime(size)
        ensemble = _best(found, "ens")
        others = [one for one in found.values() if one.method != "ens" and
                  (size == "large" or one.method == "sm")]
        if ensemble is None or not others:
            lacking.append(f"{size} ens and others")
            continue
        if size == "large":
            cases += _best_of_all(ensemble, others)
            ratio = max(_mean(one.compute) for one in others) / _mean(ensemble.compute)
            if ratio < 1 - SAME_COMPUTE:
                lacking.append(f"large others with the compute of {ensemble.name}, of which they have {ratio:.2f} at most")
        else:
            cases += _some_single(ensemble, others)
        used += [ensemble, *others]
    return cases, used, "; ".join(lacking)


def _best_of_all(ensemble, others):
    """Of all that cost no more."""
    cases = []
    for one in others:
        if _mean(one.compute) <= (1 + SAME_COMPUTE) * _mean(ensemble.compute):
            difference = paired(one, ensemble, lambda which: which.average)
            cases.append(Case(agreed(difference), f"large, average perplexity: {ensemble.name} {text(ensemble.average)}, {one.name} "
                              f"{text(one.average)} at {_mean(one.compute) / _mean(ensemble.compute):.2f} of its compute; Ens lower "
                              f"by {difference_text(difference)}"))
    return cases


def _some_single(ensemble, singles):
    better, words = False, []
    for one in singles:
        difference = paired(ensemble, one, lambda which: which.average)
        compute, memory = (_mean(getattr(one, name)) / _mean(getattr(ensemble, name)) for name in ("compute", "memory"))
        better |= agreed(difference) and compute < 1 and memory < 1
        words.append(f"{one.name} {text(one.average)} at {compute:.2f} of the compute and {memory:.2f} of the parameters, lower by "
                     f"{difference_text(difference)}")
    return [Case(better, f"base, average perplexity: {ensemble.name} {text(ensemble.average)}; {'; '.join(words)}")]


def _orders(problem):
    orders = problem.orders()
    cases, used = [], []
    for one in orders:
        null = "" if agreed(one.gaps) or agreed(-one.gaps) else ", no effect that the seeds agree on"
        cases.append(Case(agreed(one.gaps), f"{one.size} {one.label}, k = {one.k}: in sequence {text(one.perplexities[0], 3)}, together "
                          f"{text(one.perplexities[1], 3)}, gap {difference_text(one.gaps, 3)}, {text(one.relative)} %{null}"))
        used += [one.sequential, one.iid]
    for large in (one for one in orders if one.size == "large"):
        for base in orders:
            if (base.size, base.k, base.label) == ("base", large.k, large.label):
                cases.append(Case(bool(large.relative.mean() > base.relative.mean()),
                                  f"{large.label}, k = {large.k}: relative gap of large {text(large.relative)} %, of base "
                                  f"{text(base.relative)} %"))
    lacking = [f"{size}: the same mega-batches in sequence and together" for size in SIZES if size not in {one.size for one in orders}]
    return cases, used, "; ".join(lacking)


CASES = {"L1": _first_beats_last, "L2": _fixed_beats_growing, "L3": _growers, "L4": _ensembles, "L5": _orders}
