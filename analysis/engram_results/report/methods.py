"""Which method a point is of: the best point of each is what the page compares.

Streams of a reproduced paper have the paper's names (bp, cbp, sm, ens, apd …). Elsewhere, and where one of these names
has several, a method is a combination of the components that the sweep varied: activation, optimizer, learner, model.
What is learned, stream and dataset, is no part of a method but a problem.
"""

import pandas

from .. import alma, apd, plasticity
from ..ranking import group_ids

COMPONENT = 8    # `parameter_type` of a setting that chooses a component
ALL = "all points"   # where nothing tells methods apart
PROBLEM = ("stream", "dataset")
PAPERS = (plasticity, alma)


def names(sweep, ranked):
    """[points]: the name of the method of every row of a ranking."""
    components = [column for dotted, column in sweep.varied.items()
                  if dotted.split(".")[0] not in PROBLEM and column in ranked and _is_component(sweep, column)]
    ids = group_ids(ranked, components) if components else [0] * len(ranked)
    papers = _papers(sweep, ranked)
    families = {}
    for group, paper in zip(ids, papers):
        families.setdefault(paper, set()).add(group)
    # Components that differ among the points of one name.
    telling = {paper: [column for column in components if part[column].astype(str).nunique() > 1] if len(families[paper]) > 1 else []
               for paper, part in ranked.groupby(pandas.Series(papers, ranked.index, dtype=object))}
    found = []
    for row, paper in zip(ranked.to_dict("records"), papers):
        words = [paper] if paper else []
        words += [str(row[column]) for column in telling[paper]
                  if row[column] == row[column] and row[column] != "" and str(row[column]) not in words]
        found.append(" ".join(words) or ALL)
    return found


def problems(sweep, ranked):
    """[points]: what every point learns, "split, mnist"; "" if that is the same for all."""
    columns = [sweep.known[name] for name in PROBLEM if name in sweep.known]
    found = [", ".join(str(sweep.example[group][column]) for column in columns) for group in ranked["group"]]
    return found if len(set(found)) > 1 else [""] * len(found)


def _is_component(sweep, column):
    types = [ds[column].attrs.get("parameter_type") for ds in sweep.datasets if column in ds.variables]
    types = [int(kind) for kind in types if kind is not None]
    return COMPONENT in types if types else sweep.frame[column].dtype == object


def _papers(sweep, ranked):
    """[points]: the name that the paper of the stream has for a method, or ""."""
    known = sweep.known
    found = []
    for group in ranked["group"]:
        row = sweep.example[group]

        def get(name, row=row):
            value = row[known[name]] if name in known else None
            return None if value is None or value != value or value == "" else value

        found.append(_paper(get))
    return found


def _paper(get):
    stream = get("stream")
    for paper in PAPERS:
        if stream in paper.PROBLEMS:
            return paper.method_of(get, paper.PROBLEMS[stream])
    if stream in apd.PROBLEMS and (get("stream.active") == "task" or get("stream.heads") == "task"
                                   or stream not in ("split", "permuted")):
        return apd.method_of(get)
    return ""
