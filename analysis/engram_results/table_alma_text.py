"""Table 1 of anytime learning over text: perplexity of mega-batches in sequence and together, measured next to published."""

import pandas

from .alma import spread, text
from .alma_text import SIZES, problems_of
from .files import ResultError
from .published import anytime_text

TITLE = ("Anytime learning over text, Table 1: perplexity after k mega-batches, together (iid) and one after the other (seq), and the gap\n"
         "(mean ± standard deviation over seeds; the paper's models, text and vocabulary are others: only signs can be compared)")


def compare(datasets):
    """A row for each size, learner and k that is in the files; those of the paper come first."""
    rows = [{"problem": "paper: 6 and 12 layers, 50,000 byte pairs, sequences of 512", "size": size, "what": "ens 4", "k": int(k),
             "iid": iid, "seq": seq, "gap": seq - iid, "gap_percent": 100 * (seq - iid) / iid, "n": 1}
            for size in SIZES for k, (iid, seq) in anytime_text()["table1"][size].items()]
    published = len(rows)
    for problem in problems_of(datasets):
        for one in problem.orders():
            seq, iid = one.perplexities
            rows.append({"problem": problem.name, "size": one.size, "what": one.label, "k": one.k, "iid": iid.mean(),
                         "seq": seq.mean(), "gap": one.gaps.mean(), "gap_percent": one.relative.mean(), "iid_deviation": spread(iid),
                         "seq_deviation": spread(seq), "gap_words": text(one.gaps), "percent_words": text(one.relative),
                         "n": len(one.seeds)})
    if len(rows) == published:
        raise ResultError("no finished trials of a text's mega-batches in sequence (stream text_mega_batches) and together (text_iid)")
    return pandas.DataFrame(rows)


def render(frame):
    """The table as text, a part per problem."""
    out = [TITLE]
    for problem, part in frame.groupby("problem", sort=False):
        lines = [("size", "k", "iid", "seq", "gap", "gap %", "n", "what")]
        for _, row in part.iterrows():
            gap = row.get("gap_words")
            lines.append((row["size"], str(row["k"]), _mean(row, "iid"), _mean(row, "seq"),
                          gap if isinstance(gap, str) else f"{row['gap']:.2f}",
                          row["percent_words"] if isinstance(gap, str) else f"{row['gap_percent']:.1f}", str(row["n"]), row["what"]))
        widths = [max(map(len, column)) for column in zip(*lines)]
        out += ["", problem] + ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join(out)


def _mean(row, name):
    deviation = row.get(f"{name}_deviation", float("nan"))
    return f"{row[name]:.2f}" if deviation != deviation else f"{row[name]:.2f} ± {deviation:.2f}"
