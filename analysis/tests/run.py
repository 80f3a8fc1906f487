"""Runs the tests of this folder: all, those of the report alone (`run.py report`), or all others (`run.py others`).

Exit codes: 0 passed, 1 failed, 77 something is not installed: modules, or the browser of the report's tests.
"""

import importlib.util
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
NEEDED = ("numpy", "scipy", "pandas", "xarray", "h5py", "h5netcdf", "netCDF4", "matplotlib", "jinja2")
REPORT = "test_report"


def main(which="all"):
    """Looks for the modules, then finds and runs every test_*.py."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: {sys.executable} has no {', '.join(missing)}; "
              "the analysis is not tested", file=sys.stderr)
        return 77
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    names = [path.stem for path in sorted(HERE.glob("test_*.py"))
             if which == "all" or path.stem.startswith(REPORT) == (which == "report")]
    suite = unittest.TestLoader().loadTestsFromNames(names)
    if suite.countTestCases() == 0:
        print(f"no tests found in {HERE} for `{which}`", file=sys.stderr)
        return 1
    if not unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful():
        return 1
    import browser
    if which == "report" and browser.find() is None:
        print("SKIPPED: there is no chromium; the page was not opened in a browser", file=sys.stderr)
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
