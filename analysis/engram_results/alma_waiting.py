"""Claims V1 to V5 about waiting times and sizes, as a problem shows them."""

from . import published
from .alma import FEWEST_RUNS, agreed, text
from .alma_cases import Found, cer, ends, percent, waits_of
from .runs import lead

METHODS = ("sm", "ens")   # the claims are about these
ENOUGH_CHUNKS = 100       # with fewer the penalty of waiting can decide by itself


def _each(found, problem, *waits):
    """(method, size, configurations at these waiting times) at the smallest and the largest size that has all of them."""
    for method in METHODS:
        chosen = problem.chosen(method)
        whole = {key: one for key, one in chosen.items() if all((key[0], wait) in chosen for wait in waits)}
        if not whole:
            found.lacks.append(f"{method} at w = {', '.join(map(str, waits))}")
        for size in ends(whole):
            yield method, size, [chosen[size, wait] for wait in waits]


def _have(found, problem, *waits):
    """Whether there are such waiting times."""
    for wait, words in zip(waits, ("a waiting time below B/10", "one near B/10", f"w = {problem.chunks}, the whole stream")):
        if wait is None:
            found.lacks.append(words)
    return None not in waits


def intermediate_is_best(problem):
    """V1."""
    found, waits = Found(), waits_of(problem)
    if _have(found, problem, *waits):
        for method, size, (greedy, middle, whole) in _each(found, problem, *waits):
            for other in (greedy, whole):
                found.lower(middle, other, cer, (f"{method} of size {size}, CER", f"w = {middle.wait}", f"w = {other.wait}"))
        _penalty(found, problem)
    return found


def greedy_is_overtaken(problem):
    """V2."""
    found, (early, late, _) = Found(), waits_of(problem)
    if not _have(found, problem, early, late):
        return found
    for method, size, (greedy, middle) in _each(found, problem, early, late):
        differences = lead(greedy, middle, lambda one: one.error)
        if differences.shape[0] < FEWEST_RUNS:
            found.lacks.append(f"{FEWEST_RUNS} seeds of {method} of size {size} at both waiting times")
            continue
        places, signs = decided_signs(differences, late)
        turns = [places[at + 1] for at in range(len(signs) - 1) if signs[at] != signs[at + 1]]
        once = len(turns) == 1 and signs[0] < 0
        words = f"cross at t = {', '.join(map(str, turns))}" if turns else "do not cross"
        start = f", the greedy one {'below' if signs[0] < 0 else 'above'} at first" if signs else ""
        found.say(once, f"{method} of size {size}: from t = {late} on the curves of w = {early} and {late} {words}{start}",
                  greedy, middle)
        found.lower(middle, greedy, percent, (f"{method} of size {size}, error at the end, %", f"w = {late}", f"w = {early}"))
    return found


def decided_signs(differences, start):
    """(places, signs) of differences of curves [seeds, B + 1] from `start` on, where 2/3 of the seeds agree on the sign of the
    mean."""
    places = [at for at in range(start, differences.shape[1])
              if agreed(differences[:, at]) or agreed(-differences[:, at])]
    return places, [1 if agreed(differences[:, at]) else -1 for at in places]


def whole_ends_best(problem):
    """V3."""
    found, waits = Found(), waits_of(problem)
    if not _have(found, problem, *waits):
        return found
    for method, size, (greedy, middle, whole) in _each(found, problem, *waits):
        what = f"{method} of size {size}, error at the end, %"
        found.lower(middle, greedy, percent, (what, f"w = {middle.wait}", f"w = {greedy.wait}"))
        worse, far = lead(whole, middle, percent), lead(greedy, whole, percent)
        if min(worse.size, far.size) < FEWEST_RUNS:
            continue
        found.say(not agreed(worse), f"{what}: w = {whole.wait} {text(percent(whole))}, w = {middle.wait} "
                  f"{text(percent(middle))}", whole, middle)
        gap, gaps = abs(worse.mean()), abs(far.mean())
        found.say(2 * gap < gaps, f"{what}: w = {middle.wait} ends {gap:.2f} from w = {whole.wait}, w = {greedy.wait} "
                  f"{gaps:.2f} (less than half is close)", greedy)
        for other in (greedy, middle):
            found.lower(other, whole, cer, (f"{method} of size {size}, CER", f"w = {other.wait}", f"w = {whole.wait}"))
    return found


def small_networks_wait(problem):
    """V4."""
    found = Found()
    for method in METHODS:
        chosen = problem.chosen(method)
        sizes = sorted({size for size, _ in chosen})
        # A least waiting time is told among those that all sizes have.
        waits = [wait for wait in sorted({wait for _, wait in chosen}) if all((size, wait) in chosen for size in sizes)]
        if len(sizes) < 2 or len(waits) < 2:
            found.lacks.append(f"two sizes and two waiting times of {method}")
            continue
        best = {size: min(waits, key=lambda wait, size=size: chosen[size, wait].cer.mean()) for size in sizes}
        small, large = sizes[0], sizes[-1]
        seeds = sorted(set.intersection(*(set(chosen[size, wait].seeds) for size in (small, large) for wait in waits)))
        moved = [_best_wait(chosen, waits, small, seed) - _best_wait(chosen, waits, large, seed) for seed in seeds]
        if len(seeds) < FEWEST_RUNS:
            found.lacks.append(f"{FEWEST_RUNS} seeds of {method} at all waiting times")
            continue
        found.say(best[small] > best[large] and agreed(moved), (
            f"{method}: least CER at " + ", ".join(f"w = {best[size]} of size {size}" for size in sizes)
            + f"; size {small} waits longer than {large} in {sum(by > 0 for by in moved)} of {len(seeds)} seeds"),
            *(chosen[size, wait] for size in (small, large) for wait in waits))
        found.notes += [f"{method} of size {size}, CER: "
                        + ", ".join(f"w = {wait} {text(chosen[size, wait].cer)}" for wait in waits) for size in ends(chosen)]
    if found.cases:
        _penalty(found, problem)
    return found


def _best_wait(chosen, waits, size, seed):
    return min(waits, key=lambda wait: chosen[size, wait].cer[chosen[size, wait].seeds.index(seed)])


def larger_is_better(problem):
    """V5."""
    found, (_, middle, _) = Found(), waits_of(problem)
    if middle is None:
        found.lacks.append("a waiting time near B/10 and one below it")
        return found
    for method in METHODS:
        chosen = {size: one for (size, wait), one in problem.chosen(method).items() if wait == middle}
        sizes = sorted(chosen)
        if len(sizes) < 2:
            found.lacks.append(f"two sizes of {method} at w = {middle}")
            continue
        for small, large in zip(sizes, sizes[1:]):
            found.lower(chosen[large], chosen[small], cer, (f"{method} at w = {middle}, CER", f"size {large}", f"size {small}"))
        if method == "ens":
            _early_beats_late(found, problem, chosen[sizes[0]], chosen[sizes[-1]], max(middle, problem.chunks // 10))
    return found


def _early_beats_late(found, problem, small, large, early):
    """The large ensemble, after a tenth of the stream, is below the small one at its end."""
    gap = 100 * lead(small, large, lambda one: one.final if one is small else one.at(early))
    if gap.size < FEWEST_RUNS:
        return
    level = published.anytime_learning()["small_ens_final_percent"]
    found.say(agreed(gap), f"ens at w = {small.wait}, error, %: size {large.size} after {early} mega-batches "
              f"{text(100 * large.at(early))}, size {small.size} after all {problem.chunks} {text(percent(small))}", small, large)
    found.notes.append(f"the small ensemble ends at {text(percent(small))} % (published for CIFAR-10: about {level:g})")


def _penalty(found, problem):
    if problem.chunks < ENOUGH_CHUNKS:
        found.notes.append(f"{problem.chunks} mega-batches are few: errors of guessing while waiting can decide by themselves")


FUNCTIONS = {"V1": intermediate_is_best, "V2": greedy_is_overtaken, "V3": whole_ends_best, "V4": small_networks_wait,
             "V5": larger_is_better}
