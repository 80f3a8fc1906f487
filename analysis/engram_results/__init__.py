"""Result files of engram in xarray and pandas, and the tables and figures of the papers."""

import importlib

# Imported when they are first used, so that the command can say which package is missing.
_WHERE = {"ResultError": "files", "load": "files", "settings": "files", "swept": "files",
          "curves": "frames", "gather": "frames", "table": "frames", "over_orders": "orders",
          "best_points": "ranking", "points": "ranking"}

__all__ = sorted(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__():
    return [*globals(), *_WHERE]
