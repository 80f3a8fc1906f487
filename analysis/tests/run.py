"""Runs all tests of this folder. Exit codes: 0 passed, 1 failed, 77 the modules are not installed."""

import importlib.util
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
NEEDED = ("numpy", "scipy", "pandas", "xarray", "h5py", "h5netcdf", "netCDF4", "matplotlib")


def main():
    """Looks for the modules, then finds and runs every test_*.py."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(f"SKIPPED: {sys.executable} has no {', '.join(missing)}; "
              "the analysis is not tested", file=sys.stderr)
        return 77
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    suite = unittest.TestLoader().discover(str(HERE), pattern="test_*.py")
    if suite.countTestCases() == 0:
        print(f"no tests found in {HERE}", file=sys.stderr)
        return 1
    return 0 if unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
