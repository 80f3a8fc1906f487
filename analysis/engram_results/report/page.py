"""Puts the page together: views, their data as JSON, styles and scripts, all in one file that needs no network."""

import contextlib
import json
import pathlib

import jinja2

from ..files import ResultError, load
from .still import still
from .sweep import Sweep
from .view import NoData
from .views import VIEWS

HERE = pathlib.Path(__file__).resolve().parent
VENDOR = ("d3.min.js", "plot.umd.min.js")
LICENCES = ("d3.LICENSE", "plot.LICENSE")
SCHEMA = 1


def build(paths, interval="student"):
    """The page about some result files, as text."""
    with contextlib.ExitStack() as stack:
        datasets = [stack.enter_context(load(path)) for path in paths]
        sweep = Sweep(paths, datasets, interval)
        shown, left_out = views_of(sweep)
        return _render(sweep, shown, left_out)


def views_of(sweep):
    """({name: View}, [(title, why it is not there)])."""
    shown, left_out = {}, []
    for name, (module, title) in VIEWS.items():
        try:
            shown[name] = module.view(sweep)
        except NoData as reason:
            left_out.append((title, str(reason)))
    return shown, left_out


def data_of(sweep, shown):
    """What the scripts read: chosen points by index, and the tables of every view."""
    return {"schema": SCHEMA,
            "points": [{"label": one.label, "name": one.name, "method": one.row["method"], "rank": int(one.row["rank"]),
                        "settings": sweep.settings_text(one.row)} for one in sweep.chosen],
            "views": {name: {"options": view.options, "tables": {key: table.plain() for key, table in view.tables.items()}}
                      for name, view in shown.items()}}


def _render(sweep, shown, left_out):
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(HERE / "page"), autoescape=True, trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    scripts = ["report.js", *sorted(f"charts/{path.name}" for path in (HERE / "page" / "charts").glob("*.js")), "start.js"]
    titles = ", ".join(dict.fromkeys(str(ds.attrs.get("title", "")) or pathlib.Path(path).stem
                                     for path, ds in zip(sweep.paths, sweep.datasets)))
    return environment.get_template("page.html").render(
        title=titles, files=[pathlib.Path(path).name for path in sweep.paths], views=shown, left_out=left_out,
        trials=len(sweep.frame), finished=int(sweep.frame["status"].isin(("done", "diverged")).sum()),
        points=len(sweep.ranked), style=_text("page/style.css"), still=still(sweep, shown),
        vendor=[_text(f"vendor/{name}") for name in VENDOR], licences=[_text(f"vendor/{name}") for name in LICENCES],
        scripts=[_text(f"page/{name}") for name in scripts], data=_json(data_of(sweep, shown)))


def _text(name):
    return (HERE / name).read_text(encoding="utf-8")


def _json(data):
    # "</script>" or "<!--" in a text of the file must not end or change the element that holds the data.
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")


def write(paths, output, interval="student"):
    """Writes the page; it is there whole or not at all."""
    page = build(paths, interval)
    output = pathlib.Path(output)
    partial = output.with_name(output.name + ".part")
    try:
        partial.write_text(page, encoding="utf-8")
        partial.replace(output)
    except OSError as error:
        raise ResultError(f"{output}: cannot be written: {error}") from error
