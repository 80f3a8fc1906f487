"""Claims about the loss of plasticity, judged from result files: holds, does not hold, or not tested at this
size. Every verdict is computed from the curves; `runs` says on how many it rests.
"""

import dataclasses

from . import claims_cic, claims_cin, claims_opm, claims_scr
from .files import ResultError
from .plasticity import PROBLEMS, points_of
from .verdict import ERRORS, HOLDS, NOT_TESTED


def judge(datasets):
    """A verdict.Verdict for every claim, in their order."""
    points = points_of(datasets)
    if not points:
        raise ResultError(f"no finished trial of the streams {', '.join(PROBLEMS)}")
    of = {problem: [point for point in points if point.problem == problem and point.n > 0]
          for problem in PROBLEMS.values()}
    return (claims_scr.judge(of["scr"]) + claims_opm.judge(of["opm"]) + claims_cin.judge(of["cin"])
            + claims_cic.judge(of["cic"]))


def render(verdicts):
    """The table as text."""
    lines = [("claim", "verdict", "runs", "what")]
    lines += [(v.claim, v.verdict, v.runs, v.statement) for v in verdicts]
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    out = ["Loss of plasticity: claims of Dohare et al. 2024 and what the files say of them "
           "(mean ± standard error over runs).",
           f"One is above another if the difference is above {ERRORS} standard errors: an interval with a coverage of 95 % "
           "for 30 runs,", "82 % for 3 and 70 % for 2.", ""]
    for number, line in enumerate(lines):
        out.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths)) + "  " + line[3])
        if number > 0:
            indent = " " * (sum(widths) + 6)
            out += [indent + sentence for sentence in verdicts[number - 1].numbers]
    tested = [v for v in verdicts if v.verdict != NOT_TESTED]
    out += ["", f"{len(tested)} of {len(verdicts)} tested, "
            f"{sum(v.verdict == HOLDS for v in tested)} hold"]
    return "\n".join(out)


def rows(verdicts):
    """The table as dictionaries, for csv."""
    return [{**dataclasses.asdict(v), "numbers": "; ".join(v.numbers)} for v in verdicts]
