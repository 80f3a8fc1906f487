"""One self-contained page about a sweep: `engram report FILE… -o report.html`."""

from .page import build

__all__ = ["build"]
