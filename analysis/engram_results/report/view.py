"""What a view hands to the page: a heading, a sentence about what is shown, and tables that are both drawn and read."""

import dataclasses
import math

import numpy as np

# What a column holds, where that is not a number or a word: the index of a chosen point in `points` of the page.
POINT = "point"


class NoData(Exception):
    """The files have nothing for a view; the message is the line that the page shows instead."""


@dataclasses.dataclass
class Table:
    """Columns [(name, kind)] and rows of them. kind: POINT, "number", "integer" or "text"."""

    caption: str
    columns: list
    rows: list

    def plain(self):
        """As it stands in the page: names, kinds and rows of values that JSON has."""
        return {"caption": self.caption, "columns": [name for name, _ in self.columns],
                "kinds": [kind for _, kind in self.columns], "rows": [[plain(value) for value in row] for row in self.rows]}


@dataclasses.dataclass
class View:
    """One section of the page. `shown`: what was selected on, reported on, n and interval, in sentences."""

    title: str
    shown: str
    tables: dict                                     # {name: Table}, in the order in which they are read
    options: dict = dataclasses.field(default_factory=dict)   # how the chart draws them
    notes: list = dataclasses.field(default_factory=list)     # what is not in it, and what to know


def plain(value):
    """A value as JSON has it: missing numbers are null; a number stored in single precision is the shortest one that
    reads back to the same value, as `engram export` writes it."""
    if isinstance(value, np.float32):
        value = float(str(value))
    elif isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 2 ** 53 else value
    return value
