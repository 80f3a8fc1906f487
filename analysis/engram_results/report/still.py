"""A drawing for readers whose browser runs no scripts: what is reported of the best points, and their mean curves."""

import io

import numpy as np

MOST = 12


def still(sweep, shown):
    """An SVG element as text; "" if nothing has finished."""
    if "verdict" not in shown:
        return ""
    # matplotlib takes a second to import.
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    chosen = sweep.chosen[:MOST]
    curves = shown["curves"].tables["mean"].rows if "curves" in shown else []
    with matplotlib.rc_context({"svg.hashsalt": "engram", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure, axes = plt.subplots(1, 2 if curves else 1, figsize=(12, 1.2 + 0.34 * max(8, len(chosen))), squeeze=False,
                                    layout="constrained")
        _points(axes[0][0], sweep, chosen)
        if curves:
            _curves(axes[0][1], curves, chosen)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    text = out.getvalue()
    return text[text.index("<svg"):]


def _points(axis, sweep, chosen):
    places = np.arange(len(chosen))[::-1]
    for place, one in zip(places, chosen):
        axis.errorbar(one.row["reported"], place, xerr=np.nan_to_num(float(one.row["reported_ci"])), fmt="o",
                      color=f"C{(len(chosen) - 1 - place) % 10}", markersize=4)
    axis.set(yticks=places, yticklabels=[_short(one.label) for one in chosen], xlabel=sweep.reported_on)


def _curves(axis, rows, chosen):
    name = rows[0][0]
    for index in range(len(chosen)):
        line = [row for row in rows if row[0] == name and row[1] == index]
        axis.plot([row[3] if row[3] == row[3] else row[4] for row in line], [row[6] for row in line], color=f"C{index % 10}",
                  linewidth=1.2)
    axis.set(xlabel="minibatches", ylabel=name)


def _short(text):
    return text if len(text) < 48 else text[:46] + "…"
