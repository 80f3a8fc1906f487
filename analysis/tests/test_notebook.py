"""The notebook template: every cell runs on a file of a sweep that the command itself ran."""

import json
import os
import pathlib
import subprocess
import unittest
import warnings

import matplotlib
import matplotlib.pyplot

from case import ResultsCase
from engram_results.program import find

NOTEBOOK = pathlib.Path(__file__).resolve().parent.parent / "notebook.ipynb"
SWEEP = """name: quickstart
base: {dataset: {synthetic: {examples: 60, test_examples: 20}}, stream.batch: 20, model.hidden: [4]}
grid: {optimizer.lr: [0.01, 0.1, 1]}
seeds: 2
"""


class Notebook(ResultsCase):
    def test_every_cell_runs(self):
        matplotlib.use("Agg")
        (self.folder / "quickstart.yaml").write_text(SWEEP)
        before = os.getcwd()
        os.chdir(self.folder)
        self.addCleanup(os.chdir, before)
        subprocess.run([find(), "run", "quickstart.yaml"], check=True, capture_output=True)
        cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
        names = {}
        self.addCleanup(lambda: "ds" in names and names["ds"].close())
        self.addCleanup(matplotlib.pyplot.close, "all")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for cell in cells:
                if cell["cell_type"] == "code":
                    self.assertEqual(cell["outputs"], [])
                    exec("".join(cell["source"]), names)  # pylint: disable=exec-used
        self.assertEqual(len(names["ranking"]), 3)
        self.assertEqual(len(names["pairs"]), 2)
        rows = (self.folder / "trials.csv").read_text().splitlines()
        self.assertEqual(len(rows), 7)


if __name__ == "__main__":
    unittest.main()
