"""Claims of papers, judged from result files: holds, does not hold, or not tested at this size. Every verdict is
computed from the curves; `runs` says on how many it rests. Files are judged by the claims of every paper of whose streams they
have trials.
"""

import dataclasses

from . import (alma, alma_text, apd, claims_alma, claims_alma_text, claims_apd, claims_cic, claims_cin, claims_opm, claims_scr,
               plasticity)
from .files import ResultError
from .verdict import ERRORS, HOLDS, NOT_TESTED

PLASTICITY = (
    "Loss of plasticity: claims of Dohare et al. 2024 and what the files say of them (mean ± standard error over runs).",
    f"One is above another if the difference is above {ERRORS} standard errors: an interval with a coverage of 95 % for 30 runs,",
    "82 % for 3 and 70 % for 2.")
ALMA = (
    "Anytime learning at macroscale: claims of Caccia et al. 2022 and what the files say of them (mean ± standard deviation",
    "over seeds). One is above another if the mean of the differences is and at least 2/3 of the paired seeds agree. CER: sum of",
    "test errors, as fractions, over mega-batches 1 to B. At equal budget a method is lower than another if its frontier is at",
    "80 % or more of the other's frontier points; compute: operations of training, memory: parameters, both summed over",
    "mega-batches.")
TEXT = (
    "Anytime learning over text: claims of Caccia et al. 2022 and what the files say of them (mean ± standard deviation over seeds).",
    "One is above another if the mean of the differences is and at least 2/3 of the paired seeds agree. Perplexities are of the",
    "evaluation chunk; learning rate and dropout are those with the best objective, of the validation set. Compute: operations of",
    "training, memory: parameters, both summed over mega-batches; compute within 5 % is called equal.")
APD = (
    "Additive parameter decomposition: claims of Yoon et al. 2020 and what the files say of them (mean ± standard deviation over",
    "seeds). One is above another if the mean of the differences is and at least 2/3 of the paired seeds agree. Strengths are those",
    "with the best objective; AOPD and MOPD are of accuracies that are means over seeds.")


def by_paper(datasets):
    """[(heading, verdicts)] of the papers that the files have trials of; a verdict.Verdict for every claim, in their order."""
    found = [(PLASTICITY, _plasticity(datasets)), (ALMA, claims_alma.judge(datasets)),
             (TEXT, claims_alma_text.judge(datasets)), (APD, claims_apd.judge(datasets))]
    found = [(heading, verdicts) for heading, verdicts in found if verdicts]
    if not found:
        streams = ", ".join((*plasticity.PROBLEMS, *alma.PROBLEMS, *alma_text.PROBLEMS))
        raise ResultError(f"no finished trial of the streams {streams}, and none of tasks with a head each in several orders "
                          f"({', '.join(apd.PROBLEMS)})")
    return found


def judge(datasets):
    """All verdicts."""
    return [verdict for _, verdicts in by_paper(datasets) for verdict in verdicts]


def _plasticity(datasets):
    points = plasticity.points_of(datasets)
    of = {problem: [point for point in points if point.problem == problem and point.n > 0]
          for problem in plasticity.PROBLEMS.values()}
    judges = {"scr": claims_scr, "opm": claims_opm, "cin": claims_cin, "cic": claims_cic}
    return [verdict for problem, judging in judges.items() for verdict in judging.judge(of[problem])] if points else []


def render(found):
    """The tables of some papers as text."""
    return "\n\n".join(_render(heading, verdicts) for heading, verdicts in found)


def _render(heading, verdicts):
    lines = [("claim", "verdict", "runs", "what")]
    lines += [(v.claim, v.verdict, v.runs, v.statement) for v in verdicts]
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    out = [*heading, ""]
    for number, line in enumerate(lines):
        out.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths)) + "  " + line[3])
        if number > 0:
            indent = " " * (sum(widths) + 6)
            out += [indent + sentence for sentence in verdicts[number - 1].numbers]
    tested = [v for v in verdicts if v.verdict != NOT_TESTED]
    out += ["", f"{len(tested)} of {len(verdicts)} tested, "
            f"{sum(v.verdict == HOLDS for v in tested)} hold"]
    return "\n".join(out)


def rows(found):
    """The tables of some papers as dictionaries, for csv."""
    return [{**dataclasses.asdict(v), "numbers": "; ".join(v.numbers)} for _, verdicts in found for v in verdicts]
