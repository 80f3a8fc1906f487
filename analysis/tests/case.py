"""A test case with a folder of its own and result files that are closed again."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import engram_results
from engram_results import command

import synthetic


class ResultsCase(unittest.TestCase):
    """Helpers shared by the tests."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, trials, name="results.h5", **options):
        """Writes a result file."""
        return synthetic.write(self.folder / name, trials, **options)

    def open(self, trials, name="results.h5", **options):
        """Writes and loads a result file."""
        ds = engram_results.load(self.path(trials, name, **options))
        self.addCleanup(ds.close)
        return ds

    def command(self, *arguments):
        """Runs the command in this process: (exit code, standard output, standard error)."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = command.main([str(argument) for argument in arguments])
            except SystemExit as stop:  # argparse
                code = stop.code
        return code, out.getvalue(), err.getvalue()
