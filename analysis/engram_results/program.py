"""Rankings come from the command `engram rank`, so that there is one rule for what counts.

What a diverged trial counts with, which seeds report a point, in which order points come and how wide an
interval is: the command knows, and this package does not. Reading files, tidy frames and drawing single
curves need no command.
"""

import functools
import json
import os
import pathlib
import shutil
import subprocess

from .files import ResultError

BUILT = pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "engram"
INTERVALS = {
    "student": "95 % Student interval, t(0.975, n−1) · s/√n",
    "paper": "1.96 · s/√n with divisor n, the formula of the Hard ASH paper",
}


def find():
    """The command: $ENGRAM, else build/release/engram of this checkout, else on the PATH; as the scripts
    in jobs/ find it."""
    named = os.environ.get("ENGRAM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ResultError(f"ENGRAM={named} is not a program")
        return found
    found = str(BUILT) if os.access(BUILT, os.X_OK) else shutil.which("engram")
    if found is None:
        raise ResultError("rankings and intervals are made by the command `engram`, which was not "
                          "found: build it, put it on the PATH or name it in the variable ENGRAM")
    return found


def rank(request):
    """What `engram rank` answers to a request (see `engram rank --help`)."""
    done = subprocess.run([find(), "rank"], input=json.dumps(request), text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise ResultError(f"engram rank: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return json.loads(done.stdout)


def notes(path):
    """What `engram top` says of a file below its ranking: sentences to know before numbers are used."""
    done = subprocess.run([find(), "top", str(path), "-n", "1", "--json"], text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise ResultError(f"engram top {path}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return json.loads(done.stdout)["notes"]


@functools.lru_cache(maxsize=None)
def factors(most, interval):
    """Half widths of the interval for n = 0 … most values, in units of their standard deviation with
    divisor n − 1; NaN below two values."""
    trials = {"point": [0] * most, "status": ["done"] * most, "stage": [1] * most,
              "selected": [0] * most, "reported": [0] * most}
    answer = rank({"interval": interval, "trials": trials})
    return [float("nan") if factor is None else factor for factor in answer["factors"]]
