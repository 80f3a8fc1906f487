"""Claims V6 to V12 about methods at equal budget, replay and votes, as a problem shows them."""

import numpy as np

from . import frontier
from .alma import AGREE, FEWEST_RUNS, agreed, difference_text, overlap, pairs, text
from .alma_cases import BUDGETS, Found, at_equal, cer, comparison_text, percent
from .runs import lead

GROWERS = ("gmoe", "ff")       # besides gens
REPLAY_WAIT = 10               # the waiting time that replay is reported for
SCRATCH = "gens scratch"       # not judged: the prose's reading of gens, shown beside


def growing_does_not_win(problem):
    """V6."""
    found = Found()
    for other in GROWERS:
        for budget in BUDGETS:
            comparison = _beats(found, problem, "sm", other, budget)
            high = comparison is not None and comparison.budgets > comparison.budgets.mean()
            if np.any(high):
                found.notes.append(f"equal {budget}: in the upper half of the budgets sm is lower than {other} at "
                                   f"{int((comparison.gains[high] > 0).sum())} of {int(high.sum())} points")
    return found


def growers(problem):
    """V7."""
    found = Found()
    for other in GROWERS:
        _beats(found, problem, "gens", other, "compute")
        compared = at_equal(found, problem, other, "gens", "memory")
        if compared and compared[0].by_seed.size >= FEWEST_RUNS:
            found.say(agreed(compared[0].by_seed), compared[1])
    for other in GROWERS:
        _beside(found, problem, SCRATCH, other, "compute")
        _beside(found, problem, other, SCRATCH, "memory")
    return found


def ensembles(problem):
    """V8."""
    found = Found()
    _beats(found, problem, "ens", "gens", "memory")
    _beats(found, problem, "gens", "ens", "compute")
    _beside(found, problem, "ens", SCRATCH, "memory")
    _beside(found, problem, SCRATCH, "ens", "compute")
    _inference(found, problem)
    return found


def _inference(found, problem):
    """What a prediction costs: that of ens is constant, that of gens rises where there is more than one stage."""
    for method, rises in (("ens", False), ("gens", True)):
        there = [one for one in problem.of(method) if one.point.has("inf_mac") and (not rises or one.wait < problem.chunks)]
        if not there:
            found.lacks.append(f"inf_mac of {method}")
            continue
        curves = [one.point.curve("inf_mac") for one in there]
        true = all(_never_falls(curve) if rises else (curve == curve[:, :1]).all() for curve in curves)
        times = [float((curve[:, -1] / curve[:, 0]).mean()) for curve in curves]
        found.say(true, f"a prediction of {method} costs {min(times):.3g} to {max(times):.3g} times as much at the end as at the "
                  "beginning", *there)


def _never_falls(curve):
    return bool((np.diff(curve, axis=1) >= 0).all() and (curve[:, -1] > curve[:, 0]).all())


def mixture_of_small(problem):
    """V9."""
    found = Found()
    chosen = _of_equal_members(problem)
    both = sorted(set(chosen[0]) & set(chosen[1]))
    sizes = sorted({size for size, _ in both})
    waits = [wait for wait in sorted({wait for _, wait in both}) if all((size, wait) in both for size in sizes)]
    if len(sizes) < 2 or not waits:
        found.lacks.append("two sizes of umix and ens with as many members, at one waiting time or more")
        return found
    for size in sizes:
        used = [group[size, wait] for group in chosen for wait in waits]
        seeds = sorted(set.intersection(*(set(one.seeds) for one in used)))
        over = np.array([np.mean([_of_seed(chosen[0][size, wait], seed) - _of_seed(chosen[1][size, wait], seed)
                                  for wait in waits]) for seed in seeds])
        if over.size < FEWEST_RUNS:
            found.lacks.append(f"{FEWEST_RUNS} seeds of umix and ens of size {size}")
            continue
        words = f"size {size}: CER of umix less that of ens {text(over)}, above 0 in {int((over > 0).sum())} of {over.size} seeds"
        if size in (sizes[0], sizes[-1]):
            found.say(agreed(over if size == sizes[-1] else -over), words, *used)
        else:
            found.notes.append(words)
    found.notes.append(f"{used[0].members} members; mean over w = {', '.join(map(str, waits))}")
    return found


def _of_equal_members(problem):
    """({(size, wait): umix}, {(size, wait): ens}) with the number of members that both have in the most configurations."""
    numbers = {one.members for one in problem.of("umix")} & {one.members for one in problem.of("ens")}
    groups = [tuple(problem.chosen(method, members=number) for method in ("umix", "ens")) for number in sorted(numbers)]
    return max(groups, key=lambda group: len(set(group[0]) & set(group[1])), default=({}, {}))


def _of_seed(one, seed):
    return one.cer[one.seeds.index(seed)]


def ensembles_of_large(problem):
    """V10."""
    found = Found()
    largest = max((one.size for one in problem.of("ens")), default=None)
    rivals = [one for method in problem.methods() if not method.startswith("ens") for one in problem.of(method)]
    if largest is None or max((one.size for one in rivals), default=None) != largest:
        found.lacks.append("ens and another method at the largest size")
        return found
    there = [one for one in problem.of("ens") + rivals if one.size == largest]
    for budget, of in BUDGETS.items():
        seeds = sorted(set.intersection(*(set(one.seeds) for one in there)))
        if len(seeds) < FEWEST_RUNS:
            found.lacks.append(f"{FEWEST_RUNS} seeds of all methods at size {largest}")
            return found
        line = frontier.frontier(there, of).members
        on = [seed for seed in seeds if any(one.method == "ens" for one in frontier.frontier(there, of, seed).members)]
        members = [one for one in line if one.method == "ens"]
        found.say(members and len(on) >= AGREE * len(seeds) - 1e-9, (
            f"equal {budget}, size {largest}: {len(members)} of {len(line)} frontier points of all methods are ens; "
            f"ens is on the frontier of {len(on)} of {len(seeds)} seeds"), *line, *members)
    best, rival = (min((one for one in there if (one.method == "ens") == ens), key=lambda one: one.cer.mean())
                   for ens in (True, False))
    found.notes.append(f"least CER of size {largest}: ens {text(best.cer)}, of others {rival.method} {text(rival.cer)}, lower by "
                       f"{difference_text(lead(rival, best, cer))}")
    return found


def replay(problem):
    """V11."""
    found = Found()
    both = {method: [pair for pair in pairs(problem.of(method, True), problem.of(method))
                     if len(set(pair[0].seeds) & set(pair[1].seeds)) >= FEWEST_RUNS] for method in problem.methods(replay=True)}
    waits = {pair[0].wait for found_pairs in both.values() for pair in found_pairs}
    if not waits:
        found.lacks.append("a method with and without replay, all else equal")
        return found
    wait = min(waits, key=lambda wait: abs(np.log(wait / REPLAY_WAIT)))
    gains = {}
    for method, of_method in both.items():
        there = [pair for pair in of_method if pair[0].wait == wait]
        if there:
            gains[method] = _gain(found, method, wait, there)
    if not _matched_each(found, problem, list(gains)):   # the gain alone is half of the claim
        return Found(lacks=found.lacks)
    _gain_of_gens(found, gains)
    _end_together(found, problem, wait)
    _by_waiting_time(found, problem)
    return found


def _gain(found, method, wait, both):
    """{seed: by how many points the error at the end is lower with replay}, mean over configurations; cases about it."""
    seeds = sorted(set.intersection(*(set(one.seeds) for pair in both for one in pair)))
    gain = {seed: np.mean([percent(without)[without.seeds.index(seed)] - percent(with_)[with_.seeds.index(seed)]
                           for with_, without in both]) for seed in seeds}
    dearer = min(float((with_.compute.mean() / without.compute.mean())) for with_, without in both)
    values = np.array(list(gain.values()))
    found.say(agreed(values) and dearer > 1, (
        f"{method} at w = {wait}, error at the end, %: with replay lower by {difference_text(values)}, at {dearer:.2g} times the "
        "training or more"), *(one for pair in both for one in pair))
    return gain


def _matched_each(found, problem, methods):
    """Cases about equal compute: of each method that has been run at the same compute with and without replay; if none has,
    of all these methods together. Whether there are any."""
    each = [_matched(found, problem, [method]) for method in methods]
    return any(each) or (len(methods) > 1 and _matched(found, problem, methods))


def _matched(found, problem, methods):
    """A case: at equal compute frontiers with and without replay overlap within the spread of seeds at 80 % of the points.
    Whether there are such points."""
    method = " and ".join(methods)
    with_, without = (frontier.frontier([one for name in methods for one in problem.of(name, which)], BUDGETS["compute"])
                      for which in (True, False))
    comparison = frontier.compare(with_, without)
    if not comparison.gains.size:
        found.lacks.append(f"a compute that {method} with and without replay share")
        return False
    near = [overlap(member.cer, [with_.at(at, seed) for seed in with_.seeds()])
            for at, member in zip(without.budgets, without.members) if with_.covers(at)]
    words = comparison_text(f"{method} with replay", f"{method} without", "compute", comparison)
    found.say(np.mean(near) >= frontier.ENOUGH, f"{words}; within the standard deviations of both at {sum(near)} of {len(near)}",
              *with_.members, *without.members)
    return True


def _gain_of_gens(found, gains):
    """The gain of gens is the smallest."""
    for method, gain in gains.items():
        if method.startswith("gens") or "gens" not in gains:
            continue
        seeds = sorted(set(gain) & set(gains["gens"]))
        if len(seeds) >= FEWEST_RUNS:
            more = np.array([gain[seed] - gains["gens"][seed] for seed in seeds])
            found.say(agreed(more), f"error at the end, %: replay gains more for {method} than for gens, by "
                      f"{difference_text(more)}")


def _end_together(found, problem, at):
    """With replay gens and sm end at about the same error."""
    ones, others = (problem.chosen(method, True) for method in ("gens", "sm"))
    for size, wait in sorted(set(ones) & set(others)):
        if wait == at:
            one, other = ones[size, wait], others[size, wait]
            found.say(overlap(percent(one), percent(other)), f"size {size}, w = {wait}, with replay, error at the end, %: gens "
                      f"{text(percent(one))}, sm {text(percent(other))}", one, other)


def _by_waiting_time(found, problem):
    """CER with replay at every waiting time of the largest size: where much is spent the best is said to be 1."""
    for method in problem.methods(replay=True):
        chosen = problem.chosen(method, True)
        largest = max(size for size, _ in chosen)
        waits = [wait for size, wait in sorted(chosen) if size == largest]
        if len(waits) > 1:
            found.notes.append(f"{method} of size {largest} with replay, CER: "
                               + ", ".join(f"w = {wait} {text(chosen[largest, wait].cer)}" for wait in waits))


def votes(problem):
    """V12."""
    found = Found()
    both = pairs(problem.of("ens votes"), problem.of("ens"), apart=".average")
    seeds = sorted(set.intersection(*(set(one.seeds) for pair in both for one in pair))) if both else []
    if len(seeds) < FEWEST_RUNS:
        found.lacks.append("ens with average = votes and with average = probabilities, all else equal")
        return found
    voting, averaging = (np.array([np.mean([_of_seed(pair[which], seed) for pair in both]) for seed in seeds])
                         for which in (0, 1))
    found.say(overlap(voting, averaging), f"mean CER of {len(both)} configurations: votes {text(voting)}, "
              f"mean of probabilities {text(averaging)}, lower by {difference_text(voting - averaging)}",
              *(one for pair in both for one in pair))
    most = max(both, key=lambda pair: abs(pair[0].cer.mean() - pair[1].cer.mean()))
    found.notes += [f"they differ most at size {most[0].size}, w = {most[0].wait}: votes {text(most[0].cer)}, "
                    f"mean of probabilities {text(most[1].cer)}", "bagging is not tested"]
    return found


def _beats(found, problem, first, other, budget):
    """A case: one method beats another at equal budget. The comparison, or None."""
    compared = at_equal(found, problem, first, other, budget)
    if compared is None:
        return None
    found.say(compared[0].beats, compared[1])
    return compared[0]


def _beside(found, problem, first, other, budget):
    """The same as a number that decides nothing, if the files have both."""
    if problem.of(first) and problem.of(other):
        compared = at_equal(found, problem, first, other, budget)
        if compared:
            found.notes.append(f"not judged: {compared[1]}")


FUNCTIONS = {"V6": growing_does_not_win, "V7": growers, "V8": ensembles, "V9": mixture_of_small, "V10": ensembles_of_large,
             "V11": replay, "V12": votes}
