"""The full grids of anytime learning at macroscale, and what of them files lack: how many points, and the training they cost.

Operations are two per multiply-add of forwards and backwards of training examples, with all epochs: training that is
stopped early costs less. Growth has about ten steps in a stream.
"""

import dataclasses

FLOPS_PER_SECOND = 1e10   # of a core, to say how long that is
MEMBERS = 3
FIREFLY_GROWTH = 0.6
HELD_OUT = 0.1


@dataclasses.dataclass(frozen=True)
class Grid:
    """What the paper's version of a problem has."""

    label: str
    dataset: str
    net: str
    examples: int
    chunks: int
    epochs: int
    sizes: tuple
    waits: tuple
    methods: tuple
    seeds: int = 3


GRIDS = (Grid("CIFAR-10", "cifar10", "vgg", 50_000, 100, 100, (4, 8, 16, 32, 64), (2, 10, 100),
              ("sm", "ens", "umix", "gens", "gmoe", "ff")),
         Grid("MNIST", "mnist", "mlp", 60_000, 500, 100, (4, 8, 16, 32, 64), (1, 2, 5, 10, 25, 50, 100, 500),
              ("sm", "ens", "umix", "gens", "gmoe")))


def is_full(problem, grid):
    """Whether a problem is a grid's, whatever part of its points it has."""
    return (problem.settings["dataset"] == grid.dataset and problem.net == grid.net and problem.chunks == grid.chunks
            and not problem.settings["stream.subset"] and not problem.settings["dataset.limit"]
            and problem.settings["stream.epochs"] == grid.epochs)


def missing(problem, grid, wanted):
    """"14 of 60 points of the full grid (…), …" of points {(method, size, wait, replay)}, or ""; problem: None if the files
    have nothing of the grid's."""
    there = set() if problem is None else {(one.method, one.size, one.wait, one.replay)
                                           for one in problem.configurations}
    lacking = sorted(set(wanted) - there)
    if not lacking:
        return ""
    flop = grid.seeds * sum(training_flop(grid, *point) for point in lacking)
    values = (("method", 0), ("size", 1), ("w", 2))
    which = "; ".join(f"{name} {', '.join(str(value) for value in sorted({point[at] for point in lacking}))}"
                      for name, at in values)
    replay = "; with replay" if any(point[3] for point in lacking) else ""
    return (f"missing {len(lacking)} of {len(set(wanted))} points of the full grid ({which}{replay}): "
            f"{grid.seeds * len(lacking)} runs, at most {flop:.1e} operations of training, "
            f"{flop / FLOPS_PER_SECOND / 3600:,.0f} core hours at "
            f"{FLOPS_PER_SECOND / 1e9:g} Gflop/s")


def training_flop(grid, method, size, wait, replay):
    """Operations of training of one run."""
    stages = -(-grid.chunks // wait)
    passes = [(stage + 1 if replay else 1) / stages for stage in range(stages)]
    examples = (1 - HELD_OUT) * grid.examples * grid.epochs
    return examples * 2 * example_macs(grid.net, size) * sum(
        share * _times(method, stage, stages) for stage, share in enumerate(passes))


def example_macs(net, size):
    """Multiply-adds of the forward and the backward of an example through one network; no gradient is made of its
    input."""
    if net == "mlp":
        return 3 * (size ** 2 + 794 * size) - 784 * size
    return 3 * (16848 * size ** 2 + (27658 + 5792) * size) - 27648 * size


def _times(method, stage, stages):
    """As how many single networks a method learns in a stage."""
    every = max(1, stages // 10)
    if method.startswith(("ens", "umix")):
        return MEMBERS
    if method == "gmoe":
        return 1 + stage // every
    if method == "ff":
        width = 1.0
        for grown in range(every, stage + 1, every):
            width *= (FIREFLY_GROWTH * grown + 1) / (FIREFLY_GROWTH * (grown - 1) + 1)
        return width ** 2
    return 1
