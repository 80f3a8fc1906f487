"""Disparities over orders of tasks, worked by hand."""

import numpy as np

import engram_results
from engram_results import orders

from case import ResultsCase
from synthetic import dataset, trial


class OrdersTest(ResultsCase):
    """AOPD and MOPD."""

    def test_the_worked_example(self):
        opd, mean, largest = orders.disparity([[60, 64, 61], [70, 70, 75]])
        self.assertEqual(opd.tolist(), [4, 5])
        self.assertEqual((mean, largest), (4.5, 5))

    def test_an_order_without_runs(self):
        opd, mean, _ = orders.disparity([[60, np.nan, 61], [70, np.nan, np.nan]])
        self.assertEqual(opd[0], 1)
        self.assertTrue(np.isnan(opd[1]) and np.isnan(mean))

    def two_learners(self, identities=True):
        """Accuracies by identity: ewc 60, 64 and 61 on task 0, 70, 70 and 75 on task 1; stl 80, 80, 81 and 90, 92, 90.
        Runs are 3 more and 3 less. Order B has the tasks the other way round."""
        cells = {"ewc": {"A": (60, 70), "B": (64, 70), "C": (61, 75)},
                 "stl": {"A": (80, 90), "B": (80, 92), "C": (81, 90)}}
        rows, matrices, tasks = [], [], []
        for learner, by_order in cells.items():
            for order, accuracies in by_order.items():
                turn = -1 if order == "B" else 1
                for away in (3, -3):
                    rows.append(trial("relu", "sgd", 0.5, learner=learner, stream_order=order))
                    matrices.append([[1, 0], [accuracy / 100 + away / 100 for accuracy in accuracies[::turn]]])
                    tasks.append([0, 1][::turn])
        ds = dataset(rows)
        ds["accuracy_matrix"] = (("trial", "train_task", "eval_task"), np.array(matrices))
        if identities:
            ds["task_identity"] = (("trial", "task"), np.array(tasks, dtype=float))
        return ds

    def test_by_identity_with_stl_beside(self):
        found = engram_results.over_orders(self.two_learners())
        self.assertEqual(found["learner"].tolist(), ["stl", "ewc"])
        ewc = found.iloc[1]
        np.testing.assert_allclose(ewc["opd"], [0.04, 0.05])
        np.testing.assert_allclose([ewc["accuracy"], ewc["aopd"], ewc["mopd"]], [4 / 6, 0.045, 0.05])
        np.testing.assert_allclose([ewc["stl_aopd"], ewc["stl_mopd"]], [0.015, 0.02])
        self.assertEqual(ewc[["orders", "least_runs", "most_runs"]].tolist(), [3, 2, 2])

    def test_positions_would_say_otherwise(self):
        found = engram_results.over_orders(self.two_learners(identities=False))
        np.testing.assert_allclose(found.iloc[1]["opd"], [0.10, 0.11])

    def test_one_order(self):
        ds = dataset([trial("relu", "sgd", 0.5, stream_order="A")])
        with self.assertRaisesRegex(engram_results.ResultError, "no points differ in the order of tasks alone"):
            engram_results.over_orders(ds)
