"""The published numbers and how to find their counterpart among measured points."""

import importlib.resources
import json
import math

TABLES = ("1", "2", "3", "6", "7", "sgd-decay", "class-incremental")


def hard_ash():
    """The data file of the Hard ASH paper as a dictionary."""
    return _data("hard_ash.json")


def class_incremental():
    """The methods compared on class-incremental Split-MNIST, in the same form."""
    data = _data("class_incremental.json")
    for row in data["rows"]:
        row["match"] = [{**data["common"], **alternative} for alternative in row["match"]]
    return data


def loss_of_plasticity():
    """Levels read off the figures of Dohare et al. 2024."""
    return _data("loss_of_plasticity.json")


def anytime_learning():
    """The one level in the text of Caccia et al. 2022."""
    return _data("anytime_learning.json")


def anytime_text():
    """Table 1 of Caccia et al. 2022: {"table1": {size: {k: [iid, sequential]}}}."""
    return _data("anytime_text.json")


def additive_decomposition():
    """The main table of Yoon et al. 2020: {stream: {method: [capacity, accuracy, AOPD, MOPD]}}."""
    return _data("additive_decomposition.json")


def _data(name):
    return json.loads(importlib.resources.files("engram_results.paper").joinpath(name).read_text(
        encoding="utf-8"))


def pairs(paper):
    """Table 3 as {(activation, optimizer): (mean, half width)}."""
    table = paper["table3"]
    return {(activation, optimizer): tuple(values)
            for activation, row in table["activations"].items()
            for optimizer, values in zip(table["optimizers"], row)}


def matches(row, variables, alternatives):
    """Whether the settings of a row satisfy one of the alternatives, each {dotted name: value}.

    `variables`: {dotted name: column}. A setting the row does not have never matches.
    """
    return any(all(name in variables and same(row[variables[name]], wanted)
                   for name, wanted in alternative.items()) for alternative in alternatives)


def same(value, wanted):
    """Equality of a stored setting and a wanted one; numbers may differ by rounding.

    A setting that is a number for some components and not for others is text in the file.
    """
    if isinstance(wanted, bool):
        return str(value).lower() in (("true", "1", "1.0") if wanted else ("false", "0", "0.0"))
    if isinstance(wanted, str):
        return value == wanted
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return False
    return math.isclose(float(value), wanted, rel_tol=1e-6)
