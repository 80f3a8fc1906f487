"""Result files of anytime learning over text with perplexities and costs that are given, for tests."""

import numpy as np

import plasticity_files

METHODS = {"sm 2": {"learner": "plain", "model_experts": 2.0}, "sm 8": {"learner": "plain", "model_experts": 8.0},
           "ens 4": {"learner": "ensemble", "learner_members": 2.0, "learner_average": "probabilities", "learner_of": "plain",
                     "model_experts": 4.0},
           "gmoe 2": {"learner": "growing_experts", "learner_add": 2.0, "model_experts": 2.0},
           "gens 4": {"learner": "growing_ensemble", "learner_average": "probabilities", "learner_start": "warm",
                      "learner_of": "plain", "model_experts": 4.0}}
PRESETS = {"base": "tiny_a", "large": "tiny_a_large"}


def run(seed, method, size, perplexity, compute=1.0, parameters=1.0, lr=3e-3, restart="phase", first=None, objective=None, **more):
    """One run; perplexity after each mega-batch, compute of one of them, parameters of all."""
    curve = np.array([128.0, *perplexity])
    ones = np.ones(len(curve))
    stream = {"stream": "text_iid", "stream_first": float(first)} if first else {"stream": "text_mega_batches"}
    return {**stream, "dataset": "text", "dataset_file": "made.txt", "dataset_unit": "character", "dataset_vocabulary": 128.0,
            "dataset_sequence": 64.0, "stream_chunks": 4.0, "stream_steps": 500.0, "stream_batch": 16.0,
            "model": "switch_transformer", "model_preset": PRESETS[size], "model_dropout": 0.0, "optimizer": "adam",
            "optimizer_lr": lr, "optimizer_restart": restart, **METHODS[method], "seed": seed, "perplexity": curve,
            "anytime_parameters": parameters * ones, "comp_train_flop": compute * ones,
            "objective": np.mean(perplexity) if objective is None else objective, **more}


class Text:
    """All methods of both sizes, with every claim as published, of which parts can be changed."""

    seeds = (0, 1, 2)

    def __init__(self):
        self.start = {"base": 10.5, "large": 6.0}    # after the first mega-batch; one less after each other one
        self.offset = {(size, method): 0.0 for size in PRESETS for method in METHODS}
        self.offset.update({("base", "sm 8"): -0.8, ("large", "sm 8"): -0.1, ("base", "ens 4"): -0.5, ("large", "ens 4"): -0.4,
                            ("large", "gens 4"): -0.2, ("large", "sm 2"): 0.3})
        self.compute = dict.fromkeys(METHODS, 2.0) | {"sm 2": 1.0, "sm 8": 1.0}
        self.parameters = dict.fromkeys(METHODS, 1.0) | {"ens 4": 3.0, "gens 4": 4.0}
        self.gap = {"base": 0.1, "large": 0.2}       # of perplexity in sequence, both k

    def noise(self, seed):
        """The same for all methods of a seed."""
        return 0.05 * (seed - 1)

    def perplexity(self, size, method, seed):
        """After mega-batches 1 to 4."""
        return self.start[size] - np.arange(4.0) + self.offset[size, method] + self.noise(seed)

    def rows(self):
        """All runs."""
        anytime = [run(seed, method, size, self.perplexity(size, method, seed), self.compute[method], self.parameters[method])
                   for size in PRESETS for method in METHODS for seed in self.seeds]
        orders = []
        for size, gap in self.gap.items():
            for seed in self.seeds:
                curve = 5.0 - 0.5 * np.arange(4.0) + self.noise(seed)
                orders.append(run(seed, "ens 4", size, curve + gap, restart="never"))
                orders += [run(seed, "ens 4", size, curve[:k], restart="never", first=k) for k in (3, 4)]
        return anytime + orders

    def dataset(self, more=()):
        """All runs, and some more."""
        return plasticity_files.dataset(self.rows() + list(more))
