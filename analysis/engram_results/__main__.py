"""python3 -m engram_results"""

import sys


def run():
    """The command; a package that is missing is one sentence."""
    try:
        from .command import main
        return main()
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        if name in ("", "engram_results"):
            raise
        print(f"engram_results: {sys.executable} has no module {name}: install "
              f"python3-{name.lower()} (jobs/install-dependencies.sh does)", file=sys.stderr)
        return 2


sys.exit(run())
