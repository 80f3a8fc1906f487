"""Result files of engram in xarray and pandas, and the tables and figures of the papers."""

from .files import ResultError, load, settings, swept
from .frames import curves, gather, table
from .orders import over_orders
from .ranking import best_points, points

__all__ = ["ResultError", "best_points", "curves", "gather", "load", "over_orders", "points", "settings",
           "swept", "table"]
