"""The early cut of the Hard ASH paper's program, applied to results that were run with more seeds."""

import numpy as np

from .files import FINISHED, STATUS_WORDS

# arXiv 2404.17651: points below 65 % run no more; its program looks after every seed from the second on.
AFTER, BELOW = 2, 0.65

# What an analysis may take a trial's result from.
RESULTS = ("objective", "final_accuracy")


def seeds_kept(objectives, after=AFTER, below=BELOW):
    """How many of a point's seeds run when every look from `after` seeds on compares the mean of all so far
    with `below`. `objectives` by replicate, NaN where there is no result: such a look decides nothing."""
    for n in range(after, len(objectives) + 1):
        mean = np.mean(objectives[:n])
        if np.isnan(mean):
            break
        if mean < below:
            return n
    return len(objectives)


def paper_cut(ds, after=AFTER, below=BELOW):
    """(dataset, counts): the seeds behind such a cut have status `skipped` and no results.

    counts: `complete`, points with all seeds finished; `shortened`, those of them that keep fewer;
    `dropped`, trials that lose their result, of all points.
    """
    status = ds["status"].values.copy()
    objective = ds["objective"].values
    finished = np.isin(status, [STATUS_WORDS.index(word) for word in FINISHED])
    replicate = ds["replicate"].values.astype(int)
    point = ds["point"].values.astype(int)
    table = np.full((point.max(initial=-1) + 1, replicate.max(initial=-1) + 1), np.nan)
    table[point[finished], replicate[finished]] = objective[finished]
    kept = np.array([seeds_kept(row, after, below) for row in table], dtype=int)
    behind = finished & (replicate >= kept[point])
    complete = ~np.isnan(table).any(axis=1)
    counts = {"complete": int(complete.sum()),
              "shortened": int((complete & (kept < table.shape[1])).sum()),
              "dropped": int(behind.sum())}
    status[behind] = STATUS_WORDS.index("skipped")
    changed = {"status": ("trial", status, ds["status"].attrs)}
    for name in RESULTS:
        if name in ds.variables:
            values = np.where(behind, np.nan, ds[name].values)
            changed[name] = ("trial", values, ds[name].attrs)
    return ds.assign(changed), counts


def cut_note(counts):
    """One line about what paper_cut did to a file."""
    return (f"paper's early cut (mean below {100 * BELOW:g} % after {AFTER} or more seeds): "
            f"{counts['shortened']} of {counts['complete']} points with all seeds end sooner, "
            f"{counts['dropped']} trials left out")


def changed_rows(before, after):
    """How many rows of two comparisons differ in what was measured."""
    columns = ["measured", "ci", "n", "settings"]
    same = (before[columns].eq(after[columns])
            | (before[columns].isna() & after[columns].isna())).all(axis=1)
    return int((~same).sum())
