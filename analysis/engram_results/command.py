"""The command: python3 -m engram_results report|table|figure|curves|claims|statistics|points|tensorboard."""

import argparse
import contextlib
import os
import pathlib
import sys

import pandas

from . import claims, table_alma_text, table_apd, tensorboard
from .early_cut import changed_rows, cut_note, paper_cut
from .files import ResultError, load
from .program import INTERVALS
from .published import TABLES
from .ranking import best_points, points
from .tables import compare, render

PROGRAM = "engram_results"
OF_PAPERS = {"apd": table_apd, "alma-text": table_alma_text}  # tables that are no list of pairs
AXIS_NAMES = ("steps", "examples", "evaluations")
OWN_AXIS = ("scr", "opm", "cin", "cic", "alma", "apd", "apd-orders")  # figures that --x is not for


def main(arguments=None):
    """Runs the command; returns its exit code: 0 done, 2 bad input."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except ResultError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader of a pipe left early; nothing more can or need be printed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser():
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Tables and figures from result "
                                     "files of engram. Files of running sweeps are fine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    report = commands.add_parser("report", help="one page that needs no network: what is best, curves, measures, settings, "
                                 "failures, and the commands that run any row again, each with its table")
    report.add_argument("files", nargs="+", metavar="FILE", help="result files (.h5), looked at together")
    report.add_argument("-o", "--output", metavar="OUT.html", help="page to write (default: the first file with the ending .html)")
    report.add_argument("--interval", choices=tuple(INTERVALS), default="student", help="95 %% interval of Student's distribution, "
                        "or the formula of the Hard ASH paper (default: %(default)s)")
    report.set_defaults(run=_report)

    table = commands.add_parser("table", help="a table of the Hard ASH paper, or the class-"
                                "incremental methods, measured next to published")
    table.add_argument("name", choices=(*TABLES, *OF_PAPERS), help="which table")
    table.add_argument("files", nargs="+", metavar="FILE", help="result files (.h5)")
    table.add_argument("--csv", action="store_true", help="print comma-separated values")
    table.add_argument("--paper-cut", action="store_true", help="leave out the seeds that the "
                       "paper's program would not have run: it looks after every seed from the "
                       "second on and ends a point whose mean is below 65 %%")
    table.set_defaults(run=_table)

    figure = commands.add_parser("figure", help="a figure of the Hard ASH paper, all "
                                 "class-incremental methods together, the loss of plasticity, or "
                                 "anytime learning")
    figure.add_argument("name", choices=("1", "2", "3", "methods", *OWN_AXIS), help="which figure; scr: "
                        "slowly-changing regression relative to the linear learner, opm: online permuted MNIST, cin: "
                        "pairs of classes, cic: more and more classes; alma: mega-batches, error over time and cumulative error "
                        "over compute and memory with frontiers; apd: accuracy over capacity of task-incremental methods, "
                        "apd-orders: disparity of their tasks between orders")
    figure.add_argument("files", nargs="+", metavar="FILE",
                        help="result file (.h5); all but 1, 2 and 3 take several")
    figure.add_argument("-o", "--output", required=True, metavar="OUT.png", help="image to write")
    figure.add_argument("--x", choices=AXIS_NAMES, help="horizontal axis (default: steps for figure "
                        "1, tasks seen for the others, which have a place per task)")
    figure.set_defaults(run=_figure)

    curves = commands.add_parser("curves", help="learning curves, a line per point")
    curves.add_argument("file", metavar="FILE", help="result file (.h5)")
    curves.add_argument("-o", "--output", required=True, metavar="OUT.png", help="image to write")
    curves.add_argument("--variables", default="accuracy,loss", metavar="NAME,…",
                        help="curves to draw, a panel each (default: %(default)s)")
    curves.add_argument("--by", metavar="SETTING,…",
                        help="settings that make up a line (default: those the sweep varied)")
    curves.add_argument("--best", type=_positive, default=8, metavar="N",
                        help="draw at most the N best points (default: %(default)s)")
    curves.add_argument("--x", choices=AXIS_NAMES, default="steps",
                        help="horizontal axis (default: %(default)s, that is minibatches)")
    curves.set_defaults(run=_curves)

    judged = commands.add_parser("claims", help="every claim about the loss of plasticity, anytime learning or additive "
                                 "parameter decomposition: "
                                 "holds, does not hold, or not tested at this size, with the numbers")
    judged.add_argument("files", nargs="+", metavar="FILE", help="result files (.h5) of "
                        "sweeps/loss-of-plasticity, sweeps/alma or sweeps/apd, read together")
    judged.add_argument("--csv", action="store_true", help="print comma-separated values")
    judged.set_defaults(run=_claims)

    statistics = commands.add_parser("statistics", help="online permuted MNIST: accuracy, dead units, rank and "
                                     "weights of every point early and late, as comma-separated values")
    statistics.add_argument("files", nargs="+", metavar="FILE", help="result files (.h5)")
    statistics.set_defaults(run=_statistics)

    events = commands.add_parser("tensorboard", help="event files of TensorBoard: a run per trial, its "
                                 "curves, and the swept settings for the HParams tab")
    events.add_argument("file", metavar="FILE", help="result file (.h5)")
    events.add_argument("-o", "--output", required=True, metavar="DIR", help="folder for the runs")
    events.add_argument("--variables", metavar="NAME,…", help="curves over evaluations to write (default: all)")
    events.set_defaults(run=_tensorboard)

    ranking = commands.add_parser("points", help="all points: what they were selected on and what "
                                  "is reported of them, as comma-separated values, best first")
    ranking.add_argument("files", nargs="+", metavar="FILE", help="result files (.h5)")
    which = ranking.add_mutually_exclusive_group()
    which.add_argument("--by", metavar="SETTING,…",
                       help="settings that make up a point (default: those the sweep varied)")
    which.add_argument("--best-of", metavar="SETTING,…", help="only the best point of every "
                       "combination of these settings")
    ranking.add_argument("--report", metavar="VARIABLE", help="recorded variable that is reported "
                         "(default: that of the objective, on test data)")
    ranking.add_argument("--interval", choices=tuple(INTERVALS), default="student",
                         help="95 %% interval of Student's distribution, or the formula of the "
                         "Hard ASH paper (default: %(default)s)")
    ranking.set_defaults(run=_points)
    return parser


def _positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, not `{text}`")
    return int(text)


def _names(text):
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


@contextlib.contextmanager
def _opened(paths):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(load(path)) for path in paths]


def _report(options):
    from .report import page
    output = options.output or pathlib.Path(options.files[0]).with_suffix(".html")
    page.write(options.files, output, options.interval)
    print(output)


def _table(options):
    with _opened(options.files) as datasets:
        if options.name in OF_PAPERS:
            module = OF_PAPERS[options.name]
            frame = module.compare(datasets)
            print(frame.to_csv(index=False).rstrip() if options.csv else module.render(frame))
            return
        frame = compare(options.name, datasets)
        notes = []
        if options.paper_cut:
            uncut = frame
            datasets, counts = zip(*[paper_cut(ds) for ds in datasets])
            frame = compare(options.name, list(datasets))
            notes = [cut_note(count) for count in counts]
            notes.append(f"rows that this changes: {changed_rows(uncut, frame)} of {len(frame)}")
    if options.csv:
        print(frame.to_csv(index=False).rstrip())
    else:
        print("\n".join([render(options.name, frame), *notes]))


def _claims(options):
    with _opened(options.files) as datasets:
        found = claims.by_paper(datasets)
    if options.csv:
        print(pandas.DataFrame(claims.rows(found)).to_csv(index=False).rstrip())
    else:
        print(claims.render(found))


def _statistics(options):
    from .plasticity_figures import statistics
    with _opened(options.files) as datasets:
        print(statistics(datasets).to_csv(index=False, float_format="%.5g").rstrip())


def _figure(options):
    # matplotlib takes a second to import: only where something is drawn.
    from .figures import FIGURES, OF_MANY
    if len(options.files) > 1 and options.name not in OF_MANY:
        raise ResultError(f"figure {options.name} takes one file; `figure methods` takes several")
    if options.x is not None and options.name in OWN_AXIS:
        raise ResultError(f"figure {options.name} has an axis of its own; --x is for the others")
    axis = {} if options.x is None else {"x": options.x}
    with _opened(options.files) as datasets:
        given = datasets if options.name in OF_MANY else datasets[0]
        _write(FIGURES[options.name](given, **axis), options.output)


def _curves(options):
    from .figures import learning_curves
    with load(options.file) as ds:
        _write(learning_curves(ds, tuple(_names(options.variables)), _names(options.by), options.best,
                               options.x), options.output)


def _tensorboard(options):
    with load(options.file) as ds:
        count = tensorboard.write(ds, options.output, _names(options.variables))
    print(f"{options.output}: {count} runs; look at them with: tensorboard --logdir {options.output}")


def _write(figure, path):
    """Writes a figure, and says what is not in it."""
    from .figures import save
    for sentence in figure.left_out:
        print(f"{PROGRAM}: {sentence}", file=sys.stderr)
    save(figure, path)


def _points(options):
    with _opened(options.files) as datasets:
        chosen = _names(options.best_of)
        rank, by = (points, _names(options.by)) if chosen is None else (best_points, chosen)
        frame = rank(datasets, by=by, report=options.report, interval=options.interval)
    print(frame.drop(columns="group").to_csv(index=False).rstrip())
