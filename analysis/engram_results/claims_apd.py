"""Claims A1 to A6 about additive parameter decomposition (Yoon et al. 2020), of every task-incremental problem with several orders.

A row for each problem in the files; A6, the order of all methods, is about the paper's size alone.
"""

import numpy as np

from .alma import agreed, difference_text, text
from .apd import APD, problems_of
from .verdict import Case, concluded, untested

STATEMENTS = {
    "A1": "stl and apd are above ewc, and ewc above l2t, in mean accuracy",
    "A2": "the same of the worst task",
    "A3": "AOPD and MOPD of ewc and l2t are at least twice those of apd",
    "A4": "capacity of apd after the last task is below 40 % of that of stl (20 epochs or more)",
    "A5": "old tasks stay nearly flat with apd: they lose less than 2 points",
    "A6": "stl > apd (2) >= apd (1) >= apd fixed > all other methods that are one network"}
TIMES, SHARE, FLAT, ENOUGH_EPOCHS = 2, 0.4, 2.0, 20
OTHERS = ("ewc", "mas", "si", "l2t", "plain", "hat", "packnet", "wsn", "progressive")


def judge(datasets):
    """Verdicts of every problem; [] if the files have none."""
    verdicts = []
    for problem in problems_of(datasets):
        best = problem.best()
        for claim, cases_of in CASES.items():
            name = f"{claim} ({problem.name})"
            cases, used, why = cases_of(problem, best)
            if not cases:
                verdicts.append(untested(name, STATEMENTS[claim], why))
                continue
            verdict = concluded(name, STATEMENTS[claim], cases, used)
            verdict.numbers += [f"{method}: {one.strengths}" for method, one in best.items() if one.strengths and one in used]
            if problem.diverged:
                verdict.numbers.append(f"{problem.diverged} runs that diverged are left out")
            verdicts.append(verdict)
    return verdicts


def _above(best, over, under, figure):
    """(case, used): whether a method is above another seed by seed; None where one is not in the files."""
    if over not in best or under not in best:
        return None
    one, other = best[over], best[under]
    seeds = [seed for seed in one.seeds if seed in other.seeds]
    values, others = getattr(one, figure), getattr(other, figure)
    differences = np.array([values[one.seeds.index(seed)] - others[other.seeds.index(seed)] for seed in seeds])
    return Case(agreed(differences), f"{over} {text(values)}, {under} {text(others)}: {difference_text(differences)}"), (one, other)


def _gather(pairs, best, figure):
    found = [_above(best, over, under, figure) for over, under in pairs]
    used = [one for entry in found if entry for one in entry[1]]
    lacking = sorted({name for pair in pairs for name in pair} - set(best))
    cases = [] if lacking and not any(found) else [entry[0] for entry in found if entry]
    return cases, list(dict.fromkeys(used)), f"not in the files: {', '.join(lacking)}" if lacking else ""


def _accuracy(figure):
    def cases(_problem, best):
        above = [method for method in ("stl", *APD) if method in best]
        return _gather([(method, "ewc") for method in above or ("stl",)] + [("ewc", "l2t")], best, figure)
    return cases


def _disparity(_problem, best):
    cases, used = [], []
    for other in ("ewc", "l2t"):
        for method in APD:
            if other in best and method in best:
                mine, theirs = best[method].disparity, best[other].disparity
                spread = [best[name].disparity_by_seed for name in (other, method)]
                for index, name in enumerate(("AOPD", "MOPD")):
                    cases.append(Case(theirs[index] >= TIMES * mine[index],
                                      f"{name}: {other} {theirs[index]:.2f} (by seed {text(spread[0][:, index])}), {method} "
                                      f"{mine[index]:.2f} (by seed {text(spread[1][:, index])})"))
                used += [best[method], best[other]]
    if cases and "stl" in best:
        aopd, mopd = best["stl"].disparity
        cases.append(Case(True, f"beside: stl AOPD {aopd:.2f}, MOPD {mopd:.2f}"))
    return cases, list(dict.fromkeys(used)), "apd beside ewc or l2t is not in the files"


def _capacity(problem, best):
    if problem.epochs < ENOUGH_EPOCHS:
        return [], [], f"{problem.epochs} epochs are too few for the weights of tasks to get to 0"
    stl = best["stl"].capacity if "stl" in best else None
    there = [(method, best[method]) for method in APD if method in best and best[method].capacity is not None]
    if stl is None or not there:
        return [], [], "the measure capacity of apd and stl is not in the files"
    cases = [Case(one.capacity.max() < SHARE * stl.mean(), f"{method} {text(one.capacity, 1)} % of one network, at most "
                  f"{one.capacity.max():.1f}; stl {stl.mean():.1f}") for method, one in there]
    return cases, [best["stl"]] + [one for _, one in there], ""


def _flat(_problem, best):
    there = [(method, best[method]) for method in APD if method in best]
    cases = [Case(bool(one.forgetting.mean() < FLAT), f"{method} loses {text(one.forgetting)} points") for method, one in there]
    if cases:
        cases += [Case(True, f"beside: {method} loses {text(best[method].forgetting)}")
                  for method in ("ewc", "l2t") if method in best]
    return cases, [one for _, one in there], "apd is not in the files"


def _all(problem, best):
    if problem.stream not in ("cifar100_split", "cifar100_superclass") or problem.settings["dataset.limit"] or \
            str(problem.settings["model.hidden"]) != "[800, 500]":
        return [], [], "about CIFAR-100 at full size"
    cases, used, why = _gather([("stl", "apd (2)")] + [("apd fixed", other) for other in OTHERS if other in best], best, "mean")
    for over, under in (("apd (2)", "apd (1)"), ("apd (1)", "apd fixed")):   # at least as good: the other is not above
        entry = _above(best, under, over, "mean")
        if entry:
            cases.append(Case(not entry[0].true, entry[0].words))
            used += entry[1]
    return cases, list(dict.fromkeys(used)), why


CASES = {"A1": _accuracy("mean"), "A2": _accuracy("worst"), "A3": _disparity, "A4": _capacity, "A5": _flat, "A6": _all}
