"""Result files of sweeps over mega-batches with errors and costs that are given, for tests."""

import numpy as np

METHODS = {
    "sm": {"learner_of": "plain"},
    "ens": {"learner_of": "ensemble", "learner_of_members": 3.0, "learner_of_average": "probabilities", "learner_of_of": "plain"},
    "ens votes": {"learner_of": "ensemble", "learner_of_members": 3.0, "learner_of_average": "votes", "learner_of_of": "plain"},
    "umix": {"learner_of": "plain", "model": "umix", "model_members": 3.0, "model_combine": "mean"},
    "gens": {"learner_of": "growing_ensemble", "learner_of_average": "probabilities", "learner_of_start": "warm",
             "learner_of_add": 1.0, "learner_of_grow_every": 1.0, "learner_of_of": "plain"},
    "gmoe": {"learner_of": "growing_mixture", "learner_of_split_by": "loss", "learner_of_gate": "soft"},
    "ff": {"learner_of": "firefly", "learner_of_grow_every": 1.0}}


def steps(stages, wait, chunks, start):
    """[B + 1]: `start` until mega-batch `wait`, then the value of each stage until the next one ends."""
    curve = np.full(chunks + 1, float(start))
    for stage, value in enumerate(stages):
        curve[min((stage + 1) * wait, chunks):] = value
    return curve


def spent(total, wait, chunks):
    """[B + 1]: what a stage costs, where it ends; all stages the same."""
    curve = np.zeros(chunks + 1)
    ends = [min(end, chunks) for end in range(wait, chunks + wait, wait)]
    curve[ends] = total / len(ends)
    return curve


def alma(seed, method, size, wait, errors, net="vgg", chunks=100, compute=1e9, parameters=None, prediction=None, replay=0,
         chance=0.9, **more):
    """One run; errors of its stages; parameters and prediction (multiply-adds): of the initial model and of each stage."""
    error = steps(errors, wait, chunks, chance)
    parameters = [1000] * (len(errors) + 1) if parameters is None else parameters
    prediction = [1000] * (len(errors) + 1) if prediction is None else prediction
    size_setting = {"hidden": f"[{size}, {size}]"} if net == "mlp" else {"width": float(size)}
    inside = "model_of_" if method == "umix" else "model_"
    model = {"model_of": net} if method == "umix" else {"model": net}
    return {"stream": "mega_batches", "dataset": "mnist" if net == "mlp" else "cifar10", "dataset_limit": 0.0,
            "stream_chunks": float(chunks), "stream_wait": float(wait), "stream_replay": float(replay), "stream_subset": 0.0,
            "stream_epochs": 100.0, "learner": "early_stopping", "learner_patience": 25.0, **METHODS[method], **model,
            **{inside + name: value for name, value in size_setting.items()}, "seed": seed, "cer": error[1:].sum(),
            "anytime_error": error, "anytime_parameters": steps(parameters[1:], wait, chunks, parameters[0]),
            "comp_train_flop": spent(compute, wait, chunks),
            "inf_mac": steps(prediction[1:], wait, chunks, prediction[0]), **more}


class Vision:
    """All points of CIFAR-10 in 100 mega-batches, with every claim as published, of which parts can be changed.

    The error after t mega-batches is level + (0.9 - level) exp(-t / slowness). CER in 2, 10 and 100 for size 4: 53, 51, 90.
    """

    sizes = (4, 8, 16, 32, 64)
    waits = (2, 10, 100)
    seeds = (0, 1, 2)
    chunks = 100
    net = "vgg"

    def __init__(self):
        self.level = dict(zip(self.sizes, (0.40, 0.33, 0.28, 0.24, 0.20)))
        self.slowness = dict(zip(self.sizes, (15, 12, 10, 8, 6)))
        self.above = {2: 0.1, 10: 0.01, 100: 0.0}      # of the level, by waiting time
        self.slower = {2: 0.4, 10: 1.0, 100: 0.0}      # as many times as slow
        self.offset = {"sm": 0.0, "ens": -0.02, "ens votes": -0.019, "umix": -0.02, "gens": -0.01, "gmoe": 0.01, "ff": 0.015}
        self.umix = dict(zip(self.sizes, (-0.01, -0.005, 0.0, 0.005, 0.01)))
        self.compute = {"sm": 1, "ens": 3, "ens votes": 3, "umix": 3, "gens": 1, "gmoe": 3, "ff": 2}
        self.parameters = {"sm": 1, "ens": 3, "ens votes": 3, "umix": 3, "gmoe": 2, "ff": 2.5}
        self.prediction = dict(self.parameters)
        self.replayed = dict(zip(self.sizes, (0.10, 0.06, 0.05, 0.05, 0.05)))   # by how much replay lowers the error
        self.replay_cost, self.replay_wait = 5.5, 10
        self.with_replay = ("sm", "ens", "umix", "gens", "gmoe", "ff")
        self.methods = tuple(self.offset)
        self.more = {}

    def errors(self, method, size, wait, replay, seed):
        """Of every stage."""
        ends = np.arange(wait, self.chunks + 1, wait)
        level = self.level[size] + self.above[wait]
        slowness = self.slowness[size] * self.slower[wait]
        curve = level + ((0.9 - level) * np.exp(-ends / slowness) if slowness else 0 * ends)
        offset = self.offset["sm" if replay and method == "gens" else method] + (self.umix[size] if method == "umix" else 0)
        return curve + offset - (self.replayed[size] if replay else 0) + 0.02 * (seed - 1)

    def costs(self, method, size, wait, replay):
        """Arguments of `alma`."""
        stages = -(-self.chunks // wait)
        growing = [1, *range(1, stages + 1)]
        unit = 135.0 * size ** 2

        def over(table):
            return [unit * times for times in (growing if method not in table else [table[method]] * (stages + 1))]

        return {"compute": 1e9 * size ** 2 * self.compute[method] * (self.replay_cost if replay else 1),
                "parameters": over(self.parameters), "prediction": over(self.prediction)}

    def rows(self):
        """All runs."""
        points = [(method, size, wait, 0) for method in self.methods for size in self.sizes for wait in self.waits]
        points += [(method, size, self.replay_wait, 1) for method in self.with_replay for size in self.sizes]
        return [alma(seed, method, size, wait, self.errors(method, size, wait, replay, seed), self.net, self.chunks,
                     replay=replay, **self.costs(method, size, wait, replay), **self.more)
                for method, size, wait, replay in points for seed in self.seeds]
