"""Result files of task-incremental sweeps over orders of tasks with accuracies that are given, for tests."""

import numpy as np

import plasticity_files

LEARNERS = {
    "stl": {"learner": "stl", "learner_of": "early_stopping", "learner_of_of": "plain"},
    "plain": {"learner": "early_stopping", "learner_of": "plain"},
    "mtl": {"learner": "early_stopping", "learner_of": "plain", "stream_joint": 1.0},
    "l2t": {"learner": "early_stopping", "learner_of": "l2t", "learner_of_lambda": 1.0},
    "ewc": {"learner": "early_stopping", "learner_of": "ewc", "learner_of_lambda": 100.0},
    "apd fixed": {"learner": "early_stopping", "learner_of": "apd", "learner_of_retroactive": 0.0, "learner_of_consolidate_every": 0.0},
    "apd (1)": {"learner": "early_stopping", "learner_of": "apd", "learner_of_retroactive": 1.0, "learner_of_consolidate_every": 0.0},
    "apd (2)": {"learner": "early_stopping", "learner_of": "apd", "learner_of_retroactive": 1.0, "learner_of_consolidate_every": 5.0},
    "wsn": {"learner": "early_stopping", "learner_of": "wsn"}}
ORDERS = {"A": [0, 1, 2], "B": [2, 0, 1]}


class Split:
    """Three tasks in two orders, with every claim as published, of which parts can be changed. In per cent: the level of a method,
    by how much it falls from a task's position to the end (old tasks), and by how much tasks differ between orders."""

    seeds = (0, 1)

    def __init__(self):
        self.level = {"stl": 64.0, "apd (2)": 61.0, "apd (1)": 60.0, "apd fixed": 59.0, "ewc": 54.0, "l2t": 49.0}
        self.away = {"stl": 1.0, "apd (2)": 1.5, "apd (1)": 2.0, "apd fixed": 2.5, "ewc": 7.0, "l2t": 8.0}
        self.fall = {"ewc": 10.0, "l2t": 15.0}
        self.capacity = {"stl": 300.0, "apd (2)": 110.0, "apd (1)": 110.0, "apd fixed": 110.0}
        self.settings = {"stream": "cifar100_split", "dataset": "cifar100", "dataset_limit": 0.0, "model": "lenet",
                         "model_hidden": "[800, 500]", "stream_epochs": 20.0, "stream_joint": 0.0}

    def row(self, method, order, seed, **more):
        """One run. In order B tasks have their accuracy `away` higher or lower, by what they are."""
        tasks = ORDERS[order]
        away = np.array([0.0, 1.0, -1.0]) * (self.away.get(method, 0) if order == "B" else 0)
        last = (self.level[method] + away + 0.1 * seed)[tasks] / 100
        matrix = np.full((3, 3), np.nan)
        for phase in range(3):
            matrix[phase, :phase + 1] = last[:phase + 1] + (self.fall.get(method, 0) / 100 if phase < 2 else 0)
        return {**self.settings, "stream_order": order, **LEARNERS[method], "seed": seed, "accuracy_matrix": matrix,
                "task_identity": np.array(tasks, dtype=float), "objective": self.level[method] / 100,
                "capacity": np.linspace(100, self.capacity.get(method, 100), 3), **more}

    def rows(self):
        """All runs."""
        return [self.row(method, order, seed) for method in self.level for order in ORDERS for seed in self.seeds]

    def dataset(self, more=()):
        """Of all runs, and more."""
        return plasticity_files.dataset(self.rows() + list(more))
