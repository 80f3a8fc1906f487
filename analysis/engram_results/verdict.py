"""What is said of a claim, and the comparisons that verdicts are made of."""

import dataclasses

import numpy as np

from .runs import standard_error

ERRORS = 2  # standard errors by which a mean differs from another
HOLDS, FAILS, NOT_TESTED = "holds", "does not hold", "not tested at this size"


@dataclasses.dataclass
class Verdict:
    """One row of the table of claims."""

    claim: str
    statement: str
    verdict: str
    runs: str        # how many runs it rests on
    numbers: list    # sentences with what was measured


@dataclasses.dataclass
class Case:
    """One thing that has to be true for a claim: whether it is, and what was measured."""

    true: bool
    words: str


def concluded(claim, statement, cases, points):
    """The verdict over all cases; without any the claim was not tested."""
    if not cases:
        return untested(claim, statement)
    wrong = [case for case in cases if not case.true]
    numbers = [("" if case.true else "not so: ") + case.words for case in wrong
               + [case for case in cases if case.true]]
    return Verdict(claim, statement, FAILS if wrong else HOLDS, runs_of(points), numbers)


def untested(claim, statement, why=""):
    """A claim for which the files hold nothing of the size it is about."""
    return Verdict(claim, statement, NOT_TESTED, "", [why] if why else [])


def runs_of(points):
    """"30", or "3-30" where points have different numbers of runs."""
    counts = sorted({point.n for point in points})
    return "-".join(str(count) for count in dict.fromkeys((counts[0], counts[-1]))) if counts else ""


def above_zero(differences):
    """Whether the mean of some differences is more than two standard errors above 0 (with one run: above 0)."""
    error = float(np.nan_to_num(standard_error(differences)))
    return float(np.mean(differences)) > ERRORS * error


def mean_text(values, digits=2):
    """"0.81 ± 0.02"; without an error for one run."""
    error = float(standard_error(values))
    mean = f"{float(np.mean(values)):.{digits}f}"
    return mean if error != error else f"{mean} ± {error:.{digits}f}"


def within(values, low, high, reading):
    """Whether a mean agrees with what was read off a figure, a number or a range (high None: at least low):
    to the accuracy of the reading and two standard errors."""
    slack = reading + ERRORS * float(np.nan_to_num(standard_error(values)))
    mean = float(np.mean(values))
    return mean >= low - slack and (high is None or mean <= high + slack)
