"""Claims V1 to V12 about anytime learning at macroscale (Caccia et al. 2022), from sweeps over the stream mega_batches.

A row for each claim at the paper's size, CIFAR-10 in 100 mega-batches or MNIST in 500, needs all points of its part of
the full grid. Each smaller problem in the files has rows of its own, which say what was cut. The functions of alma_waiting
and alma_methods say what a problem shows of a claim.
"""

from . import alma_cost, alma_methods, alma_waiting
from .alma import problems_of
from .verdict import concluded, untested

STATEMENTS = {
    "V1": "an intermediate waiting time (10 of 100 mega-batches) has the lowest CER",
    "V2": "learners that wait little (2) are better only early in the stream and are overtaken",
    "V3": "waiting for the whole stream gives the best final error and the worst CER; an intermediate w ends close to it",
    "V4": "an intermediate w is best for small networks only: the best w falls as hidden layers grow from 4 to 64",
    "V5": "larger models are better and learn faster: after a tenth of the stream large Ens beats the end of small Ens",
    "V6": "at equal compute or memory SM beats gMoE and FF",
    "V7": "among growers gEns is better at equal compute, and on average the worst at equal memory",
    "V8": "Ens uses memory better than gEns, gEns training compute; predictions of gEns get dearer, those of Ens do not",
    "V9": "UMix is slightly better than Ens for small components, Ens for large ones",
    "V10": "at the largest size Ens is on the frontier of all methods",
    "V11": "replay lowers the error at more compute, not the CER at matched compute; gEns gains least and ends as SM does",
    "V12": "votes instead of means of probabilities make no difference"}
FUNCTIONS = {**alma_waiting.FUNCTIONS, **alma_methods.FUNCTIONS}
OF_ONE_GRID = {"V1": "CIFAR-10", "V2": "CIFAR-10", "V3": "CIFAR-10", "V4": "MNIST"}
NOT_OF_NET = {"V1": "mlp"}   # V4 says the opposite of large ones
ONLY_OF_NET = {"V4": "mlp"}
EXTREMES = ("V1", "V2", "V3")   # judged at the smallest and the largest size
# Methods that a claim is about; None: all of the grid.
METHODS = {"V1": ("sm", "ens"), "V2": ("sm", "ens"), "V3": ("sm", "ens"), "V4": ("sm", "ens"), "V5": ("sm", "ens"),
           "V6": ("sm", "gmoe", "ff"), "V7": ("gens", "gmoe", "ff"), "V8": ("ens", "gens"), "V9": ("umix", "ens"),
           "V10": None, "V11": None, "V12": ("ens",)}


def judge(datasets):
    """Verdicts for V1 to V12: of the paper's size, and for each smaller problem in the files; [] if they have none."""
    problems = problems_of(datasets)
    if not problems:
        return []
    verdicts = [_full(claim, grid, problems) for claim in STATEMENTS for grid in alma_cost.GRIDS
                if OF_ONE_GRID.get(claim, grid.label) == grid.label]
    for problem in problems:
        if problem.configurations and not any(alma_cost.is_full(problem, grid) for grid in alma_cost.GRIDS):
            verdicts += [_smaller(claim, problem) for claim in STATEMENTS if _is_about(claim, problem)]
    return verdicts


def _is_about(claim, problem):
    return NOT_OF_NET.get(claim) != problem.net and ONLY_OF_NET.get(claim, problem.net) == problem.net


def _full(claim, grid, problems):
    name = claim if claim in OF_ONE_GRID else f"{claim} ({grid.label})"
    problem = next((one for one in problems if alma_cost.is_full(one, grid)), None)
    lacking = alma_cost.missing(problem, grid, wanted(claim, grid))
    return untested(name, STATEMENTS[claim], lacking) if lacking else _verdict(name, claim, problem)


def wanted(claim, grid):
    """Points {(method, size, wait, replay)} of the full grid that a claim is about."""
    methods = [method for method in METHODS[claim] or grid.methods if method in grid.methods]
    sizes = grid.sizes
    if claim in EXTREMES:
        sizes = (min(sizes), max(sizes))
    elif claim == "V10":
        sizes = (max(sizes),)
    waits = (grid.chunks // 10,) if claim == "V5" else grid.waits
    points = {(method, size, wait, False) for method in methods for size in sizes for wait in waits}
    if claim == "V11":
        points |= {(method, size, alma_methods.REPLAY_WAIT, True) for method in methods for size in sizes}
    if claim == "V12":
        points |= {("ens votes", *point[1:]) for point in points}
    return points


def _smaller(claim, problem):
    verdict = _verdict(f"{claim} ({problem.name})", claim, problem)
    if verdict.runs:
        verdict.numbers.append(_cut(problem))
    return verdict


def _verdict(name, claim, problem):
    found = FUNCTIONS[claim](problem)
    lacks = list(dict.fromkeys(found.lacks))
    if not found.cases:
        return untested(name, STATEMENTS[claim], f"not in the files: {'; '.join(lacks)}" if lacks else "")
    verdict = concluded(name, STATEMENTS[claim], found.cases, found.used)
    verdict.numbers += found.notes + ([f"not in the files: {'; '.join(lacks)}"] if lacks else [])
    choices = [words for words in (problem.choice(method, found.used) for method in problem.methods()) if words]
    if choices:
        verdict.numbers.append(f"of several variants: {'; '.join(choices)}")
    if problem.diverged:
        verdict.numbers.append(f"{problem.diverged} runs that diverged are left out")
    return verdict


def _cut(problem):
    """What a smaller sweep leaves out, in words."""
    grid = next((grid for grid in alma_cost.GRIDS if grid.net == problem.net), alma_cost.GRIDS[0])
    sizes = sorted({one.size for one in problem.configurations})
    waits = sorted({one.wait for one in problem.configurations})
    runs = min(one.n for one in problem.configurations)

    def listed(values):
        return ", ".join(map(str, values))

    return (f"cut: {problem.name} (paper {grid.label}, {grid.chunks} mega-batches, {grid.examples} images, at most {grid.epochs} "
            f"epochs); sizes {listed(sizes)} ({listed(grid.sizes)}); w = {listed(waits)} ({listed(grid.waits)}); methods "
            f"{', '.join(problem.methods())} ({', '.join(grid.methods)}); {runs} runs ({grid.seeds})")
