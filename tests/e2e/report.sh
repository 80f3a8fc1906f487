#!/usr/bin/env bash
# engram report: finds the Python package of a checkout and of an installation, and says what is missing.
# shellcheck source-path=SCRIPTDIR source=support.sh
source "$(dirname "$0")/support.sh"

analysis=$(realpath "$here/../../analysis")
export ENGRAM_PYTHON=/usr/bin/python3 MPLCONFIGDIR=$work
if ! "$ENGRAM_PYTHON" -c "import h5netcdf, jinja2, matplotlib, pandas, scipy, xarray" 2>err; then
    echo "SKIPPED: $ENGRAM_PYTHON lacks a module: $(tail -1 err)" >&2
    exit 77
fi

sweep tiny <<'END'
grid:
  optimizer.lr: [3e-3, 0.1]
seeds: 2
END
expect 0 "$engram" run tiny.yaml

# Of an installation: bin/engram and share/engram/analysis. The page is beside the results unless -o says otherwise.
mkdir -p prefix/bin prefix/share/engram
cp "$engram" prefix/bin/engram
ln -s "$analysis" prefix/share/engram/analysis
expect 0 prefix/bin/engram report results/tiny.h5
[ "$(cat out)" = results/tiny.html ] || fail "it printed $(cat out)"
[ ! -s err ] || fail "it complained: $(cat err)"
has results/tiny.html '<section id="verdict"'
has results/tiny.html 'engram train objective='

# Wherever ENGRAM_ANALYSIS says, and nowhere else.
rm -r prefix/share
refuses "engram_results was not found" ENGRAM_ANALYSIS -- prefix/bin/engram report results/tiny.h5
refuses "ENGRAM_ANALYSIS=/nowhere" -- env ENGRAM_ANALYSIS=/nowhere prefix/bin/engram report results/tiny.h5
export ENGRAM_ANALYSIS=$analysis
expect 2 prefix/bin/engram report none.h5 -o none.html
has err "none.h5: no such file"
[ ! -e none.html ] || fail "a page about nothing was written"
expect 2 prefix/bin/engram report results/tiny.h5 -o nowhere/tiny.html
has err "nowhere/tiny.html: cannot be written"

# Without Python, and without its packages.
refuses "/nowhere/python3" -- env ENGRAM_PYTHON=/nowhere/python3 prefix/bin/engram report results/tiny.h5
printf '#!/bin/sh\nexec /usr/bin/python3 -S "$@"\n' >bare
chmod +x bare
expect 2 env ENGRAM_PYTHON="$PWD/bare" prefix/bin/engram report results/tiny.h5
has err "has no module" "jobs/install-dependencies.sh"
[ "$(wc -l <err)" = 1 ] || fail "a missing module should be one line"
refuses "--interval" student paper -- prefix/bin/engram report results/tiny.h5 --interval wald
